"""What was found, and the verdict: an output is proved where nothing that was looked at speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KEPT = 100  # of each kind; all are counted

# What is told and speaks against nothing: files that came later, and what could not be looked at.
NOTES = frozenset(
    {
        *("not-checked", "source-new", "source-newer", "source-gone-before"),
        *("failed-source-replaced", "failed-source-gone"),
    }
)


@dataclass(frozen=True)
class Finding:
    """One thing that is worth telling: its kind, the file or object it is about, and what is the matter with it."""

    kind: str
    uri: str
    text: str

    @property
    def refutes(self) -> bool:
        return self.kind not in NOTES


class Findings:
    """Findings as they come: all of them counted, the first of each kind kept."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self._kept: list[Finding] = []

    def add(self, kind: str, uri: str, text: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= KEPT:
            self._kept.append(Finding(kind, uri, text))

    def passing_over(self, known: Callable[[str, str], bool]) -> Findings:
        """The same findings, to be added to but for those of a kind and a URI that `known` says yes to."""
        return _PassingOver(self, known)

    def verdict(self, target: str, job_id: str | None, *, deep: bool) -> Verdict:
        return Verdict(target, job_id, deep, dict(self.checked), dict(self.counts), tuple(self._kept))


class _PassingOver(Findings):
    def __init__(self, findings: Findings, known: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.counts, self.checked = findings.counts, findings.checked
        self._findings, self._known = findings, known

    def add(self, kind: str, uri: str, text: str) -> None:
        if not self._known(kind, uri):
            self._findings.add(kind, uri, text)


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    checked    how much was looked at: files, shards, ledgerFiles, records, lines, bytes, filesCompared
    counts     how many findings there are of each kind
    findings   the first KEPT of each kind, in the order in which they were found
    """

    target: str
    job_id: str | None
    deep: bool
    checked: dict[str, int]
    counts: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def proved(self) -> bool:
        """Whether nothing speaks against the output."""
        return all(kind in NOTES for kind in self.counts)

    @property
    def differences(self) -> int:
        return sum(count for kind, count in self.counts.items() if kind not in NOTES)

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `differences` speak against the output, `notes` do not."""
        told = [(f.refutes, {"kind": f.kind, "uri": f.uri, "text": f.text}) for f in self.findings]
        return {
            "target": self.target,
            "jobId": self.job_id,
            "deep": self.deep,
            "proved": self.proved,
            "checked": self.checked,
            "counts": self.counts,
            "differences": [document for refutes, document in told if refutes],
            "notes": [document for refutes, document in told if not refutes],
        }

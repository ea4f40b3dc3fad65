"""The whole question, of an output and of the earlier ones that it adds to (`pipeline.target.joined`).

Each is proved by itself. Files whose lines count no more may be others by now; a file that came later is no newcomer
where a later one of the outputs has read it; and no file's lines count twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import RefusedError, StorageError
from pipeline.proof.findings import Findings, Verdict
from pipeline.proof.summary import Claimed
from pipeline.proof.whole import verify_output
from pipeline.storage import Store, join
from pipeline.target.joined import Joined, JoinedPart, measure_joined, read_joined, superseded_of
from pipeline.target.layout import joined_name
from pipeline.target.results import ledger_records

_OF_SOURCES = frozenset(
    {
        *("source-gone", "source-replaced", "source-changed", "source-newer", "lines-differ"),
        *("failed-source-gone", "failed-source-replaced"),
    }
)
_OF_GONE = frozenset({"source-gone", "failed-source-gone"})
_OF_NEWCOMERS = frozenset({"source-new", "source-unrecorded"})


def verify(store: Store, target: str, claimed: Claimed | None = None, *, deep: bool = False) -> Verdict:
    """Prove or refute what a job left at a target, with the earlier outputs that it adds to.

    `claimed` is what the job log knows of it, where it is at hand. With `deep` each file is read and decoded again, and
    its lines are compared with those in the output. Raises RefusedError where there is no output of the job that is
    asked for, and StorageError for a store that does not answer: nothing is proved then.
    """
    findings = Findings()
    summary, job_id = verify_output(store, target, claimed, findings, deep=deep)
    if summary.get("since") and job_id is not None:
        joined = _manifest(store, target, job_id, summary["since"], findings)
        if joined is not None:
            _check_parts(store, target, joined, findings, deep=deep)
    return findings.verdict(target, job_id, deep=deep)


def _manifest(
    store: Store, target: str, job_id: str, said: Mapping[str, Any], findings: Findings
) -> Joined | None:
    uri = join(target, joined_name(job_id))
    try:
        found = measure_joined(store, target, job_id)
        if found != said.get("joined"):
            findings.add(
                "joined-changed", uri, f"was edited: it is {found} where the summary has {said.get('joined')}"
            )
        return read_joined(store, target, job_id)
    except StorageError as e:
        findings.add(
            "joined-missing", uri, f"cannot be read, so that nothing is known of what it adds to: {e}"
        )
        return None


def _check_parts(store: Store, target: str, joined: Joined, findings: Findings, *, deep: bool) -> None:
    """Prove the earlier outputs, the last one first, and see that each file's lines count once."""
    newest = _files(store, JoinedPart(target, joined.job_id, ""), findings)
    read_later, counted = {*newest}, {*_left(newest, set())}
    gone = set(joined.gone)
    for uri in joined.gone:
        text = f"was gone when job {joined.job_id} added to the output; its lines are in it, and count"
        findings.add("source-gone-before", uri, text)
    for number in reversed(range(len(joined.parts))):
        part = joined.parts[number]
        superseded = {one.uri for one in superseded_of(joined, number)}

        def known(kind: str, uri: str, old: set[str] = superseded, later: set[str] = read_later) -> bool:
            if kind in _OF_NEWCOMERS:
                return uri in later
            return kind in _OF_SOURCES and (uri in old or (kind in _OF_GONE and uri in gone))

        try:
            _, found = verify_output(store, part.target, None, findings.passing_over(known), deep=deep)
        except RefusedError as e:
            findings.add("joined-missing", part.target, f"is gone, which job {joined.job_id} adds to: {e}")
            continue
        if found != part.job_id:
            findings.add(
                "joined-foreign",
                part.target,
                f"now holds the output of job {found}, and job {joined.job_id} adds to that of {part.job_id}",
            )
            continue
        files = _files(store, part, findings)
        for uri in _left(files, superseded):
            if uri in counted:
                text = f"has lines at {part.target} and in a later output, and both count by the manifest"
                findings.add("joined-twice", uri, text)
        counted |= {*_left(files, superseded)}
        read_later = read_later | files.keys()


def _left(files: Mapping[str, int], superseded: set[str]) -> Iterator[str]:
    """The files of a part whose lines count."""
    return (uri for uri, lines in files.items() if lines and uri not in superseded)


def _files(store: Store, part: JoinedPart, findings: Findings) -> dict[str, int]:
    """The files that a part has on record, each with its number of lines."""
    try:
        return {r.uri: r.lines for r in ledger_records(store, part.target, job_id=part.job_id)}
    except StorageError as e:
        findings.add("not-checked", part.target, f"whether lines count twice: {e}")
        return {}

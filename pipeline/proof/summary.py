"""summary.json and shards.ndjson, against themselves, each other and what the job log has on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError, TargetError
from pipeline.ledger import Totals
from pipeline.proof.findings import Findings
from pipeline.storage import Store
from pipeline.target.layout import shards_uri, summary_uri
from pipeline.target.lifecycle import read_summary
from pipeline.write.publish import summary_crc32c
from pipeline.write.shard_list import PublishedFile, read_shard_list


@dataclass(frozen=True)
class Claimed:
    """What the job log knows of a job: its id, its summary, and how to have all of its patterns."""

    job_id: str
    summary: Mapping[str, Any]
    patterns: Callable[[], Sequence[str]] = tuple


def find_summary(store: Store, target: str, claimed: Claimed | None, findings: Findings) -> Mapping[str, Any]:
    """The summary to go by: the target's, or the job log's where that cannot be read.

    Raises RefusedError where there is no output of the job that is asked for.
    """
    uri = summary_uri(target)
    try:
        summary = read_summary(store, target)
    except TargetError as e:
        if claimed is None:
            findings.add("summary-changed", uri, f"cannot be read: {e}")
            return {}
        findings.add("summary-changed", uri, f"cannot be read ({e}); the job log's is used")
        return claimed.summary
    if summary is None:
        if claimed is None:
            raise RefusedError(f"{target} holds no output: there is no {uri}; give a job's id or its target")
        findings.add("summary-missing", uri, "is gone; the job log's is used")
        return claimed.summary
    if claimed is not None and summary.get("jobId") != claimed.job_id:
        raise RefusedError(
            f"{target} now holds the output of job {summary.get('jobId')}, not of {claimed.job_id}; verify that"
        )
    _check_summary(summary, uri, claimed, findings)
    return summary


def _check_summary(summary: Mapping[str, Any], uri: str, claimed: Claimed | None, findings: Findings) -> None:
    said = summary.get("crc32c")
    if said is None and "shardsFile" not in summary:
        findings.add("not-checked", uri, "is of a version that gave summaries no checksum of their own")
    elif said != summary_crc32c(summary):
        findings.add(
            "summary-changed", uri, "was edited: it does not have the checksum that it says of itself"
        )
    if claimed is None:
        return
    compared = ("crc32c", "files", "lines", "outputBytes", "shards", "shardsFile")
    for name in compared:
        if name in claimed.summary and summary.get(name) != claimed.summary[name]:
            findings.add(
                "summary-changed",
                uri,
                f"says {name} {summary.get(name)!r} where the job log has {claimed.summary[name]!r}",
            )


def find_list(
    store: Store, target: str, summary: Mapping[str, Any], findings: Findings
) -> list[PublishedFile] | None:
    """The list of published files; None where there is none to go by, which is told."""
    uri = shards_uri(target)
    told = summary.get("shardsFile")
    try:
        listed = list(read_shard_list(store, target))
    except ObjectNotFoundError:
        if told is None:
            text = "there is none: the output is of a version that kept no list of its shards"
            findings.add("not-checked", uri, text)
        else:
            findings.add("list-missing", uri, "is gone, so that neither shards nor lines can be looked at")
        return None
    except StorageError as e:
        findings.add("list-changed", uri, f"cannot be read: {e}")
        return None
    with store.open_read(uri) as stream:
        while stream.read(1 << 20):
            pass
        found = {"bytes": stream.size, "crc32c": stream.crc32c}
    if isinstance(told, Mapping):
        for name, value in found.items():
            if told.get(name) != value:
                text = f"was edited: its {name} is {value!r} where the summary has {told.get(name)!r}"
                findings.add("list-changed", uri, text)
                break
    return listed


def check_totals(summary: Mapping[str, Any], totals: Totals, uri: str, findings: Findings) -> None:
    """The summary's numbers against the sums over the ledger's records."""
    files = summary.get("files")
    said = {
        **dict.fromkeys(("skipped", "skippedBytes"), 0),  # a summary of before there were such files
        **(files if isinstance(files, Mapping) else {}),
        **{name: summary.get(name) for name in ("compressedBytes", "rawBytes", "outputBytes", "lines")},
        **{name: summary[name] for name in ("skippedBytes",) if name in summary},
    }
    summed = {
        "listed": totals.listed,
        "complete": totals.complete,
        "failed": totals.failed,
        "skipped": totals.skipped,
        "skippedBytes": totals.skipped_bytes,
        "noted": totals.noted,
        "compressedBytes": totals.size,
        "rawBytes": totals.raw_bytes,
        "outputBytes": totals.output_bytes,
        "lines": totals.lines,
    }
    if summary.get("view") is not None:
        said |= {name: summary.get(name) for name in ("rows", "badLines")}
        summed |= {"rows": totals.lines, "badLines": totals.bad_lines}
        if summary.get("format") != "ndjson":
            del summed["outputBytes"]  # no sum over files: of a header, or of what files share
    for name, value in summed.items():
        if said.get(name) != value:
            text = f"says {_number(said.get(name))} {name} where the ledger's records sum up to {value:,}"
            findings.add("totals-differ", uri, text)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else repr(value)

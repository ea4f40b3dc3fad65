"""The files that a job read, against the store of today: still there, the same version, the same bytes.

The job's patterns are listed again, which asks for a thousand files at a time; what no listing gives is asked for one
by one. Files that have come since are told, and refute nothing: the output is of what was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any

from pipeline.errors import ObjectNotFoundError
from pipeline.inputs.matching import list_matches, literal_uri
from pipeline.proof.findings import Findings
from pipeline.proof.records import Known, Records
from pipeline.storage import Entry, Store
from pipeline.uri import SEPARATOR

_LOOKUPS = 24
_AT_A_TIME = 1000


def check_sources(
    store: Store,
    records: Records,
    summary: Mapping[str, Any],
    patterns: Sequence[str] | None,
    findings: Findings,
) -> None:
    """Each file of the ledger, and each that matches the job's patterns (None where they are not known)."""
    times = (_time(summary.get("startedAt")), _time(summary.get("finishedAt")))
    if patterns is None:
        text = "files that came later are not looked for: the summary has not all of the job's patterns; give its id"
        findings.add("not-checked", str(summary.get("target")), text)
    for pattern in patterns or ():
        if literal_uri(pattern) is None:
            _check_listed(store, records, pattern, times, findings)
    alone = patterns is None or any(literal_uri(pattern) is not None for pattern in patterns)
    for record, entry in _looked_up(store, records.unseen(), ask=alone):
        _check(record, entry, times, findings)


def _check_listed(
    store: Store, records: Records, pattern: str, times: tuple[Any, Any], findings: Findings
) -> None:
    try:
        for entry in list_matches(store, pattern):
            record = records.find(entry.uri)
            if record is not None:
                if not record.seen:  # patterns overlap
                    _check(record, entry, times, findings)
            elif not records.has_members_of(entry.uri) and records.is_newcomer(entry.uri):
                _tell_newcomer(entry, times[0], findings)
    except ObjectNotFoundError as e:
        findings.add("sources-gone", pattern, f"cannot be listed: {e}")


def _looked_up(store: Store, records: Iterable[Known], *, ask: bool) -> Iterator[tuple[Known, Entry | None]]:
    """Files that no listing gave, each with what the store says of it; nothing where it need not be asked."""

    def look(record: Known) -> Entry | None:
        try:
            # An archive itself is in no listing, and what is in one may have shown when it was read.
            asked = ask or not record.complete or SEPARATOR in record.uri
            return store.stat(record.uri) if asked else None
        except ObjectNotFoundError:
            return None

    records = iter(records)
    with ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="verify-source") as pool:
        while some := list(islice(records, _AT_A_TIME)):
            yield from zip(some, pool.map(look, some), strict=True)


def _check(record: Known, entry: Entry | None, times: tuple[Any, Any], findings: Findings) -> None:
    """One file. One that failed has nothing in the output, so that a change of it is only told."""
    findings.checked["files"] += 1
    if record.status == "skipped":
        return  # nothing of it is in the output, and what it holds another file had
    if entry is None:
        kind = "source-gone" if record.complete else "failed-source-gone"
        findings.add(kind, record.uri, "is gone")
        return
    replaced = None not in (record.generation, entry.generation) and record.generation != entry.generation
    if not record.complete:
        if replaced:
            text = (
                f"failed, and was replaced since (generation {entry.generation}); `jobs retry` reads it again"
            )
            findings.add("failed-source-replaced", record.uri, text)
        return
    same = entry.size == record.size and (
        entry.crc32c == record.crc32c or None in (entry.crc32c, record.crc32c)
    )
    if replaced:
        since = f" since {entry.updated}" if entry.updated else ""
        bytes_ = (
            "the same bytes" if same else f"other bytes ({entry.size:,}, where {record.size:,} were read)"
        )
        text = f"was replaced by {bytes_}: generation {record.generation} was read, {entry.generation} stands{since}"
        findings.add("source-replaced", record.uri, text)
    elif not same:
        stands = f"{entry.size:,} bytes (CRC-32C {entry.crc32c or 'unknown'})"
        text = f"holds {stands} where {record.size:,} ({record.crc32c}) were read"
        findings.add("source-changed", record.uri, text)
    elif entry.generation is None and _is_later(entry.updated, times[1]):
        findings.add(
            "source-newer", record.uri, f"was written {entry.updated}, after the job; --deep reads it"
        )


def _tell_newcomer(entry: Entry, started: datetime | None, findings: Findings) -> None:
    """A file without a record. A bucket's own time tells whether the job must have seen it; a local file's does not."""
    written = _time(entry.updated)
    if entry.generation is not None and written and started and written < started:
        text = f"has no record in the ledger, but was there since {entry.updated}, before the job began"
        findings.add("source-unrecorded", entry.uri, text)
    else:
        findings.add(
            "source-new", entry.uri, f"is not in the output: written {entry.updated}, no record in the ledger"
        )


def _is_later(stamp: str | None, than: datetime | None) -> bool:
    written = _time(stamp)
    return written is not None and than is not None and written > than


def _time(stamp: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else None

"""The published files against the list that was made of them when they were: none missing, none more, none changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ObjectNotFoundError
from pipeline.proof.findings import Findings
from pipeline.storage import Entry, Store, join
from pipeline.write.shard_list import PublishedFile

_READERS = 8  # files read at a time
_READ_BYTES = 1 << 20
_NUMBERED = re.compile(r"(output|ledger)-(\d{5,})-of-(\d{5,})\.ndjson")


@dataclass(frozen=True)
class Measured:
    """What a file holds, as read."""

    size: int
    lines: int
    crc32c: str


def check_files(
    store: Store, target: str, listed: Sequence[PublishedFile], findings: Findings
) -> frozenset[str]:
    """Hold what stands at the target against the list; the names of shards that are missing or changed.

    A bucket knows the checksum of what it holds, and of equal bytes nothing needs to be read; local files are read.
    """
    contents = {
        name: entry for kind in ("output", "ledger") for name, entry in _contents(store, target, kind)
    }
    wanted = {file.name for file in listed}
    for name in contents.keys() - wanted:
        findings.add(
            _kind(name, "extra"), join(target, name), "is not one of the files that the job published"
        )
    changed = set()
    with ThreadPoolExecutor(_READERS, thread_name_prefix="verify-file") as pool:
        looked_at = pool.map(lambda file: _look(store, file, contents.get(file.name)), listed)
        for file, text in zip(listed, looked_at, strict=True):
            findings.checked["shards" if file.kind == "output" else "ledgerFiles"] += 1
            if text is None:
                continue
            changed.add(file.name)
            missing = file.name not in contents
            findings.add(_kind(file.name, "missing" if missing else "changed"), join(target, file.name), text)
    return frozenset(changed)


def _look(store: Store, file: PublishedFile, entry: Entry | None) -> str | None:
    """How a file differs from what was published; None where it does not."""
    if entry is None:
        return f"is missing, with its {file.lines:,} lines"
    if entry.crc32c is not None and (entry.size, entry.crc32c) == (file.size, file.crc32c):
        return None
    try:
        return difference(file, measure(store, entry.uri))
    except ObjectNotFoundError:
        return f"is missing, with its {file.lines:,} lines"


def difference(file: PublishedFile, found: Measured) -> str | None:
    """How what was read differs from what was published, in lines if it does in those."""
    if file.suffix != "ndjson":
        same = found.size == file.size and file.crc32c in (None, found.crc32c)
        was = f"{file.size:,} bytes with the CRC-32C {file.crc32c}"
        return None if same else f"holds {found.size:,} bytes ({found.crc32c}) where {was} were published"
    if (found.size, found.lines) == (file.size, file.lines):
        if file.crc32c is None or found.crc32c == file.crc32c:
            return None
        return (
            f"has other bytes than were published, as many and in as many lines: "
            f"its CRC-32C is {found.crc32c} where {file.crc32c} was published"
        )
    much = (
        f"{found.size:,} bytes in {found.lines:,} lines where {file.size:,} in {file.lines:,} were published"
    )
    more = found.lines - file.lines
    if not more:
        return f"holds {much}"
    lines = "1 line" if abs(more) == 1 else f"{abs(more):,} lines"
    return f"{'has' if more > 0 else 'lacks'} {lines}{' too many' if more > 0 else ''}: it holds {much}"


def measure(store: Store, uri: str) -> Measured:
    """Read a file to its end. Raises StorageError."""
    lines = 0
    with store.open_read(uri) as stream:
        while block := stream.read(_READ_BYTES):
            lines += block.count(b"\n")
        stream.verify()
        return Measured(stream.size, lines, stream.crc32c)


def check_without_list(
    store: Store, target: str, summary: Mapping[str, Any], findings: Findings, *, deep: bool
) -> None:
    """The shards of an output without a list, by the summary alone: their names, their bytes, their lines if read."""
    found = [(name, entry) for name, entry in _contents(store, target, "output") if _NUMBERED.search(name)]
    total = summary.get("shards")
    names = {name for name, _ in found}
    wanted = (
        {f"output/output-{i:05d}-of-{total:05d}.ndjson" for i in range(total)}
        if type(total) is int
        else names
    )
    for name in sorted(wanted - names):
        findings.add(
            "shard-missing", join(target, name), f"is missing; the summary tells of {total:,} shards"
        )
    for name in sorted(names - wanted):
        findings.add(
            "shard-extra", join(target, name), f"is one too many; the summary tells of {total:,} shards"
        )
    findings.checked["shards"] += len(found)
    _compare(summary, "outputBytes", sum(entry.size for _, entry in found), target, findings)
    if deep or not target.startswith("gs://"):
        with ThreadPoolExecutor(_READERS, thread_name_prefix="verify-file") as pool:
            measured = pool.map(lambda entry: measure(store, entry.uri), (entry for _, entry in found))
            _compare(summary, "lines", sum(one.lines for one in measured), target, findings)


def _compare(summary: Mapping[str, Any], name: str, found: int, target: str, findings: Findings) -> None:
    if summary.get(name) != found:
        text = f"hold {found:,} {name} together where the summary has {summary.get(name)!r}"
        findings.add("shards-differ", join(target, "output/"), text)


def _contents(store: Store, target: str, kind: str) -> Iterator[tuple[str, Entry]]:
    folder = join(target, kind) + "/"
    for entry in store.list_objects(folder):
        yield f"{kind}/{entry.uri.removeprefix(folder)}", entry


def _kind(name: str, what: str) -> str:
    return f"{'shard' if name.startswith('output/') else 'ledger'}-{what}"

"""The lines that a job wrote, block by block, held to what its summary says of them. No pandas."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any

from pipeline.errors import StorageError
from pipeline.read.lines import whole_lines
from pipeline.storage import Store, join
from pipeline.target.layout import shard_uri, summary_uri

_READ_BYTES = 1 << 20


def output_shards_of(store: Store, target: str, summary: Mapping[str, Any]) -> list[str]:
    """The URIs of the shards, in order, once they are known to be those that the summary tells of.

    Raises StorageError where the summary has no such numbers, and where shards are missing or of another size.
    """
    check_numbers(summary, target)
    total = int(summary["shards"])
    expected = [shard_uri(target, "output", index, total) for index in range(total)]
    prefix = join(target, "output", "output-")
    sizes = {entry.uri: entry.size for entry in store.list_objects(prefix, recursive=False)}
    if missing := [uri for uri in expected if uri not in sizes]:
        raise StorageError(missing[0], f"is missing, with which {len(missing):,} of {total:,} shards are")
    held = sum(sizes[uri] for uri in expected)
    if held != summary["outputBytes"]:
        raise StorageError(
            target,
            f"its shards hold {held:,} bytes where the job wrote {summary['outputBytes']:,}: they were changed "
            "since; run the job again",
        )
    return expected


def check_numbers(summary: Mapping[str, Any], target: str) -> None:
    """Raise StorageError unless a summary says how many lines, shards and bytes there are."""
    if not all(type(summary.get(name)) is int for name in ("shards", "outputBytes", "lines")):
        raise StorageError(summary_uri(target), "is not what a job wrote: it has no numbers of the output")


def output_blocks(
    store: Store, shards: Sequence[str], lines: int, target: str
) -> Generator[bytes, None, None]:
    """Every line, in blocks of whole ones; raises StorageError at the end unless there were so many."""
    seen = 0
    for uri in shards:
        with store.open_read(uri) as stream:
            for block in whole_lines(iter(partial(stream.read, _READ_BYTES), b"")):
                seen += block.count(b"\n")
                yield block
            stream.verify()
    if seen != lines:
        raise StorageError(target, f"its shards hold {seen:,} lines where the job wrote {lines:,}")

"""python -m benchmarks.shard_plan PARTS: plan 100 shards of so many parts, as a job with --shards 100 does."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

from pipeline.ledger import Part
from pipeline.write.groups import GroupIndex, index_of
from pipeline.write.parts_in_order import PartsInOrder
from pipeline.write.shards import CutAt, plan_cuts, plan_shards

_FOLDER = "gs://bucket/out/_chimera/job/output"
_GROUPS = 4096
_LINES = 10
_SHARDS = 100


def indexes(parts: int) -> Iterator[GroupIndex]:
    for group in range(_GROUPS):
        yield index_of(f"{group:03x}", (_part(group, number) for number in range(parts // _GROUPS)))


def _part(group: int, number: int) -> Part:
    digits = hashlib.blake2b(f"{group} {number}".encode(), digest_size=16).hexdigest()
    name = f"part-{group:03x}{digits[3:]}-00000.ndjson"
    return Part(f"{_FOLDER}/{name}", 100 * _LINES, _LINES, "AAAAAA==", 1)


def main(wanted: int) -> None:
    parts = PartsInOrder(indexes(wanted), _FOLDER)
    cuts = {
        cut.part.uri: CutAt(
            cut.part.uri, tuple(100 * line for line in cut.lines), ("AAAAAA==",) * (len(cut.lines) + 1)
        )
        for cut in plan_cuts(parts, _SHARDS)
    }
    shards = plan_shards(parts, cuts, _SHARDS)
    copied = sum(piece.size for shard in shards for piece in parts.between(shard.start, shard.end))
    if copied != parts.size or len(shards) != _SHARDS:
        raise ValueError(f"{copied:,} bytes of {parts.size:,} are in {len(shards):,} shards")


if __name__ == "__main__":
    main(int(sys.argv[1]))

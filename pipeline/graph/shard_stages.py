"""The stages that lay an output out anew, into as many shards as are wanted: they wire, other modules compute.

    PlanCuts -> LocateCuts -> PlanShards -> WriteShards -> CheckShards

Each knows the parts by the indexes of their groups, and unpacks one group at a time.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList

from pipeline.ledger import Part
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import parts_folder, shard_name
from pipeline.write.groups import GroupIndex
from pipeline.write.line_offsets import CopiedPlaces, RowsInOne
from pipeline.write.parts_in_order import PartsInOrder
from pipeline.write.shards import Cut, CutAt, Shard, check_shards, locate, plan_cuts, plan_shards, write_shard


class WriteShards(beam.DoFn):
    """A Shard, beside the indexes of all parts -> the Part that it is written to."""

    def __init__(self, store: Store, spec: JobSpec) -> None:
        self._store, self._owner = store, spec.job_id
        self._of, self._folder = (
            parts_folder(spec.target, spec.job_id, kind) for kind in ("output", "shards")
        )
        self._parts: PartsInOrder | None = None

    def start_bundle(self) -> None:
        self._parts = None

    def process(self, shard: Shard, indexes: list[GroupIndex]) -> Iterator[Part]:
        if self._parts is None:
            self._parts = PartsInOrder(indexes, self._of)
        yield write_shard(self._store, shard, self._parts, self._folder, self._owner)


class Repartition(beam.PTransform):
    """Indexes of the parts -> {written, layout}: the Parts that as many shards as are wanted of the same lines are
    written to; and what `places_of_shards` takes.
    """

    def __init__(self, store: Store, spec: JobSpec, shards: int) -> None:
        super().__init__()
        self._shards = shards
        self._folder = parts_folder(spec.target, spec.job_id, "output")
        self._locate = partial(locate, store)
        self._write = WriteShards(store, spec)

    def expand(self, indexes: Any) -> Any:
        once = indexes.pipeline | "Once" >> beam.Create([None])
        of, wanted = AsList(indexes), (self._folder, self._shards)
        cuts = (
            once
            | "PlanCuts" >> beam.FlatMap(_plan_cuts, of, *wanted)
            | "SpreadCuts" >> beam.Reshuffle()
            | "LocateCuts" >> beam.Map(self._locate)
        )
        planned = once | "PlanShards" >> beam.FlatMap(_plan_shards, of, AsList(cuts), *wanted)
        written = planned | "SpreadShards" >> beam.Reshuffle() | "WriteShards" >> beam.ParDo(self._write, of)
        checked = once | "CheckShards" >> beam.FlatMap(_check_shards, of, AsList(written), self._folder)
        return {"written": checked, "layout": (indexes, planned) | "Layout" >> beam.Flatten()}


def places_of_shards(folder: str, layout: Sequence[GroupIndex | Shard]) -> CopiedPlaces:
    """Where the lines of the parts in a folder are, by their indexes and the shards that were made of them."""
    shards = sorted(each for each in layout if isinstance(each, Shard))
    indexes = [each for each in layout if isinstance(each, GroupIndex)]
    names = [shard_name("output", shard.index, shard.total) for shard in shards]
    return CopiedPlaces(PartsInOrder(indexes, folder), [shard.start for shard in shards], names)


def places_in_workbook(folder: str, indexes: Sequence[GroupIndex]) -> RowsInOne:
    """Where the rows of the parts in a folder are in the one workbook."""
    return RowsInOne(PartsInOrder(indexes, folder), shard_name("output", 0, 1, "xlsx"))


def _plan_cuts(_: None, indexes: list[GroupIndex], folder: str, shards: int) -> list[Cut]:
    return plan_cuts(PartsInOrder(indexes, folder), shards)


def _plan_shards(
    _: None, indexes: list[GroupIndex], cuts: list[CutAt], folder: str, shards: int
) -> list[Shard]:
    return plan_shards(PartsInOrder(indexes, folder), {cut.uri: cut for cut in cuts}, shards)


def _check_shards(_: None, indexes: list[GroupIndex], shards: list[Part], folder: str) -> list[Part]:
    return list(check_shards(PartsInOrder(indexes, folder), shards))

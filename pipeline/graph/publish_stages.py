"""The stages that end a job, Publish: they wire, other modules compute.

Parts are grouped by their names, and the groups spread over all workers. Between them stands what one worker does for
all: it has the sums over each group, not the parts.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton, TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.graph.bundle_end import in_global_window
from pipeline.inputs.unmatched import Unmatched
from pipeline.ledger import Part, Totals
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.joined import told_since
from pipeline.target.layout import parts_folder
from pipeline.write.groups import GroupIndex, group_of, index_of, pack_part, unpack_part
from pipeline.write.line_offsets import Places, resolved
from pipeline.write.parts import PartWriter
from pipeline.write.publish import Plan, PublishedGroup, begin, finish, judge_published, publish_groups
from pipeline.write.shard_list import write_shard_list

_INDEXES = "indexes"
_FILES_AT_ONCE = 1024  # that are waited for together
_HELD_BYTES = 8 << 20  # of ledger files that are read at once
_SMALL_BYTES = 1 << 20  # of one of them; a larger one is read by itself


class DescribeGroups(beam.DoFn):
    """(key, the packed parts of the group) -> its GroupTotals, and under _INDEXES its GroupIndex."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def process(self, group: tuple[str, Iterable[bytes]]) -> Iterator[Any]:
        index = index_of(group[0], (unpack_part(packed, self._folder) for packed in group[1]))
        yield index.totals
        yield TaggedOutput(_INDEXES, index)


class GroupParts(beam.PTransform):
    """Parts in the job's folder of a kind -> {packed, totals, indexes}: of groups, (key, packed parts) and the like."""

    def __init__(self, spec: JobSpec, kind: str) -> None:
        super().__init__()
        self._folder = parts_folder(spec.target, spec.job_id, kind)

    def expand(self, parts: Any) -> Any:
        groups = parts | "Key" >> beam.Map(_keyed, self._folder) | "Group" >> beam.GroupByKey()
        describe = beam.ParDo(DescribeGroups(self._folder))
        told = groups | "Describe" >> describe.with_outputs(_INDEXES, main="totals")
        return {"packed": groups, "totals": told["totals"], "indexes": told[_INDEXES]}


class PlaceRecords(beam.DoFn):
    """Ledger files -> fewer of them, with shards in their records where parts were.

    `places` makes of the side input what knows where a part's lines are.
    """

    def __init__(self, store: Store, spec: JobSpec, places: Callable[[Sequence[Any]], Places]) -> None:
        self._store = store
        self._folder, self._owner = parts_folder(spec.target, spec.job_id, "ledger"), spec.job_id
        self._make_places = places
        self._places: Places | None = None
        self._waiting: list[Part] = []
        self._held = 0  # bytes of those
        self._writer: PartWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed
        self._places, self._waiting, self._held = None, [], 0
        self._writer = PartWriter(self._store, self._folder, owner=self._owner)

    def process(self, ledger: Part, layout: list[Any]) -> Iterator[Part]:
        if self._places is None:
            self._places = self._make_places(layout)
        self._waiting.append(ledger)
        self._held += ledger.size
        if self._held >= _HELD_BYTES or len(self._waiting) >= _FILES_AT_ONCE:
            yield from self._written()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._writer is not None:
            yield from map(in_global_window, (*self._written(), *self._writer.finish()))
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:
            self._writer.abort()
            self._writer = None

    def _written(self) -> Iterator[Part]:
        waiting, self._waiting, self._held = self._waiting, [], 0
        for blocks in self._resolved(waiting):
            for block in blocks:
                if self._writer is not None:
                    yield from self._writer.write(block)
            if self._writer is not None:
                yield from self._writer.end_file()

    def _resolved(self, ledgers: Sequence[Part]) -> Iterator[Iterable[bytes]]:
        """The blocks of each ledger file: of the small ones, which are read many at once, as they came."""
        places, read = self._places, dict[str, list[bytes]]()
        if places is None:
            return

        def read_small(ledger: Part) -> None:
            read[ledger.uri] = list(resolved(self._store, ledger.uri, places))

        small = [ledger for ledger in ledgers if ledger.size <= _SMALL_BYTES]
        self._store.run_each(read_small, small)
        yield from (read.pop(ledger.uri) for ledger in small)
        for ledger in ledgers:
            if ledger.size > _SMALL_BYTES:
                yield resolved(self._store, ledger.uri, places)


class PublishGroups(beam.DoFn):
    """(key, the packed parts of the group) -> a PublishedGroup, once they have their final names."""

    def __init__(self, store: Store, spec: JobSpec, kind: str, parts: str) -> None:
        self._publish = partial(publish_groups, store, spec, kind=kind)
        self._folder = parts_folder(spec.target, spec.job_id, parts)
        self._waiting: dict[str, list[Part]] = {}
        self._plan: Plan | None = None

    def start_bundle(self) -> None:
        self._waiting, self._plan = {}, None

    def process(self, group: tuple[str, Iterable[bytes]], plan: Plan) -> Iterator[PublishedGroup]:
        self._plan = plan
        self._waiting[group[0]] = [unpack_part(packed, self._folder) for packed in group[1]]
        # Together: a group by itself would have the threads wait for its last part.
        if sum(map(len, self._waiting.values())) >= _FILES_AT_ONCE:
            yield from self._published()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from map(in_global_window, self._published())

    def _published(self) -> list[PublishedGroup]:
        waiting, self._waiting = self._waiting, {}
        return self._publish(plan=self._plan, groups=waiting) if self._plan is not None and waiting else []


class DeleteRecords(beam.DoFn):
    """Ledger files as the workers wrote them: deleted by all workers, since they are many."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[str] = []

    def start_bundle(self) -> None:
        self._waiting = []

    def process(self, ledger: Part, _published: Plan) -> None:
        self._waiting.append(ledger.uri)

    def finish_bundle(self) -> None:
        self._store.delete(self._waiting)


class Publish(beam.PTransform):
    """{output, ledger, records, listed, totals, unmatched, inventory if there is one} -> the summary.

    `output` and `ledger` are as GroupParts gives them, the output's parts being in the folder of `kind`; `records` are
    the ledger files that those of `ledger` were made of; `listed` and `totals` one element each, how many files there
    are and the sums over their records.
    """

    def __init__(self, store: Store, spec: JobSpec, about: Mapping[str, Any], kind: str = "output") -> None:
        super().__init__()
        self._store, self._spec, self._about, self._kind = store, spec, about, kind

    def expand(self, given: Any) -> Any:
        store, spec = self._store, self._spec
        output, ledger, totals = given["output"], given["ledger"], AsSingleton(given["totals"])
        once = given["totals"].pipeline | "EndOnce" >> beam.Create([None])
        listed = once | "ListShards" >> beam.Map(
            partial(_list_shards, store, spec), AsList(output["indexes"]), AsList(ledger["indexes"])
        )
        plan = once | "Begin" >> beam.Map(
            partial(_begin, store, spec),
            listed=AsSingleton(given["listed"]),
            totals=totals,
            output=AsList(output["totals"]),
            ledger=AsList(ledger["totals"]),
            published=AsSingleton(listed),
        )
        ledger_done = ledger["packed"] | "PublishLedger" >> beam.ParDo(
            PublishGroups(store, spec, "ledger", "ledger"), AsSingleton(plan)
        )
        judged = once | "Judge" >> beam.Map(
            partial(_judge, spec), AsSingleton(plan), totals, AsList(ledger_done)
        )
        given["records"] | "DeleteRecords" >> beam.ParDo(DeleteRecords(store), AsSingleton(judged))
        output_done = output["packed"] | "PublishOutput" >> beam.ParDo(
            PublishGroups(store, spec, "output", self._kind), AsSingleton(judged)
        )
        return once | "Publish" >> beam.Map(
            partial(_finish, store, spec, self._about),
            plan=AsSingleton(judged),
            totals=totals,
            unmatched=AsSingleton(given["unmatched"]),
            done=AsList(output_done),
            **({"inventory": AsSingleton(given["inventory"])} if "inventory" in given else {}),
        )


def _keyed(part: Part, folder: str) -> tuple[str, bytes]:
    return group_of(part.folder, part.name), pack_part(part, folder)


def _list_shards(
    store: Store, spec: JobSpec, _: None, output: list[GroupIndex], ledger: list[GroupIndex]
) -> Part:
    folder = parts_folder(spec.target, spec.job_id, "published")
    return write_shard_list(store, output, ledger, spec.job_id, folder)


def _begin(store: Store, spec: JobSpec, _: None, **given: Any) -> Plan:
    return begin(store, spec, **given)


def _judge(spec: JobSpec, _: None, plan: Plan, totals: Totals, done: list[PublishedGroup]) -> Plan:
    return judge_published(plan, spec, totals, done)


def _finish(
    store: Store,
    spec: JobSpec,
    about: Mapping[str, Any],
    _: None,
    *,
    unmatched: Unmatched,
    inventory: dict[str, Any] | None = None,
    **given: Any,
) -> dict[str, Any]:
    about = {**about, "unmatched": unmatched.to_json(), **told_since(store, spec)}
    if inventory:
        about["inventory"] = inventory
    return finish(store, spec, about=about, **given)

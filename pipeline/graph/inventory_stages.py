"""Files from an inventory report in place of a listing: its shards are read by all workers.

    ReadManifest -> SpreadShards -> ReadShards -> CheckRows

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.errors import JobError
from pipeline.graph.archive_stages import LookedFor
from pipeline.graph.elements import UNMATCHED
from pipeline.graph.list_stages import ARCHIVES, ROWS, FilesFound
from pipeline.inputs.inventory import InventoryShard, objects, read_inventory
from pipeline.spec import JobSpec
from pipeline.storage import Store

_TOLD = "told"  # the tag of what the summary says of a report
_log = logging.getLogger(__name__)


class ReadManifest(beam.DoFn):
    """The URI of a manifest -> the shards of its report; under ROWS how many rows they are to have together, under
    _TOLD what the summary says of it.
    """

    def __init__(self, store: Store, bucket: str) -> None:
        self._store, self._bucket = store, bucket

    def process(self, manifest: str) -> Iterator[Any]:
        inventory = read_inventory(self._store, manifest, self._bucket)
        yield from inventory.shards
        yield TaggedOutput(ROWS, inventory.rows)
        told = inventory.to_json(datetime.now(UTC))
        if told["note"]:
            _log.warning("%s", told["note"])
        yield TaggedOutput(_TOLD, told)


class ReadShards(FilesFound):
    """A shard -> the files in it that the job looks for, as FilesFound has them; under ROWS how many rows it has, as a
    negative number.

    A file that is named without a wildcard is given by its listing.
    """

    def __init__(self, store: Store, target: str, looked_for: LookedFor) -> None:
        super().__init__(target, looked_for)
        self._store = store

    def process(self, shard: InventoryShard) -> Iterator[Any]:
        listings, rows = self._looked_for.listings(), 0
        for in_batch, found in objects(self._store, shard, listings):
            rows += in_batch
            for entry, taken, in_folder in listings.among(found):
                yield from self._found(entry, taken=taken, in_folder=in_folder)
        yield TaggedOutput(ROWS, -rows)


class ListInventory(beam.PTransform):
    """The pipeline's root -> {files, ARCHIVES, UNMATCHED}, as a listing gives them; under ROWS one 0; and `inventory`,
    what the summary says of the report.

    The 0 comes when as many rows were read as the report has: what ends a job has to wait for it.
    """

    def __init__(self, store: Store, spec: JobSpec, looked_for: LookedFor) -> None:
        super().__init__()
        self._uri = spec.inventory
        self._manifest = ReadManifest(store, spec.bucket)
        self._read = ReadShards(store, spec.target, looked_for)

    def expand(self, root: Any) -> Any:
        shards = (
            root
            | "Manifest" >> beam.Create([self._uri])
            | "ReadManifest" >> beam.ParDo(self._manifest).with_outputs(ROWS, _TOLD, main="shards")
        )
        found = (
            shards["shards"]
            | "SpreadShards" >> beam.Reshuffle()
            | "ReadShards" >> beam.ParDo(self._read).with_outputs(ARCHIVES, UNMATCHED, ROWS, main="files")
        )
        rows = (
            (shards[ROWS], found[ROWS])
            | "Rows" >> beam.Flatten()
            | "SumRows" >> beam.CombineGlobally(sum)
            | "CheckRows" >> beam.Map(_check_rows, self._uri)
        )
        given = {tag: found[tag] for tag in ("files", ARCHIVES, UNMATCHED)}
        return {**given, ROWS: rows, "inventory": shards[_TOLD]}


def _check_rows(missing: int, manifest: str) -> int:
    if missing:
        how = f"{abs(missing):,} {'fewer' if missing > 0 else 'more'}"
        raise JobError(
            f"the shards of the inventory report {manifest} have {how} rows than it says: one was cut off, or written "
            "anew. Nothing was published; run the job with another report, or without --inventory"
        )
    return missing

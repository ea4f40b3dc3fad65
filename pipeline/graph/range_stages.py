"""The stages of large files, each of which is decoded by several workers.

    Reshuffle -> DecodeRanges -> GroupByKey -> JoinRanges -> ReadInOrder -> WriteInOrder

A range writes its lines to parts of its own, and tells what it found. Only where the ranges of a file prove to be all
of it do their parts count; else they are deleted, and the file is read in order like any other.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.core import RestrictionProvider

from pipeline.errors import BadFileError
from pipeline.graph.counters import count_only, count_reading
from pipeline.graph.elements import RECORDS, decode_uri, encode_file
from pipeline.graph.read_stages import FOUND, LARGE, ReadAndDecompressGCSFile
from pipeline.graph.write_stages import WriteParts
from pipeline.inputs.packets import ListedFile
from pipeline.ledger import Part
from pipeline.progress import tally_once
from pipeline.read.large import LargeFile, RangeFaultError, RangeReader, record_of
from pipeline.read.ranges import RangeRead
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import parts_folder
from pipeline.write.parts import PartWriter

IN_ORDER = "in-order"  # the tag of files that are read in order after all
RANGE_BYTES = 64 << 20  # stored bytes
# Of some ten seconds of one core, a range decodes one block in vain; of a smaller file's, of a second.
_RANGES = 8  # at least, so that several workers have several each, and none waits long for the last
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LargeJob:
    """A large file, with what its parts are called after: names in the order of its ranges, with no other between."""

    file: LargeFile
    name: str

    @property
    def range_bytes(self) -> int:
        return min(RANGE_BYTES, -(-self.file.size // _RANGES))


@dataclass(frozen=True)
class RangeFound:
    """What became of a range; `found` is None where the file cannot be read this way."""

    job: LargeJob
    found: RangeRead | None


class Ranges(RestrictionProvider):
    """The bytes of a large file, dealt out in ranges, which a runner may cut further while they are decoded."""

    def initial_restriction(self, job: LargeJob) -> OffsetRange:
        return OffsetRange(0, job.file.size)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def split(self, job: LargeJob, restriction: OffsetRange) -> Iterator[OffsetRange]:
        return restriction.split(job.range_bytes)

    def restriction_size(self, job: LargeJob, restriction: OffsetRange) -> int:  # noqa: ARG002 - Beam's name
        return restriction.size()


class DecodeRanges(beam.DoFn):
    """A large file and a range of it -> what was found there, with the parts its lines were written to."""

    def __init__(self, store: Store, folder: str, job_id: str, max_ratio: int) -> None:
        self._store, self._folder, self._job_id, self._max_ratio = store, folder, job_id, max_ratio

    def process(
        self,
        job: LargeJob,
        tracker: Any = beam.DoFn.RestrictionParam(Ranges()),  # noqa: B008 - how Beam is told
    ) -> Iterator[tuple[bytes, RangeFound]]:
        element = encode_file(ListedFile(job.file.uri, job.file.size, job.file.generation))
        bounds, claims = tracker.current_restriction(), _Claims(tracker)
        name = f"{job.name}-{bounds.start:014d}-{uuid.uuid4().hex[:8]}"
        writer = PartWriter(self._store, self._folder, owner=self._job_id, name=name)
        parts: list[Part] = []
        reader = RangeReader(
            self._store,
            job.file,
            lambda piece: parts.extend(writer.write(piece)),
            self._max_ratio,
            count_reading,
        )
        try:
            found = reader.read(bounds.start, bounds.stop, claims.claim)
            parts.extend(writer.finish())
        except RangeFaultError as e:
            _log.info("%s: %s; it is read in order", job.file.uri, e)
            writer.abort()
            self._store.delete(part.uri for part in parts)
            yield element, RangeFound(job, None)
        except BaseException:
            writer.abort()
            raise
        else:
            if found is not None:
                yield element, RangeFound(job, replace(found, parts=tuple(parts)))
        claims.claim_rest()


class _Claims:
    """What of a range is claimed, a place at a time, each behind the one before."""

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self._at = tracker.current_restriction().start - 1
        self._ended = False

    def claim(self, at: int) -> int:
        """From which place on they are another range's, once all up to this one are claimed, or as many as can be."""
        self._at = at
        self._ended = not self._tracker.try_claim(at)
        return int(self._tracker.current_restriction().stop)

    def claim_rest(self) -> None:
        """What is left holds nothing more to be done: no block begins there, or the file is read otherwise."""
        last = self._tracker.current_restriction().stop - 1
        if not self._ended and self._at < last:
            self.claim(last)


class JoinRanges(beam.DoFn):
    """A large file's ranges -> its parts, and its record under RECORDS; under IN_ORDER the file if they are not all."""

    def __init__(self, store: Store, job_id: str, max_ratio: int) -> None:
        self._store, self._job_id, self._max_ratio = store, job_id, max_ratio

    def process(self, element: tuple[bytes, Iterable[RangeFound]]) -> Iterator[Any]:
        uri, several = element
        ranges = list(several)
        name = ranges[0].job.name
        good = [one.found for one in ranges if one.found is not None]
        try:
            if len(good) < len(ranges):
                raise BadFileError("one of its ranges cannot be decoded alone")  # noqa: TRY301 - as the others
            record, whole = record_of(ranges[0].job.file, good, self._max_ratio)
        except BadFileError as e:
            _log.info("%s: %s; it is read in order", decode_uri(uri), e)
            self._store.delete(part.uri for one in good for part in one.parts)
            stored, raw = sum(one.stored.size for one in good), sum(one.raw for one in good)
            count_reading(-stored, -raw)  # reading in order counts these bytes again
            tally_once(name, {"read-bytes": -stored, "raw-bytes": -raw})
            yield TaggedOutput(IN_ORDER, uri)
            return
        first = whole.parts[0].uri if whole.parts else None
        head = len(ranges[0].job.file.head)  # which is before the first block, and no range's
        count_reading(head, 0)
        count_only("read-bytes", record.size)
        count_only("raw-bytes", record.raw_bytes)
        counts = {"read-files": 1, "write-bytes": record.output_bytes, "write-lines": record.lines}
        for counter, amount in counts.items():
            count_only(counter, amount)
        tally_once(name, {"read-bytes": head, **counts})
        yield TaggedOutput(
            RECORDS, replace(record, job_id=self._job_id, shard=first, offset=None if first is None else 0)
        )
        yield from whole.parts


class DecodeLarge(beam.PTransform):
    """Large files -> {parts, records, found}, as of files that are read and written in order.

    What `in_order` reads is written right behind it: blocks that came together with others' would be held, all of them,
    by a runner of one machine.
    """

    def __init__(self, store: Store, spec: JobSpec, in_order: ReadAndDecompressGCSFile) -> None:
        super().__init__()
        folder = parts_folder(spec.target, spec.job_id, "output")
        self._decode = DecodeRanges(store, folder, spec.job_id, spec.max_ratio)
        self._join = JoinRanges(store, spec.job_id, spec.max_ratio)
        self._read, self._write = in_order, WriteParts(store, folder, spec.job_id)

    def expand(self, files: Any) -> Any:
        joined = (
            files
            | "NameParts" >> beam.Map(lambda file: LargeJob(file, uuid.uuid4().hex))
            | "SpreadLarge" >> beam.Reshuffle()
            | "DecodeRanges" >> beam.ParDo(self._decode)
            | "GroupRanges" >> beam.GroupByKey()
            | "JoinRanges" >> beam.ParDo(self._join).with_outputs(RECORDS, IN_ORDER, main="parts")
        )
        read = joined[IN_ORDER] | "ReadInOrder" >> beam.ParDo(self._read).with_outputs(
            FOUND, LARGE, main="read"
        )
        written = read["read"] | "WriteInOrder" >> beam.ParDo(self._write).with_outputs(RECORDS, main="parts")
        return {
            "parts": (joined["parts"], written["parts"]) | "LargeParts" >> beam.Flatten(),
            RECORDS: (joined[RECORDS], written[RECORDS]) | "LargeRecords" >> beam.Flatten(),
            FOUND: read[FOUND],
        }

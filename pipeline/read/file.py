"""Read one file whole: its lines, held back until it has proved good, and its record for the ledger."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.codecs import HEAD_BYTES, Codec, choose_codec, mismatch
from pipeline.codecs.documents import lies_beside
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import (
    AccessDeniedError,
    BadFileError,
    BesideDataError,
    HoldsFilesError,
    ObjectChangedError,
    ObjectNotFoundError,
    ProcessEndedError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.job_options import MAX_RATIO
from pipeline.ledger import FileRecord
from pipeline.progress import tally
from pipeline.read.held_lines import Chunks, HeldLines
from pipeline.read.large import LargeFile, look_at_large
from pipeline.read.opening import own_faults, version_to_open
from pipeline.read.ratio import check_ratio
from pipeline.read.so_far import ReadSoFar
from pipeline.storage import ReadStream, Store
from pipeline.storage.patience import Trials
from pipeline.uri import SEPARATOR, Uri

if TYPE_CHECKING:
    from pipeline.read.held_rows import HeldRows
    from pipeline.sources.view import View

ZIP = "zip"  # the codec
_READINGS = 5  # of one file, where what came was not what is stored, or whoever made its rows has ended
_OF_THE_FILE = (BadFileError, StorageError)  # what makes a failed file, and not a failed bundle
_GONE = (ObjectNotFoundError, ObjectChangedError, AccessDeniedError)  # and what does before a second reading
# More decoders than cores gain nothing, and each holds a megabyte or more.
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


@dataclass(frozen=True)
class ReadOptions:
    """How files are read.

    codec         for `choose_codec`
    keep_partial  also give the whole lines from before a fault
    max_ratio     raw bytes for each stored byte, above which a file is taken for a bomb; 0 for no bound
    spool_bytes   of the temporary disk, for all files of a process; None for as much as is left free
    newest        read whatever version there is, and not only the one that was listed
    archives      leave archives to `pipeline.read.members`; else a zip is read as one file
    view          what makes rows of the lines; None for the lines as they are
    max_bad_lines of a file, that a view may be unable to decode
    split_bytes   leave a file of so many stored bytes, whose format has blocks, to `pipeline.read.large`; 0 for none
    """

    codec: str = "auto"
    keep_partial: bool = False
    max_ratio: int = MAX_RATIO
    spool_bytes: int | None = None
    newest: bool = False
    archives: bool = False
    view: View | None = None
    max_bad_lines: int = 0
    split_bytes: int = 0

    def splits(self, stream: ReadStream) -> bool:
        """Whether a file is so large that it is looked at whether its format has blocks."""
        return bool(self.split_bytes) and SEPARATOR not in stream.uri and stream.length() >= self.split_bytes

    def held(self, uri: str, again: Callable[[], Chunks]) -> HeldLines | HeldRows:
        """What holds a file's lines, or its rows, until it has proved good."""
        if self.view is None:
            return HeldLines(uri, again, on_disk=self.spool_bytes)
        from pipeline.read.held_rows import HeldRows  # with Arrow, which lines do without

        return HeldRows(
            uri,
            self.view,
            again,
            max_bad_lines=self.max_bad_lines,
            keep_partial=self.keep_partial,
            on_disk=self.spool_bytes,
        )


_BY_DEFAULT = ReadOptions()


@dataclass
class ReadFile:
    """What became of one file: its record, and the lines or rows that go out (none if it failed).

    `archive` is, of one that failed for being an archive, the store that the files in it can be read from. `large` is
    there of one that was not read, since it can be decoded by ranges.
    """

    record: FileRecord
    lines: HeldLines | HeldRows = field(default_factory=HeldLines)
    archive: Store | None = None
    large: LargeFile | None = None

    def blocks(self) -> Iterator[Any]:
        """Its blocks of whole lines, or its batches of rows. `record` is final once they are all taken, not before.

        A file that has to be read again and is not there any more, or is another, is a failed one then. Raises
        StorageError when that shows after blocks were taken, or when other bytes come: the blocks are no good, and
        their bundle is to be repeated.
        """
        taken = False
        try:
            for block in self.lines.blocks():
                taken = True
                yield block
        except _GONE as e:
            if taken or isinstance(e, StoreUnavailableError):
                raise
            self.record = replace(
                self.record,
                status="failed",
                error=_reason(e),
                lines=0,
                rows=None if self.record.rows is None else 0,
                output_bytes=0,
                output_crc32c=None,
                crc32c=None,
            )


def read_file(
    store: Store,
    uri: str,
    options: ReadOptions = _BY_DEFAULT,
    *,
    generation: int | None = None,
    size: int | None = None,
    so_far: ReadSoFar | None = None,
) -> ReadFile:
    """Read and decode a file to its end, of the generation and size that were listed where it was.

    What is wrong with its bytes is in the record, or that it alone is refused, or replaced since. Raises
    StoreUnavailableError when the store is at fault, for as long as its patience lasts: then nothing is known of the
    file, and a runner is to try the bundle again.
    """
    uri = Uri.parse(uri)
    trials, readings = Trials(store.patience), Trials(store.patience, most=_READINGS)
    version = version_to_open(None if options.newest else generation, size)
    while True:
        try:
            return _read_once(store, uri, options, version, so_far or ReadSoFar())
        except (TransferError, ProcessEndedError) as e:
            readings.failed(e)
        except StoreUnavailableError as e:
            trials.failed(e)


def _read_once(
    store: Store, uri: Uri, options: ReadOptions, version: dict[str, int], so_far: ReadSoFar
) -> ReadFile:
    began = time.monotonic()
    opened = queued = 0.0
    result = ReadFile(FileRecord(str(uri), "failed", version.get("generation")))
    try:
        with own_faults(store, uri), store.open_read(uri, **version) as stream:
            if options.splits(stream):
                result.large = look_at_large(store, stream, options.codec)
                if result.large:
                    return result
            opened = time.monotonic() - began
            result.lines = options.held(uri, partial(_read_again, store, stream, options.codec))
            with _decoding:
                queued = time.monotonic() - began - opened
                _read_into(result, stream, options, so_far)
    except StoreUnavailableError:
        result.lines.drop()
        tally("read-bytes", -result.record.size)  # what follows counts them anew
        tally("raw-bytes", -result.record.raw_bytes)
        so_far.add(-result.record.size, -result.record.raw_bytes)
        raise
    except _OF_THE_FILE as e:
        result.record = replace(result.record, status="failed", error=_reason(e))
        result.archive = store if isinstance(e, HoldsFilesError) else None
        if isinstance(e, BesideDataError):
            result.record = replace(result.record, status="skipped", error=None, note=str(e))
        if not options.keep_partial:
            bad_lines = result.lines.fields.get("bad_lines", 0)
            result.lines.drop()
            result.lines = HeldLines()
            if options.view:
                result.record = replace(result.record, rows=0, bad_lines=bad_lines)
    except BaseException:
        result.lines.drop()
        raise
    seconds = time.monotonic() - began - queued
    result.record = replace(
        result.record,
        **result.lines.fields,
        seconds=round(seconds, 3),
        wire_seconds=round(result.record.wire_seconds + (opened or seconds), 3),
        disk_seconds=round(result.lines.writing.seconds, 3),
    )
    return result


def _read_into(result: ReadFile, stream: ReadStream, options: ReadOptions, so_far: ReadSoFar) -> None:
    """Fill in the lines and the record; on an error both hold what was known by then."""
    raw_bytes = read_bytes = 0
    name = None

    def decoded() -> Chunks:
        nonlocal raw_bytes, read_bytes
        for chunk in codec.decode(intake):
            raw_bytes += len(chunk)
            tally("raw-bytes", len(chunk))
            tally("read-bytes", stream.size - read_bytes)
            so_far.add(stream.size - read_bytes, len(chunk))
            read_bytes = stream.size
            check_ratio(raw_bytes, stream, options.max_ratio)
            yield chunk

    intake = BufferedStream(stream)
    try:
        if options.archives:
            _check_is_data(result.record.uri, intake.peek(HEAD_BYTES))
        codec = choose_codec(intake.peek(HEAD_BYTES), result.record.uri, options.codec)
        name = codec.name
        if options.archives:
            _check_is_one_file(codec)
        with closing(decoded()) as chunks:
            result.lines.fill(chunks)
        stream.verify()
        result.lines.complete()
        notes = (mismatch(codec, result.record.uri), *intake.notes, *result.lines.notes)
        result.record = replace(
            result.record,
            status="complete",
            crc32c=stream.crc32c,
            note="; ".join(note for note in notes if note) or None,
        )
    except (HoldsFilesError, BesideDataError):
        raise
    except BadFileError:
        stream.prove()  # what came may not be what is stored
        raise
    finally:
        tally("read-bytes", stream.size - read_bytes)
        so_far.add(stream.size - read_bytes, 0)
        result.record = replace(
            result.record,
            generation=stream.generation,
            size=stream.size,
            codec=name,
            raw_bytes=raw_bytes,
            wire_seconds=intake.waited,
        )


def _check_is_data(uri: str, head: bytes) -> None:
    """Refuse what people put beside data into archives."""
    if SEPARATOR in uri and lies_beside(uri, head):
        raise BesideDataError("passed over: it is no data, by its name and its bytes")


def _check_is_one_file(codec: Codec) -> None:
    if codec.name == ZIP:
        raise HoldsFilesError(ZIP)


def _read_again(store: Store, first: ReadStream, wanted: str) -> Chunks:
    """The raw bytes of a file once more.

    Raises ObjectChangedError where the store has another version by now, StorageError where other bytes come.
    """
    with own_faults(store, first.uri), first.again() as stream, _decoding:
        intake = BufferedStream(stream)
        try:
            yield from choose_codec(intake.peek(HEAD_BYTES), first.uri, wanted).decode(intake)
        except BadFileError as e:
            raise StorageError(
                first.uri, f"{e}, as it was not when it was first read; run the job again"
            ) from e
        stream.verify()
        if (stream.size, stream.crc32c) != (first.size, first.crc32c):
            raise StorageError(first.uri, "gave other bytes when it was read again; run the job again")


def _reason(error: Exception) -> str:
    return error.about_it if isinstance(error, StorageError) else str(error)

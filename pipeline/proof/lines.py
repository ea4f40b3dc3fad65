"""Each file decoded again, and its lines held against those that stand in the output for it, byte by byte.

With a view, its rows are made again: as NDJSON and CSV they are compared like lines, else by their checksum.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from pipeline.codecs import HEAD_BYTES, choose_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import AccessDeniedError, BadFileError, NotAllowedError, ObjectNotFoundError
from pipeline.proof.findings import Findings
from pipeline.proof.output import WINDOW_BYTES, Layout, OutputReader
from pipeline.proof.records import Known, KnownPiece, Records
from pipeline.storage import ReadStream, Store

if TYPE_CHECKING:
    from pipeline.proof.rows import Remade

_REMOTE_THREADS = 12  # each holds a window of the file and one of the output
_LOCAL_THREADS = max(2, os.cpu_count() or 2)

Difference = tuple[str, str]  # kind and text of a finding


def check_lines(
    store: Store,
    layout: Layout,
    records: Records,
    codec: str,
    findings: Findings,
    *,
    remade: Remade | None = None,
) -> None:
    """Compare every file that has lines in the output; `codec` is what the job's source asks for.

    `remade` makes the rows of a view again; None where the output is of lines as they are.
    """

    def compare(record: Known, pieces: tuple[KnownPiece, ...]) -> Difference | None:
        return _compare(store, layout, record, pieces, codec=codec, remade=remade)

    threads = _REMOTE_THREADS if layout.target.startswith("gs://") else _LOCAL_THREADS
    wanted = records.with_pieces() if layout.by_rows else ((record, ()) for record in records.in_order())
    for record, found in _side_by_side(compare, wanted, threads):
        findings.checked["filesCompared"] += 1
        if found is not None:
            kind, text = found
            findings.add(kind, record.uri, text)


def _side_by_side(
    compare: Callable[[Known, tuple[KnownPiece, ...]], Difference | None],
    records: Iterable[tuple[Known, tuple[KnownPiece, ...]]],
    threads: int,
) -> Iterator[tuple[Known, Difference | None]]:
    """What comes of each, in order; no more than twice as many as there are threads are waited for at a time."""
    waiting: deque[tuple[Known, Future[Difference | None]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="compare-lines") as pool:
        try:
            for record, pieces in records:
                waiting.append((record, pool.submit(compare, record, pieces)))
                if len(waiting) >= 2 * threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _compare(
    store: Store,
    layout: Layout,
    record: Known,
    pieces: tuple[KnownPiece, ...],
    *,
    codec: str,
    remade: Remade | None,
) -> Difference | None:
    """How a file's lines differ from those in the output; None where they do not. Raises StorageError."""
    try:
        with store.open_read(record.uri) as stream:
            if record.generation is not None and stream.generation != record.generation:
                return None  # it was replaced, which has been told
            first = partial(_first_difference, store, layout, record)
            if remade is not None:
                first = partial(remade.difference, record, pieces, first)
            return _differs(record, stream, codec, first)
    except NotAllowedError:
        raise
    except (ObjectNotFoundError, AccessDeniedError) as e:
        return "not-checked", f"its lines cannot be compared: {e}"


def _differs(
    record: Known, stream: ReadStream, wanted: str, first: Callable[[Iterator[bytes]], str | None]
) -> Difference | None:
    intake = BufferedStream(stream)
    try:
        codec = choose_codec(intake.peek(HEAD_BYTES), record.uri, wanted)
        text = first(codec.decode(intake))
    except BadFileError as e:
        return ("source-changed", f"was decoded to its end, and now {e}") if record.complete else None
    if text is not None:
        return "lines-differ", text
    if record.complete:
        stream.verify()
        if record.crc32c not in (None, stream.crc32c):
            text = f"decodes to the same lines, but its CRC-32C is {stream.crc32c} where {record.crc32c} was read"
            return "source-changed", text
    return None


def _first_difference(store: Store, layout: Layout, record: Known, decoded: Iterator[bytes]) -> str | None:
    """Where a file's bytes and those that the output has for it part ways.

    Of a file that failed, the output may have its first lines only; a fault then ends the comparison.
    """
    reader = OutputReader(store, layout, ahead=min(record.output_bytes, WINDOW_BYTES))
    begin = record.position or 0
    at = lines = 0
    for chunk in _with_line_end(decoded):
        size = min(len(chunk), record.output_bytes - at)
        same = 0
        for piece in reader.read(begin + at, size):
            here = chunk[same : same + len(piece)]
            if here != piece:
                same += next(i for i, (a, b) in enumerate(zip(here, piece, strict=True)) if a != b)
                break
            same += len(piece)
        if same < size or (size < len(chunk) and record.complete):
            line = lines + chunk.count(b"\n", 0, same) + 1
            return f"line {line:,} of it is another in the output: {layout.shown(begin + at + same)}"
        if size < len(chunk):
            return None
        at += size
        lines += chunk.count(b"\n")
    if at < record.output_bytes:
        return f"has {at:,} bytes of lines where the output has {record.output_bytes:,}: {layout.shown(begin + at)}"
    return None


def _with_line_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, and the end that a job gives to a last line without one."""
    last = b"\n"
    for chunk in chunks:
        yield chunk
        last = chunk[-1:]
    if last != b"\n":
        yield b"\n"

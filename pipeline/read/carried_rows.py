"""The rows of a view that another process makes: a file's raw bytes go to it, and batches come back.

Only one side speaks at a time, so neither can wait for the other to read: the maker gives batches, each as Arrow's
stream of bytes, and asks for the next chunk; the other answers with a chunk, with the end, or with what went wrong.
When the file has ended the maker says what became of it. All else is `view_rows`' own, in either process.
"""

from __future__ import annotations

import gc
import pickle
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.errors import BadFileError, ChimeraError, StorageError, StoreUnavailableError
from pipeline.processes import Channel
from pipeline.progress import OTHER_CPU, tally
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.sources.view import View

_MORE, _END = "more", "end"
_LOOKED_THROUGH = 5000  # objects, after which garbage is looked for; with 700, as by default, it takes 3 %


class UnknownViewError(Exception):
    """The other process cannot have the view: nothing of the file has been read."""


@dataclass(frozen=True)
class _File:
    """What the maker is given first: the view as pickle, so that one it cannot have is no end of the conversation."""

    view: bytes
    looked_at: LookedAt
    keep_partial: bool
    in_order: bool


@dataclass(frozen=True)
class _Fault:
    """What the chunks came to: an error of a kind on which the rows depend, or another by its name and text."""

    kind: type[Exception] | str
    text: str = ""

    def error(self) -> Exception:
        if isinstance(self.kind, str):
            return type(self.kind, (Exception,), {})(self.text)
        return self.kind("", "") if issubclass(self.kind, StorageError) else self.kind("")

    @classmethod
    def of(cls, error: Exception) -> _Fault:
        for kind in (StoreUnavailableError, StorageError, BadFileError, ChimeraError, MemoryError):
            if isinstance(error, kind):
                return cls(kind)
        return cls(type(error).__name__, str(error))


@dataclass(frozen=True)
class _Ended:
    """What became of the file: an error, or, where `is_given`, the one that the chunks came to."""

    looked_at: LookedAt
    cpu_us: int
    error: BaseException | None = None
    is_given: bool = False


def carried_rows(
    channel: Channel,
    view: View,
    chunks: Iterable[bytes],
    file: LookedAt,
    *,
    keep_partial: bool = False,
    in_order: bool = True,
) -> Generator[pa.RecordBatch, None, BaseException | None]:
    """As `view_rows`, by the process at the channel; but what that raises is given at the end.

    Raises UnknownViewError before anything was taken of `chunks`, and ClosedError when that process has ended. Closed
    early, or with another error, it leaves the channel in the middle of the file.
    """
    try:
        pickled = pickle.dumps(view)
    except Exception as e:  # whatever a third party's object raises
        raise UnknownViewError from e
    channel.send(_File(pickled, file, keep_partial, in_order))
    coming, fault = iter(chunks), None
    while True:
        said = channel.receive()
        if isinstance(said, bytes):
            with pa.ipc.open_stream(said) as batches:
                yield from batches
        elif said == _MORE:
            try:
                answer: Any = next(coming, _END)
            except Exception as e:  # noqa: BLE001 - raised below, once it is known what it makes of the rows
                fault, answer = e, _Fault.of(e)
            channel.send(answer)
        elif said is None:
            raise UnknownViewError
        else:
            break
    tally(OTHER_CPU, said.cpu_us)
    vars(file).update(vars(said.looked_at))
    return fault if said.is_given else said.error


def make_rows(channel: Channel) -> None:
    """The maker: a program of `pipeline.processes`, for one file after another."""
    channel.send(_MORE)  # it is ready for the first
    gc.set_threshold(_LOOKED_THROUGH)
    known: set[type[View]] = set()
    told = 0  # of the time that this process has taken
    while True:
        of: _File = channel.receive()
        try:
            view: View = pickle.loads(of.view)  # noqa: S301 - of the process that started this one
        except Exception:  # noqa: BLE001 - it may have come from a module that cannot be had here
            channel.send(None)
            continue
        if type(view) not in known:
            known.add(type(view))
            gc.freeze()  # what was loaded for it stays
        error, is_given = _made(channel, view, of)
        before, told = told, int(time.process_time() * 1e6)
        channel.send(_Ended(of.looked_at, told - before, error, is_given))


def _made(channel: Channel, view: View, of: _File) -> tuple[BaseException | None, bool]:
    """The error that it came to, or whether it is the one that was given."""
    given: list[Exception] = []

    def chunks() -> Iterator[bytes]:
        while True:
            channel.send(_MORE)
            said = channel.receive()
            if isinstance(said, bytes):
                yield said
            elif said == _END:
                return
            else:
                given.append(said.error())
                raise given[0]

    error = None
    try:
        options = {"keep_partial": of.keep_partial, "in_order": of.in_order}
        for batch in view_rows(view, chunks(), of.looked_at, **options):
            channel.send(_as_stream(batch))
    except BaseException as e:  # noqa: BLE001 - whoever has asked raises it
        error = e
    is_given = any(error is one for one in given)
    return None if is_given else _portable(error, view), is_given


def _as_stream(batch: pa.RecordBatch) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return memoryview(sink.getvalue())


def _portable(error: BaseException | None, view: View) -> BaseException | None:
    """The error, or where it cannot be sent one that tells of it: a third party's class may be of any kind."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    except Exception:  # noqa: BLE001
        return BadFileError(f"view {view.name} failed ({type(error).__name__}: {error})")
    return error

"""One drawing: what is known of it while it runs, and what stops it. Used from several threads."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chimera_nb.data.joined import Records, one_a_line
from chimera_nb.data.sampling.lines import Line, Lowest, pick_lines
from pipeline.archives.passing import PassingScans
from pipeline.archives.store import store_of_archives
from pipeline.codecs import HEAD_BYTES, choose_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, ChimeraError, StorageError
from pipeline.read.lines import whole_lines
from pipeline.storage import Entry, ReadStream, Store

_FAILURES_KEPT = 20
# More decoders than cores gain nothing, and each holds a megabyte or more.
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


class SampleCancelledError(ChimeraError):
    """The sample was stopped on request, so there is none."""


@dataclass(frozen=True)
class SampleProgress:
    """How far a sample is. Totals are 0 while the files are being listed; bytes are as they are stored."""

    files_listed: int = 0
    files_total: int = 0
    files_done: int = 0
    files_failed: int = 0
    bytes_total: int = 0
    bytes_read: int = 0
    lines: int = 0

    def of_bar(self) -> tuple[int, int, str]:
        """How far a bar is, of how much, and what stands beside it."""
        return self.bytes_read, self.bytes_total, self.text

    @property
    def text(self) -> str:
        """The same in words."""
        if not self.files_total:
            return f"listing: {self.files_listed:,} files"
        failed = f", {self.files_failed:,} failed" if self.files_failed else ""
        return (
            f"{self.files_done:,} of {self.files_total:,} files{failed}; "
            f"{self.bytes_read / 1e6:,.1f} of {self.bytes_total / 1e6:,.1f} MB"
        )


@dataclass(frozen=True)
class Failure:
    """A file that gave nothing, and why. The store's failures may pass; a bad file stays one."""

    uri: str
    reason: str
    may_pass: bool


class Run:
    """One drawing of `n` lines from files of one store.

    Attributes: store, token (names it in this process), n, seed, codec (for `choose_codec`), records ("lines", or
    "auto" to make lines of what is no record a line), failures (the first), failed (how many).
    """

    def __init__(self, store: Store, n: int, seed: int, codec: str, records: Records = "lines") -> None:
        self.store = store
        self.token = secrets.token_hex(8)
        self.n, self.seed, self.codec, self.records = n, seed, codec, records
        self.failures: list[Failure] = []
        self.failed = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._known = Lowest(n)
        self._listed = self._total = self._done = self._bytes_total = self._bytes = self._lines = 0

    def stop(self) -> None:
        self._stop.set()

    def check_not_cancelled(self) -> None:
        """Raise SampleCancelledError if the drawing is to stop. Called between chunks of a megabyte."""
        if self._stop.is_set():
            raise SampleCancelledError(
                "the sample was cancelled before it was complete; nothing is kept of it"
            )

    @contextmanager
    def one_pass(self, files: Sequence[Entry]) -> Iterator[list[Entry]]:
        """The files in the order in which they are to be read, so that a compressed tar is gone through once."""
        store = store_of_archives(self.store)
        by_uri = {entry.uri: entry for entry in files}
        with PassingScans() as scans:
            self.store = store.holding(scans)
            try:
                yield [by_uri[uri] for uri in scans.in_order(store, by_uri)]
            finally:
                self.store = store

    def listed(self, files: int) -> None:
        self._listed = files
        self.check_not_cancelled()

    def chosen(self, files: Sequence[Entry]) -> None:
        self._total, self._bytes_total = len(files), sum(entry.size for entry in files)

    def progress(self) -> SampleProgress:
        with self._lock:
            return SampleProgress(
                files_listed=self._listed,
                files_total=self._total,
                files_done=self._done,
                files_failed=self.failed,
                bytes_total=self._bytes_total,
                bytes_read=self._bytes,
                lines=self._lines,
            )

    def take_sample(self, entry: Entry) -> list[Line]:
        """The lines of a file that may be in the sample; none of one that does not prove good, as in a job.

        What is wrong with a file is on record here, and raises nothing. Raises SampleCancelledError.
        """
        self.check_not_cancelled()
        lowest = Lowest(self.n, self._known.below)
        uri = entry.uri.encode("utf-8", "surrogateescape")
        lines = 0
        try:
            with self.store.open_read(entry.uri) as stream, _decoding:
                chunks = self._decoded(entry, stream)
                blocks = whole_lines(chunks) if self.records == "lines" else one_a_line(chunks)
                lines = pick_lines(blocks, uri, self.seed, lowest)
                stream.verify()
                _check_unchanged(entry, stream)
        except (BadFileError, StorageError) as e:
            reason = e.about_it if isinstance(e, StorageError) else str(e)
            self._add_failure(Failure(entry.uri, reason, may_pass=isinstance(e, StorageError)))
            return []
        drawn = lowest.lines()
        with self._lock:
            self._done += 1
            self._lines += lines
            for line in drawn:
                self._known.add(line)  # so that later files cut out fewer lines that come to nothing
        return drawn

    def _decoded(self, entry: Entry, stream: ReadStream) -> Iterator[bytes]:
        buffered = BufferedStream(stream)
        codec = choose_codec(buffered.peek(HEAD_BYTES), entry.uri, self.codec)
        told = 0
        for chunk in codec.decode(buffered):
            self.check_not_cancelled()
            with self._lock:
                self._bytes += stream.size - told
            told = stream.size
            yield chunk

    def _add_failure(self, failure: Failure) -> None:
        with self._lock:
            self._done += 1
            self.failed += 1
            if len(self.failures) < _FAILURES_KEPT:
                self.failures.append(failure)


def _check_unchanged(entry: Entry, stream: ReadStream) -> None:
    if stream.size != entry.size or stream.generation != entry.generation:
        raise StorageError(entry.uri, "was replaced after it was listed; try again")

"""The members of an archive, kept: shared in a process while they are being found, on disk once all are known.

An index grows as somebody goes through it, a window of the archive at a time: whoever comes to its end has more of it
read, and others who go through it meet what is there already. So a listing shows its first rows after one request.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice

from pipeline.archives import kept
from pipeline.archives.members import AGAIN, AGAIN_LATER, Member, Outline
from pipeline.archives.scan import Scan, scan
from pipeline.errors import BadFileError
from pipeline.storage import ReadStream

_AT_ONCE = 256  # members found before others may look
_AT_ONCE_SECONDS = 0.2
_IN_MEMORY = 1_000_000  # members of all indexes

Key = tuple[str, ...]


class Index:
    """The members of one version of an archive, in its order. Used from several threads.

    Of members of one name the last counts, as it does for tar and unzip; of a compressed tar, which is read once and in
    order, the first. The others are told by the outline.

    Attributes: kind (None for a file that is no archive); is_in_order; outline (whole once `complete` has been called);
    encrypted (how many members found so far are).
    """

    def __init__(self, key: Key, found: Scan | None, stream: ReadStream | None) -> None:
        self._key = key
        self.kind = found.kind if found else None
        self.is_in_order = found is not None and found.is_in_order
        self.outline = found.outline if found else Outline()
        self._coming = iter(found) if found else iter(())
        self._members: list[Member | None] = []
        self._places: dict[str, int] = {}
        self.encrypted = 0
        self._done = found is None
        self._lock = threading.Lock()
        self._stream = stream
        self._close = weakref.finalize(self, stream.close) if stream else None

    @property
    def why_none(self) -> str:
        """Why a file that was to be an archive is none."""
        return self.outline.fault or "it is neither a tar, compressed or not, nor a zip"

    def __len__(self) -> int:
        return len(self._members)

    @property
    def reached(self) -> tuple[int, int] | None:
        """How many bytes of the archive have been gone through, and how many it has; None once all are known."""
        if self._done or self._stream is None:
            return None
        length = self._stream.length()
        last = self._members[-1] if self._members else None
        at = self._stream.size if self.is_in_order else last.at + last.packed if last else 0
        return min(at, length), length

    def __iter__(self) -> Iterator[Member]:
        """All members; raises StorageError where they cannot be read on. An archive's own fault ends it."""
        at = 0
        while True:
            while at < len(self._members):
                member = self._members[at]
                at += 1
                if member is not None:
                    yield member
            if self._done:
                return
            self._advance(at)

    def complete(self) -> None:
        """Find all members."""
        for _ in self:
            pass

    def find(self, name: str) -> Member | None:
        """The member of that name."""
        self.complete()
        place = self._places.get(name)
        return None if place is None else self._members[place]

    @classmethod
    def restored(cls, key: Key, kind: str, outline: Outline, members: list[Member]) -> Index:
        """One that was kept, whole."""
        index = cls(key, None, None)
        index.kind, index.outline = kind, outline
        index.is_in_order = kind not in {"tar", "zip"}
        for member in members:
            index._add(member)
        return index

    def _advance(self, at: int) -> None:
        with self._lock:
            if self._done or at < len(self._members):
                return
            try:
                until = time.monotonic() + _AT_ONCE_SECONDS
                found = False
                for member in islice(self._coming, _AT_ONCE):
                    self._add(member)
                    found = True
                    if time.monotonic() > until:
                        break
                if not found:
                    self._end()
            except BaseException:
                forget(self._key)  # what was found so far cannot be gone on with
                raise

    def _end(self) -> None:
        self._done = True
        self._coming = iter(())
        if self._close:
            self._close()

    def _add(self, member: Member) -> None:
        before = self._places.get(member.name)
        if before is not None:
            self.outline.told.pass_over(AGAIN_LATER if self.is_in_order else AGAIN, member.name)
            if self.is_in_order:
                return
            self._members[before] = None
        self.encrypted += member.entry is not None and member.entry.is_encrypted
        self._places[member.name] = len(self._members)
        self._members.append(member)


_shared: OrderedDict[tuple[str, Key], Index] = OrderedDict()
_lock = threading.Lock()


def forget(key: Key) -> None:
    with _lock:
        for found in [known for known in _shared if known[1] == key]:
            del _shared[found]


def forget_all() -> None:
    """Let go of all indexes, of which a member takes some 400 bytes; who needs one again has it read again."""
    with _lock:
        _shared.clear()


def shared_index(
    service: str, key: Key, folder: str | None, open_stream: Callable[[], ReadStream], name: str
) -> Index:
    """The index of an archive: the one that this process has, or that `folder` keeps, or a new one over a stream.

    Raises StorageError.
    """
    with _lock:
        if index := _shared.get((service, key)):
            _shared.move_to_end((service, key))
            return index
    restored = kept.find(folder, (service, *key))
    index = Index.restored(key, *restored) if restored else _over(open_stream(), service, key, folder, name)
    with _lock:
        index = _shared.setdefault((service, key), index)
        while len(_shared) > 1 and sum(map(len, _shared.values())) > _IN_MEMORY:
            _shared.popitem(last=False)
    return index


def _over(stream: ReadStream, service: str, key: Key, folder: str | None, name: str) -> Index:
    try:
        return Index(key, _kept_when_found(scan(stream, stream, name), folder, (service, *key)), stream)
    except BadFileError as e:  # compressed, and broken before it is known what it holds
        index = Index(key, None, stream)
        index.outline.fault = str(e)
        return index
    except BaseException:
        stream.close()
        raise


def _kept_when_found(found: Scan | None, folder: str | None, key: Key) -> Scan | None:
    if found is None or folder is None:
        return found

    def members() -> Iterator[Member]:
        all_of_them = []
        for member in found:
            all_of_them.append(member)
            yield member
        kept.keep(folder, key, found.kind, found.outline, all_of_them)

    return Scan(found.kind, members(), found.outline, found.forward)

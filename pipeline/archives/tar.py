"""The members of a tar, one header after another: ustar, pax, GNU and the oldest, also several tars laid end to end.

`tarfile` reads each header, with the long names and sizes that stand before it; where it would end without a word, at
bytes that are no header, it is told here what they are.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from pipeline.archives.members import NO_DATA, Member, Outline
from pipeline.archives.tar_files import TarBytes
from pipeline.codecs.documents import is_clutter
from pipeline.codecs.stream import PADDING
from pipeline.codecs.tar_header import HEADER_BYTES, Header
from pipeline.errors import BadFileError

_KINDS = {
    tarfile.LNKTYPE: "links",
    tarfile.SYMTYPE: "links",
    tarfile.CHRTYPE: "devices",
    tarfile.BLKTYPE: "devices",
    tarfile.FIFOTYPE: "pipes",
}
_SPARSE = "is stored with holes (a sparse file), which is not read; make the archive again without --sparse"
_AT_ONCE = 1 << 16


class _Tar(tarfile.TarFile):
    """What `TarInfo.fromtarfile` reads by; the members are gone through here."""

    def next(self) -> tarfile.TarInfo | None:
        return None


def tar_members(file: TarBytes, outline: Outline) -> Iterator[Member]:
    """The files in it, each before the next header is read. What becomes of the rest is told by `outline`.

    A member whose bytes are not all there comes last, with its problem. Errors of reading pass through, but for a
    BadFileError, which is the archive's fault.
    """
    try:
        yield from _Headers(file, outline).members()
    except BadFileError as e:
        outline.fault = str(e)


class _Headers:
    """Goes from header to header."""

    def __init__(self, file: TarBytes, outline: Outline) -> None:
        self._file, self._outline = file, outline
        self._tar = _Tar(fileobj=file, mode="r", encoding="utf-8", errors="surrogateescape")  # type: ignore[arg-type]
        self._found = 0
        self._zeros = False  # before this place: the end of a tar
        self._data_end = 0

    def members(self) -> Iterator[Member]:
        while (info := self._next()) is not None:
            member = _file(info, self._tar.offset, self._outline)
            if member is None:
                continue
            self._data_end = member.at + member.packed
            if self._file.end is not None and self._data_end > self._file.end:
                there = max(0, self._file.end - member.at)
                problem = f"is cut off: {there:,} of its {member.size:,} bytes are in the archive"
                self._outline.fault = f"is cut off within {member.name!r}"
                yield Member(member.name, member.at, member.size, member.packed, problem=problem)
                return
            yield member
        if self._outline.fault:
            return
        if not self._found:
            self._outline.fault = "holds no files"
        elif not self._zeros:
            self._outline.notes.append("has no zeros at its end, as a tar should: it may be cut off there")

    def _next(self) -> tarfile.TarInfo | None:
        """What the next header begins; None at the end, and where there is none, which the outline then tells."""
        while True:
            at = self._tar.offset
            reached = self._file.seek(at)
            if reached < self._data_end:
                self._outline.fault = f"is cut off: it ends at byte {reached:,}, within a file's data"
                return None
            try:
                info = Header.fromtarfile(self._tar)
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # its stub has the base alone
                self._tar.offset = at + HEADER_BYTES
                self._zeros = True
                continue
            except tarfile.EmptyHeaderError:  # type: ignore[attr-defined]
                return None
            except (tarfile.HeaderError, ValueError, OverflowError) as e:
                self._outline.fault = _no_header(self._file, at, behind_end=self._zeros, reason=str(e))
                return None
            if info.size < 0 or self._tar.offset <= at:
                self._outline.fault = _no_header(
                    self._file, at, behind_end=False, reason="its size is below 0"
                )
                return None
            self._zeros = False
            self._found += 1
            return info


def _file(info: tarfile.TarInfo, end: int, outline: Outline) -> Member | None:
    """The member that a header begins; None for what holds no data of its own."""
    name = info.name
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    if info.isdir() or not name or name == ".":
        return None
    if kind := _KINDS.get(info.type):
        outline.told.pass_over(kind, name)
        return None
    if is_clutter(name):
        outline.told.pass_over(NO_DATA, name)
        return None
    problem = _SPARSE if info.issparse() else None
    packed = end - info.offset_data if problem else info.size
    return Member(name, info.offset_data, info.size, packed, problem=problem)


def _no_header(file: TarBytes, at: int, *, behind_end: bool, reason: str) -> str | None:
    """What stands where a header should; None for padding at the very end."""
    file.seek(at)
    head = b""
    padding = True
    size = 0
    while piece := file.read(_AT_ONCE):
        head = head or piece
        size += len(piece)
        padding = padding and not piece.strip(PADDING)
    if padding and size < HEADER_BYTES:
        return None
    if behind_end:
        return f"has {size:,} bytes of something else behind its end"
    if size < HEADER_BYTES:
        return f"is cut off: it ends at byte {at + size:,}, within a header"
    return f"is corrupt: at byte {at:,} there is no header of a file ({reason}), and what follows is lost"

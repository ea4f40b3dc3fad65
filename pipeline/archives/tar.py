"""The members of a tar, one header after another: ustar, pax, GNU and the oldest, also several tars laid end to end.

`tarfile` reads each header, with the long names and sizes that stand before it; where it would end without a word, at
bytes that are no header, it is told here what they are.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace

from pipeline.archives.members import NO_DATA, Member, Outline
from pipeline.archives.tar_files import TarBytes
from pipeline.codecs.documents import is_clutter
from pipeline.codecs.stream import PADDING
from pipeline.codecs.tar_header import HEADER_BYTES, usual_file
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
_NAMES = ("utf-8", "surrogateescape")


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
        encoding, errors = _NAMES
        self._tar = _Tar(fileobj=file, mode="r", encoding=encoding, errors=errors)  # type: ignore[arg-type]
        self._found = 0
        self._zeros = False  # before this place: the end of a tar
        self._data_end = 0

    def members(self) -> Iterator[Member]:
        while (found := self._next()) is not None:
            self._zeros = False
            self._found += 1
            if isinstance(found, tarfile.TarInfo):
                member = _member(found, self._tar.offset, self._outline)
            else:
                member = _file(*found, self._outline)
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

    def _next(self) -> tarfile.TarInfo | tuple[str, int, int] | None:
        """What the next header begins, of a usual file its name, place and size.

        None at the end, and where there is no header, which the outline then tells.
        """
        while True:
            at = self._tar.offset
            reached = self._file.seek(at)
            if reached < self._data_end:
                self._outline.fault = f"is cut off: it ends at byte {reached:,}, within a file's data"
                return None
            if (usual := self._usual(at)) is not None:
                return usual
            self._file.seek(at)
            try:
                info = tarfile.TarInfo.fromtarfile(self._tar)
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
            return info

    def _usual(self, at: int) -> tuple[str, int, int] | None:
        """Name, place and size of the file whose header is there; None for any other header, and for none."""
        if self._tar.pax_headers:  # they hold for all files that follow
            return None
        found = usual_file(self._file.read(HEADER_BYTES), *_NAMES)
        if found is None:
            return None
        name, size = found
        begin = at + HEADER_BYTES
        self._tar.offset = begin + -(-size // HEADER_BYTES) * HEADER_BYTES
        return name, begin, size


def _member(info: tarfile.TarInfo, end: int, outline: Outline) -> Member | None:
    """The member that a header begins; None for what holds no data of its own."""
    if info.isdir():
        return None
    if kind := _KINDS.get(info.type):
        if name := _written(info.name):
            outline.told.pass_over(kind, name)
        return None
    member = _file(info.name, info.offset_data, info.size, outline)
    if member and info.issparse():
        return replace(member, packed=end - member.at, problem=_SPARSE)
    return member


def _file(name: str, at: int, size: int, outline: Outline) -> Member | None:
    """A file's member; None for one that is no data, or has no name."""
    if not (name := _written(name)):
        return None
    if is_clutter(name):
        outline.told.pass_over(NO_DATA, name)
        return None
    return Member(name, at, size, size)


def _written(name: str) -> str:
    """A name without "./" before it; none for that of the folder itself."""
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return "" if name == "." else name


def _no_header(file: TarBytes, at: int, *, behind_end: bool, reason: str) -> str | None:
    """What stands where a header should; None for padding at the very end."""
    corrupt = f"is corrupt: at byte {at:,} there is no header of a file ({reason}), and what follows is lost"
    # There is a header, of what should follow and does not; a stream is not gone back in so far.
    if file.tell() > at + HEADER_BYTES:
        return corrupt
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
    return corrupt

"""Zip archives: the files in them one after another, each one's lines complete."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, TypeVar

from pipeline.codecs.base import CHUNK_BYTES, Codec
from pipeline.codecs.formats import MAGIC
from pipeline.codecs.intake import Intake, Readable
from pipeline.errors import BadFileError

_SPOOL_BYTES = 16 << 20  # above this the archive goes to a temporary file: a zip's directory is at its end
_END_BYTES = 22
_ENCRYPTED = 1
# zipfile decodes bzip2 and lzma members without a bound: a few kilobytes of them can fill the memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_T = TypeVar("_T")


class ZipCodec(Codec):
    """zip: members in the order of the directory; folders, empty members and macOS's own left out.

    A member may itself be compressed, one layer deep. A member whose last line has no end is given one, so
    that the next does not run into it.
    """

    name = "zip"
    suffixes = (".zip",)
    magic = MAGIC["zip"]

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            while piece := stream.read(CHUNK_BYTES):
                spool.write(piece)
            with _faults("the zip archive", lambda: zipfile.ZipFile(spool)) as archive:
                _check_end(archive, spool)
                last = b"\n"
                for member in archive.infolist():
                    if member.is_dir() or not member.file_size or member.filename.startswith("__MACOSX/"):
                        continue
                    if not last.endswith(b"\n"):
                        yield b"\n"
                    for last in _member(archive, member):
                        yield last
                if not archive.infolist():
                    raise BadFileError("the zip archive holds no files")


def _check_end(archive: zipfile.ZipFile, spool: IO[bytes]) -> None:
    """Refuse what follows the archive's end, which zipfile passes over."""
    size = spool.seek(0, 2)
    window = min(size, _END_BYTES + 0xFFFF)
    spool.seek(-window, 2)
    tail = spool.read()
    end = tail.rfind(b"PK\x05\x06") + _END_BYTES
    comment = int.from_bytes(tail[end - 2 : end], "little")
    extra = len(tail) - end - comment
    if extra > 0:
        raise BadFileError(f"{extra:,} bytes of something else follow the end of the zip archive")
    if extra < 0 or len(archive.comment) != comment:
        raise BadFileError("the zip archive is cut off in the comment at its end")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    what = f"the zip's member {member.filename!r}"
    if member.flag_bits & _ENCRYPTED:
        raise BadFileError(f"{what} is encrypted; upload it without a password")
    if member.compress_type not in _METHODS:
        raise BadFileError(
            f"{what} uses compression method {member.compress_type}; zip it again with deflate"
        )
    with _faults(what, lambda: archive.open(member)) as file:
        try:
            yield from _decoded(Intake(_MemberStream(file, what)), member.filename)
        except BadFileError as e:
            text = str(e)
            raise BadFileError(text if text.startswith(what) else f"{what}: {text}") from e


def _decoded(intake: Intake, name: str) -> Iterator[bytes]:
    from pipeline.codecs.choose import HEAD_BYTES, choose_codec  # choose.py knows of zip: a circle otherwise

    codec = choose_codec(intake.peek(HEAD_BYTES), name)
    if codec.name == ZipCodec.name:
        raise BadFileError("is a zip within a zip; unpack one layer and upload it again")
    return codec.decode(intake)


class _MemberStream:
    """One member's bytes; zipfile checks the CRC as the last of them are read."""

    def __init__(self, file: IO[bytes], what: str) -> None:
        self._file = file
        self._what = what

    def read(self, size: int, /) -> bytes:
        return _faults(self._what, lambda: self._file.read(size))


def _faults(what: str, read: Callable[[], _T]) -> _T:
    """What `read` gives, with zipfile's many kinds of complaint made one."""
    try:
        return read()
    except _FAULTS as e:
        raise BadFileError(f"{what} is cut off or corrupt ({e})") from e

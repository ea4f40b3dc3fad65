"""What a compressed file holds by other hands: the standard library's, and python-zstandard's one-shot decoder.

`library` is the library's own word. `strict` is the same library asked for one member after another, so that it says
what it passes over in silence. The differences are by design, and these are all:

nothing in it     a file of empty members or of no bytes is b"" to the library; here it is a fault
a further layer   what is decoded begins as another compressed format, a tar or a document (HTML, PDF, office): refused,
                  not written as lines
UTF-16, UTF-32    is made UTF-8; spoiled, it is a fault
what follows      bz2 and lzma ignore all that follows the first member if it is not a whole member: a fault here, but
                  for padding
padding           NULs, line ends and blanks between members and after them are stepped over and noted, where libraries
                  refuse them or drop what is behind them
gzip headers      the checksum that a header may have is checked here, as RFC 1952 has it and gzip(1) does; Python's
                  gzip steps over it
limits            256 MiB of memory for xz, 128 MiB of window and no dictionary for zstd
zip               encrypted members, a zip within a zip, what follows the archive's end and is no padding, an archive
                  that has lost its first bytes, and a directory whose lengths do not fit, which zipfile steps over,
                  are refused here; folders, empty members, __MACOSX/, .DS_Store and documents named as such are left
                  out; a member's last line is given its end
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable

import zstandard

from pipeline.codecs import codec_names, get_codec
from pipeline.codecs.documents import document_of
from pipeline.codecs.formats import compression_of, refused_format_of
from pipeline.codecs.stream import PADDING
from pipeline.codecs.transcode import encoding_of

_WINDOW_BYTES = 128 << 20


class RefusedByOracleError(Exception):
    """The library does not take it for a whole file."""


def library(codec: str, data: bytes) -> bytes:
    """What the library gives for the whole of it. Raises RefusedByOracleError."""
    try:
        return _LIBRARY[codec](data)
    except _FAULTS as e:
        raise RefusedByOracleError(f"{type(e).__name__}: {e}") from e


def strict(codec: str, data: bytes) -> bytes:
    """The same, when every member is to be whole and nothing else may follow. Raises RefusedByOracleError."""
    try:
        raw = _STRICT[codec](data)
    except _FAULTS as e:
        raise RefusedByOracleError(f"{type(e).__name__}: {e}") from e
    if not raw:
        raise RefusedByOracleError("nothing in it")
    if codec != "zip" and (compression_of(raw) or refused_format_of(raw) or document_of(raw)):
        raise RefusedByOracleError("a further layer")
    return raw if codec == "zip" else in_utf8(raw)


def in_utf8(raw: bytes) -> bytes:
    """The same text in UTF-8, where it is UTF-16 or UTF-32. Raises RefusedByOracleError where that is spoiled."""
    if (encoding := encoding_of(raw)) is None:
        return raw
    text = raw[len(encoding.mark) :]
    try:
        if text:
            return text.decode(encoding.codec).encode()
    except UnicodeDecodeError as e:
        raise RefusedByOracleError(str(e)) from e
    raise RefusedByOracleError("a mark and no text")


def _bz2_members(data: bytes) -> bytes:
    raw = []
    while data:
        decoder = bz2.BZ2Decompressor()
        raw.append(decoder.decompress(data))
        data = _rest(decoder).lstrip(PADDING)
    return b"".join(raw)


def _gzip_members(data: bytes) -> bytes:
    raw = []
    while data:
        if len(data) < 10:
            raise RefusedByOracleError("cut off")
        flags, at = data[3], 10
        at += 2 + int.from_bytes(data[10:12], "little") if flags & 4 else 0
        for field in (8, 16):
            at = data.index(b"\0", at) + 1 if flags & field else at
        if flags & 2:
            if int.from_bytes(data[at : at + 2], "little") != zlib.crc32(data[:at]) & 0xFFFF:
                raise RefusedByOracleError("a header whose checksum is wrong")
            at += 2
        decoder = zlib.decompressobj(-15)
        decoder.decompress(data[at:])
        rest = decoder.unused_data[8:]
        raw.append(gzip.decompress(data[: len(data) - len(rest)]))
        data = rest.lstrip(PADDING)
    return b"".join(raw)


def _xz_members(data: bytes) -> bytes:
    raw = []
    while data:
        decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=256 << 20)
        raw.append(decoder.decompress(data))
        data = _rest(decoder).lstrip(PADDING)
    return b"".join(raw)


def _zstd_members(data: bytes) -> bytes:
    return _zstd_frames(data, PADDING)


def _zstd_frames(data: bytes, padding: bytes = b"") -> bytes:
    raw = []
    while data:
        decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
        raw.append(decoder.decompress(data))
        data = _rest(decoder)
        data = data.lstrip(padding) if padding else data
    return b"".join(raw)


def _rest(decoder: object) -> bytes:
    if not decoder.eof:
        raise RefusedByOracleError("cut off")
    return decoder.unused_data


def _zip_members(data: bytes) -> bytes:
    raw = bytearray()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            name = member.filename
            if name.endswith(("/", ".DS_Store")) or not member.file_size or name.startswith("__MACOSX/"):
                continue
            content = archive.read(member)
            inner = compression_of(content)
            if not inner and document_of(content):
                if name.endswith(".pdf"):
                    continue
                raise RefusedByOracleError("a document")
            if not inner and any(magic.startswith(content) for magic in _magic_by_name(name)):
                raise RefusedByOracleError("cut off within its first bytes")
            if raw and not raw.endswith(b"\n"):
                raw += b"\n"
            raw += strict(inner, content) if inner else in_utf8(content)
    return bytes(raw)


def _magic_by_name(name: str) -> tuple[bytes, ...]:
    codecs = map(get_codec, codec_names())
    return next((codec.magic for codec in codecs if name.endswith(codec.suffixes or ("\0",))), ())


_LIBRARY: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.decompress,
    "gzip": gzip.decompress,
    "xz": lambda data: lzma.decompress(data, format=lzma.FORMAT_XZ),
    "zstd": _zstd_frames,
    "zip": _zip_members,
}
_STRICT = {
    **_LIBRARY,
    "bz2": _bz2_members,
    "gzip": _gzip_members,
    "xz": _xz_members,
    "zstd": _zstd_members,
}
_FAULTS = (
    RefusedByOracleError,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
)

"""How the members of a zip are compressed (APPNOTE.TXT 4.4.5): decoders of bounded memory, by number."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.codecs.members import Decoder, XzCodec
from pipeline.codecs.stream import PIECE_BYTES, Readable
from pipeline.codecs.zstd import ZstdCodec
from pipeline.errors import BadFileError, CutOffError

STORED, DEFLATED, BZIP2, LZMA, ZSTD, XZ = 0, 8, 12, 14, 93, 95
_REPACK = "unpack the archive with unzip or 7-Zip, and compress what is in it again as gzip, bz2 or zip"
_REFUSED = {
    1: "Shrink",
    2: "Reduce",
    3: "Reduce",
    4: "Reduce",
    5: "Reduce",
    6: "Implode",
    9: "Deflate64, as Windows uses for files of 2 GB and more",
    10: "PKWARE's DCL Implode",
    18: "IBM TERSE",
    19: "IBM LZ77",
    20: "an early Zstandard",
    94: "MP3",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
}
_FAULTS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
_LZMA_HEAD_BYTES, _LZMA_PROPERTIES_BYTES = 4, 5
_LZMA_MEMORY_BYTES = 256 << 20
_LZMA_LEAST_DICTIONARY = 4096


def check_method(method: int) -> None:
    """Raise BadFileError for a method that is not read, with its name and what to do."""
    if method not in _DECODERS and method not in (STORED, ZSTD):
        name = _REFUSED.get(method)
        how = f"is compressed with {name} (method {method})" if name else f"uses compression method {method}"
        raise BadFileError(f"{how}, which is not supported; {_REPACK}")


def decompressed(packed: Readable, method: int, size: int) -> Iterator[bytes]:
    """The raw bytes of a member, up to `size` of them, in pieces. They may be fewer, or wrong: its CRC tells.

    Raises BadFileError where the data cannot be decoded.
    """
    if decoder := _DECODERS.get(method):
        yield from _decoded(decoder(packed, size), packed, size)
        return
    stored = iter(lambda: packed.read(PIECE_BYTES), b"")
    for raw in stored if method == STORED else ZstdCodec().chunks(packed):
        yield raw[:size]
        size -= len(raw)
        if size <= 0:
            return


def _decoded(decoder: Decoder, packed: Readable, size: int) -> Iterator[bytes]:
    left = size
    ended = False
    while left and not decoder.eof:
        data = packed.read(PIECE_BYTES) if decoder.needs_input and not ended else b""
        ended = ended or (not data and decoder.needs_input)
        try:
            raw = decoder.decompress(data, min(left, PIECE_BYTES))
        except _FAULTS as e:
            raise CutOffError(f"is cut off or corrupt ({e})", of_the_file=True) from e
        left -= len(raw)
        if raw:
            yield raw
        elif ended:
            return


class _Inflate:
    """zlib's decoder of bare deflate data, with the attributes that others have."""

    def __init__(self) -> None:
        self._zlib: Any = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return bool(self._zlib.eof)

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return bytes(self._zlib.unused_data)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return bytes(self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length))


def _lzma(packed: Readable, size: int) -> Decoder:
    """The decoder that a member's first bytes ask for: a version, then the properties of LZMA (4.4.4, 5.8.8)."""
    head = _exactly(packed, _LZMA_HEAD_BYTES)
    properties = _exactly(packed, int.from_bytes(head[2:], "little"))
    if len(properties) != _LZMA_PROPERTIES_BYTES or properties[0] >= 9 * 5 * 5:
        raise CutOffError("is cut off or corrupt (its LZMA properties cannot be)", of_the_file=True)
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    # No distance is longer than what came before it, so that more than the member's size is never needed.
    dictionary = max(min(int.from_bytes(properties[1:], "little"), size), _LZMA_LEAST_DICTIONARY)
    if dictionary > _LZMA_MEMORY_BYTES:
        raise BadFileError(
            f"needs {dictionary >> 20:,} MiB of memory to be unpacked, and {_LZMA_MEMORY_BYTES >> 20} is the most that "
            f"is given; {_REPACK}"
        )
    filters = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}]
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except _FAULTS as e:
        raise CutOffError(f"is cut off or corrupt ({e})", of_the_file=True) from e


def _exactly(packed: Readable, size: int) -> bytes:
    taken = b""
    while len(taken) < size and (piece := packed.read(size - len(taken))):
        taken += piece
    return taken


_DECODERS: dict[int, Callable[[Readable, int], Decoder]] = {
    DEFLATED: lambda packed, size: _Inflate(),  # noqa: ARG005 - those of LZMA need both
    BZIP2: lambda packed, size: bz2.BZ2Decompressor(),  # noqa: ARG005
    LZMA: _lzma,
    XZ: lambda packed, size: XzCodec().open(),  # noqa: ARG005
}

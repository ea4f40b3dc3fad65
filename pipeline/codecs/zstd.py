"""Zstandard: frames one after another, data or to be skipped (RFC 8878).

The library's own readers either say nothing about a frame that is cut off or decode without a bound. So the
frame's outline is read here, and the library is fed whole blocks, of at most 128 KiB of raw bytes each.
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

from pipeline.codecs.base import CHUNK_BYTES, Codec, padding_note
from pipeline.codecs.formats import EXCERPT_BYTES, MAGIC, ZSTD_FRAME, ZSTD_SKIPPABLE, begins_with
from pipeline.codecs.stream import PADDING, PIECE_BYTES, BufferedStream, Readable
from pipeline.errors import BadFileError, CutOffError

_BLOCK_BYTES = 128 * 1024
_BLOCKS = CHUNK_BYTES // _BLOCK_BYTES
_HEADER_BYTES = 18  # the longest frame header
_WINDOW_BYTES = 1 << 27  # what zstd(1) takes without --long; more would be a frame's memory for each thread
_RLE, _RESERVED = 1, 3


class ZstdCodec(Codec):
    """Zstandard, also of several frames (pzstd, `cat a.zst b.zst`)."""

    name = "zstd"
    suffixes = (".zst", ".zstd", ".tzst")
    magic = MAGIC["zstd"]

    def chunks(self, stream: Readable) -> Iterator[bytes]:
        buffered = BufferedStream(stream)
        decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
        raw = padding = padded = 0
        first = True
        while magic := buffered.peek(4):
            if magic == ZSTD_FRAME:
                for chunk in _frame(buffered, decompressor, raw):
                    raw += len(chunk)
                    yield chunk
            elif magic in ZSTD_SKIPPABLE:
                _skip(buffered, raw)
            elif any(known.startswith(magic) for known in self.magic):
                raise _cut_off(raw)
            elif first:
                raise BadFileError(
                    f"is not zstd: {begins_with(buffered.peek(EXCERPT_BYTES))}", of_the_file=True
                )
            else:
                raise BadFileError(
                    f"{padding + buffered.count_rest():,} bytes of something else follow the end of the zstd"
                )
            padding = buffered.skip(PADDING)
            padded += padding
            first = False
        if padded:
            buffered.notes.append(padding_note(padded, "zstd data"))


def _skip(buffered: BufferedStream, raw: int) -> None:
    head = buffered.take(8)
    left = int.from_bytes(head[4:], "little")
    while left and len(head) == 8 and (piece := buffered.take(min(left, PIECE_BYTES))):
        left -= len(piece)
    if left or len(head) < 8:
        raise _cut_off(raw)


def _frame(buffered: BufferedStream, decompressor: zstandard.ZstdDecompressor, raw: int) -> Iterator[bytes]:
    batch = [_header(buffered, raw)]
    has_checksum = bool(batch[0][4] & 4)
    decoder = decompressor.decompressobj()
    blocks, last, cut = 0, False, False
    while not (last or cut):
        head = buffered.take(3)
        bits = int.from_bytes(head, "little") if len(head) == 3 else 0
        last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
        if size > _BLOCK_BYTES or kind == _RESERVED:  # an RLE block's size is that of its raw bytes
            raise _corrupt(raw, "a block that cannot be")
        size = (1 if kind == _RLE else size) + (4 if last and has_checksum else 0)
        body = buffered.take(size)
        cut = len(head) < 3 or len(body) < size
        batch += head, body
        blocks += 1
        if last or cut or blocks == _BLOCKS:
            try:
                chunk = decoder.decompress(b"".join(batch))
            except zstandard.ZstdError as e:
                raise _corrupt(raw, str(e).removeprefix("zstd decompressor error: ")) from e
            raw += len(chunk)
            yield chunk
            batch, blocks = [], 0
    if cut or not decoder.eof:
        raise _cut_off(raw)


def _header(buffered: BufferedStream, raw: int) -> bytes:
    """The frame's header, checked for what would ask for more than there is."""
    head = buffered.peek(_HEADER_BYTES)
    try:
        size = zstandard.frame_header_size(head)
        if len(head) < size:
            raise _cut_off(raw)
        parameters = zstandard.get_frame_parameters(head)
    except zstandard.ZstdError as e:
        if len(head) < _HEADER_BYTES:
            raise _cut_off(raw) from e
        raise _corrupt(raw, str(e)) from e
    if parameters.window_size > _WINDOW_BYTES:
        raise BadFileError(
            f"the zstd frame needs a window of {parameters.window_size >> 20:,} MiB, and "
            f"{_WINDOW_BYTES >> 20} is the most that is given; "
            "compress it again: zstd -dc --long=31 FILE | zstd > NEW.zst"
        )
    if parameters.dict_id:
        raise BadFileError(
            f"the zstd frame needs dictionary {parameters.dict_id}; "
            "compress it again without: zstd -dc -D DICTIONARY FILE | zstd > NEW.zst"
        )
    return buffered.take(size)


def _cut_off(raw: int) -> BadFileError:
    return CutOffError(f"the zstd data is cut off after {raw:,} unpacked bytes")


def _corrupt(raw: int, reason: str) -> BadFileError:
    return BadFileError(f"the zstd data is corrupt after {raw:,} unpacked bytes ({reason})")

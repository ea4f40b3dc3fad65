"""What holds for every file: what the library refuses is refused here, and what it accepts gives the same bytes."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from hypothesis import strategies as st
from isal import igzip_lib

from pipeline.codecs import CHUNK_BYTES, HEAD_BYTES, choose_codec, get_codec
from pipeline.codecs.documents import document_of
from pipeline.codecs.formats import compression_of, refused_format_of
from pipeline.codecs.stream import PADDING
from pipeline.codecs.transcode import encoding_of
from pipeline.errors import BadFileError
from pipeline.read.lines import LineCount, line_blocks, whole_lines
from tests.fuzz import oracles
from tests.fuzz.streams import Anywhere, Stream, files, gzip_member, raw_bytes, reads, whole

outcomes: Counter[str] = Counter()


def decoded(
    codec: str, data: bytes, sizes: Sequence[int] = (1 << 20,), kind: type[Stream] = Stream
) -> tuple[bytes, str | None]:
    """What our codec gives, and why it gives no more, if it refuses the file."""
    kept: list[bytes] = []
    try:
        for chunk in get_codec(codec).decode(kind(data, list(sizes))):
            assert 0 < len(chunk) <= CHUNK_BYTES
            kept.append(chunk)
    except BadFileError as e:
        return b"".join(kept), str(e)
    return b"".join(kept), None


def check_file(codec: str, data: bytes, sizes: Sequence[int]) -> None:
    """Against the library, strictly and by its own word; the same however the bytes arrive."""
    raw, fault = decoded(codec, data, sizes)
    outcomes[f"{codec}: {'refused' if fault else 'accepted'}"] += 1
    if codec == "zip":
        # Of two faults in a file either may be met first, by the pieces in which it comes.
        other, other_fault = decoded(codec, data, sizes, Anywhere)
        assert (other_fault is None) == (fault is None)
        assert other == raw or (fault and (other.startswith(raw) or raw.startswith(other)))
    wanted, refusal = _asked(oracles.strict, codec, data)
    if wanted is None:
        assert fault, f"{codec} takes what the library refuses: {refusal}"
    else:
        assert fault is None or _by_design(codec, fault), f"{codec} refuses what is whole: {fault}"
        assert fault or raw == wanted, f"{codec} gives other bytes"
    _check_own_word(codec, data, raw, fault, refusal)
    # A zip may have anything before it, such as a program that unpacks it: its first bytes do not tell.
    if fault is None and codec != "zip":
        assert choose_codec(data[:HEAD_BYTES], "x").name == codec


def _check_own_word(codec: str, data: bytes, raw: bytes, fault: str | None, strictly: str) -> None:
    """The relation to the library's own function; each difference is one of those in `oracles`."""
    theirs, refusal = _asked(oracles.library, codec, data)
    if theirs is None:
        # Padding that strictly is stepped over, too: the library refuses it, and what is behind it.
        padded = codec != "zip" and not strictly and any(byte in data for byte in PADDING)
        assert fault or padded, refusal
        return
    if codec != "zip" and encoding_of(theirs):
        try:
            theirs = oracles.in_utf8(theirs)
        except oracles.RefusedByOracleError:
            assert fault
            return
    if fault is None:
        dropped = codec in ("bz2", "xz") and not strictly and raw.startswith(theirs)
        assert raw == theirs or dropped
        return
    spoiled_later = codec in ("bz2", "xz") and any(
        words in fault for words in ("follow", "cut off", "corrupt", "MiB of memory")
    )
    nothing = (not theirs and "decompresses to nothing" in fault) or ("is not" in fault and not data)
    layer = ("not text; " in fault and (compression_of(theirs) or refused_format_of(theirs))) or document_of(
        theirs
    )
    header = codec == "gzip" and "header" in strictly and "checksum" in fault
    assert spoiled_later or nothing or layer or header or _by_design(codec, fault), (fault, theirs[:50])
    # What was given before the fault is what the library gives as well, from the first byte on.
    if codec != "zip":
        assert raw.startswith(theirs) or theirs.startswith(raw)


def _asked(oracle: Callable[[str, bytes], bytes], codec: str, data: bytes) -> tuple[bytes | None, str]:
    try:
        return oracle(codec, data), ""
    except oracles.RefusedByOracleError as e:
        return None, str(e)


def _by_design(codec: str, fault: str) -> bool:
    if codec == "zstd":
        return "needs a window of" in fault or "needs dictionary" in fault
    if codec == "zip":
        known = (
            "is encrypted",
            "uses compression method",
            "is a zip within a zip",
            "not text; unpack",
            "decompresses to nothing",
            "holds no files",
            "which is not read",
            "holds no data",
            "but is not",
            "neither text nor",
            "of something else follow the end of the zip archive",
            "in the comment at its end",
            "the zip archive is cut off or corrupt (",  # of one that is whole, `check_whole_zip` takes no such word
        )
        return any(words in fault for words in known)
    return False


def check_whole_zip(data: bytes, sizes: Sequence[int]) -> None:
    """An archive as zipfile makes them: its directory is never at fault, unless its comment is like an end record."""
    check_file("zip", data, sizes)
    _, fault = decoded("zip", data, sizes)
    theirs, _ = _asked(oracles.library, "zip", data)
    assert theirs is None or "corrupt (" not in (fault or ""), fault


def check_deflate(body: bytes, sizes: Sequence[int]) -> None:
    """A gzip member whose sums are right, for whatever its body holds: by zlib's word and by ISA-L's."""
    head = gzip_member(b"", 0)[:10]
    for inflate in (_zlib, _isal):
        raw = inflate(body)
        if raw is None or len(raw) > 1 << 22:
            continue
        outcomes[f"deflate by {inflate.__name__}"] += 1
        data = head + body + struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)
        check_file("gzip", data, sizes)


def _zlib(body: bytes) -> bytes | None:
    decoder = zlib.decompressobj(-15)
    try:
        raw = decoder.decompress(body, 1 << 23)
    except zlib.error:
        return None
    return raw if decoder.eof and not decoder.unused_data else None


def _isal(body: bytes) -> bytes | None:
    decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    try:
        raw = decoder.decompress(body, 1 << 23)
    except igzip_lib.IsalError:
        return None
    return raw if decoder.eof and not decoder.unused_data else None


def check_lines(data: bytes, cuts: Sequence[int], max_line: int) -> None:
    """Lines are what bytes.split makes of them, wherever the chunks begin and end."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    marks = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    chunks = [data[a:b] for a, b in pairwise(marks)]
    blocks: list[bytes] = []
    try:
        blocks.extend(whole_lines(chunks, max_line=max_line))
        fault = None
    except BadFileError as e:
        fault = str(e)
    too_long = any(len(line) > max_line for line in lines)
    outcomes[f"lines: {'refused' if too_long else 'accepted'}"] += 1
    assert bool(fault) is too_long, fault
    assert all(block.endswith(b"\n") for block in blocks)
    got = b"".join(blocks)
    wanted = b"".join(line + b"\n" for line in lines)
    assert got == wanted if fault is None else wanted.startswith(got)
    assert b"".join(line_blocks(chunks)) == wanted
    _check_count(chunks, max_line, too_long=too_long)


def _check_count(chunks: Sequence[bytes], max_line: int, *, too_long: bool) -> None:
    count, data = LineCount(max_line=max_line), b"".join(chunks)
    try:
        for chunk in chunks:
            count.add(chunk)
    except BadFileError:
        assert too_long
    else:
        assert not too_long
        assert (count.size, count.lines, count.whole) == (len(data), data.count(b"\n"), data.rfind(b"\n") + 1)


_line_pieces = st.sampled_from(
    [b"", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"a", b"bc" * 50, b"x" * 70_000, b"\n\n", b" "]
)
_bodies = st.builds(
    lambda raw, level, change: change(gzip_member(raw, level)[10:-8]),
    raw_bytes,
    st.integers(0, 15),
    st.one_of(
        st.builds(
            lambda at, bit: lambda body: _flipped(body, at, bit), st.integers(0, 1 << 16), st.integers(0, 7)
        ),
        st.builds(
            lambda at, value: lambda body: body[: at % (len(body) + 1)] + value,
            st.integers(0, 1 << 16),
            st.binary(max_size=30),
        ),
        st.binary(max_size=40).map(lambda value: lambda _: value),
    ),
)


def _flipped(body: bytes, at: int, bit: int) -> bytes:
    spoiled = bytearray(body)
    spoiled[at % len(body)] ^= 1 << bit
    return bytes(spoiled)


# Each property: what is checked, and the strategies of its arguments.
Property = tuple[Callable[..., None], tuple[st.SearchStrategy[object], ...]]
PROPERTIES: dict[str, Property] = {
    **{
        codec: (check_file, (st.just(codec), files(codec), reads))
        for codec in ("bz2", "gzip", "xz", "zstd", "zip")
    },
    "zips": (check_whole_zip, (whole("zip"), reads)),
    "deflate": (check_deflate, (_bodies, reads)),
    "lines": (
        check_lines,
        (
            st.lists(_line_pieces, max_size=40).map(b"".join),
            st.lists(st.integers(0, 1 << 20), max_size=12),
            st.sampled_from([1, 20, 100, 70_000, 1 << 20]),
        ),
    ),
}

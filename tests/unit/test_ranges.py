"""One file decoded by ranges, however they are cut: the lines are those of the whole, each once, or it is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib
from dataclasses import replace

import pytest
import zstandard

from pipeline.codecs import get_codec
from pipeline.codecs.split import bz2 as split_bz2
from pipeline.codecs.split import splitter_of
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError
from pipeline.graph.range_stages import IN_ORDER, JoinRanges, LargeJob, RangeFound
from pipeline.progress import snapshot
from pipeline.read.large import RangeReader, look_at_large
from pipeline.read.ranges import join_ranges, read_range
from pipeline.storage import PlainStore
from pipeline.storage.checksum import Crc32c

STORE = PlainStore()
BZ2 = splitter_of("bz2")


class Held:
    """Bytes at hand, as a store gives them."""

    def __init__(self, data):
        self.data = data

    def length(self):
        return len(self.data)

    def read_at(self, start, size):
        return self.data[start : start + size]


def lines(r, count, *, longest=60, ended=True):
    made = b"\n".join(
        b'{"n":%d,"x":"%s"}' % (i, b"%x" % r.getrandbits(r.randrange(8, 4 * longest))) for i in range(count)
    )
    return made + b"\n" * ended


def read_by(plan, data, splitter=BZ2, told=lambda stop: stop):
    """The bytes that the ranges of a plan write, in their order, and what they make together.

    `told` is the end that a range is told of before it is cut at `stop`.
    """
    written, ranges, first = [], [], splitter.first(Held(data))
    for start, stop in zip(plan, [*plan[1:], len(data)], strict=True):
        pieces = []
        one = read_range(
            splitter,
            Held(data),
            (start, told(stop)),
            lambda _, stop=stop: stop,
            pieces.append,
            first=first,
        )
        if one is not None:
            ranges.append(one)
            written += pieces
    whole = join_ranges(ranges, first, len(data))
    return b"".join(written), whole


def plan_of(r, size):
    """Where ranges begin: few or many, some of them of a byte or two."""
    cuts = {r.randrange(1, size) for _ in range(r.choice((0, 1, 2, 5, 12)))}
    cuts |= {cut + r.randrange(1, 3) for cut in set(cuts) if r.random() < 0.2 and cut + 3 < size}
    return [0, *sorted(cuts)]


def files(r):
    a, b = lines(r, 1700), lines(r, 300)
    level = r.choice((1, 2, 9))
    yield "one stream", bz2.compress(a, 1), a
    yield "two streams", bz2.compress(a, level) + bz2.compress(b, 1), a + b
    yield (
        "cut anywhere into streams",
        b"".join(bz2.compress(a[i : i + 9_000], 1) for i in range(0, len(a), 9_000)),
        a,
    )
    yield "tiny streams", b"".join(bz2.compress(b[i : i + 40], 1) for i in range(0, 4_000, 40)), b[:4_000]
    yield (
        "empty streams between",
        bz2.compress(b"") + bz2.compress(a, 1) + bz2.compress(b"") * 2 + bz2.compress(b),
        a + b,
    )
    noise = bytes(r.choices(range(256), k=130_000)).replace(b"\n", b" ")
    yield "one line over many blocks", bz2.compress(noise + b"\n" + b, 1), noise + b"\n" + b
    yield "no end of its last line", bz2.compress(a + b'{"last":1}', 1), a + b'{"last":1}'
    yield "one line without an end", bz2.compress(noise, 1), noise
    yield "blank lines", bz2.compress(b"\n" * 110_000 + a, 1), b"\n" * 110_000 + a


def bgzf(raw, size=20_000):
    """As bgzip writes it, with an empty member at its end."""
    members = []
    for i in [*range(0, len(raw), size), len(raw)]:
        body = zlib.compressobj(wbits=-15)
        packed = body.compress(raw[i : i + size]) + body.flush()
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (len(packed) + 25).to_bytes(2, "little")
        piece = raw[i : i + size]
        members.append(
            head + packed + zlib.crc32(piece).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
        )
    return b"".join(members)


def xz_of(raw, size=50_000):
    """One stream of several blocks, as `xz -T` writes it, made of streams of one block each."""
    blocks, records = [], b""
    number = lambda n: bytes([n & 0x7F | 0x80]) + number(n >> 7) if n > 0x7F else bytes([n])  # noqa: E731
    for i in range(0, len(raw), size):
        one = lzma.compress(raw[i : i + size], preset=0)
        index = len(one) - 12 - (int.from_bytes(one[-8:-4], "little") + 1) * 4
        header, flags = one[:12], one[6:8]
        blocks.append(one[12:index])
        end = next(at for at in range(index + 2, len(one)) if one[at] < 0x80) + 1  # of the first number there
        records += one[index + 2 : end] + number(len(raw[i : i + size]))
    index = b"\0" + number(len(blocks)) + records
    index += bytes(-len(index) % 4)
    index += zlib.crc32(index).to_bytes(4, "little")
    tail = (len(index) // 4 - 1).to_bytes(4, "little") + flags
    data = header + b"".join(blocks) + index + zlib.crc32(tail).to_bytes(4, "little") + tail + b"YZ"
    assert lzma.decompress(data) == raw
    return data


def zstd_of(raw, size=30_000, *, checksum=True):
    """Frames of their own, some of them to be skipped, as pzstd writes it."""
    packer = zstandard.ZstdCompressor(write_checksum=checksum)
    frames = [packer.compress(raw[i : i + size]) for i in range(0, len(raw), size)]
    return b"".join(b"\x50\x2a\x4d\x18\x04\0\0\0" + len(f).to_bytes(4, "little") + f for f in frames)


def of_units(r):
    a, b = lines(r, 6000), lines(r, 900)
    noise = bytes(r.choices(range(11, 256), k=120_000))
    yield "gzip", bgzf(a), a
    yield "gzip", bgzf(noise + b"\n" + b, 60_000), noise + b"\n" + b
    yield "xz", xz_of(a), a
    yield "xz", xz_of(a) + lzma.compress(b"") + lzma.compress(b) + xz_of(b, 7_000), a + b + b
    yield "xz", xz_of(noise + b"\n" + b[:-1]), noise + b"\n" + b[:-1]
    yield "zstd", zstd_of(a), a
    yield "zstd", zstd_of(noise + b"\n" + b, checksum=False), noise + b"\n" + b
    # What a unit holds may look like one.
    inner = zstandard.ZstdCompressor().compress(b"no\n" * 50).replace(b"\n", b" ")
    stored = b"".join(b"x" + inner + b"%d" % i for i in range(3000))
    yield (
        "zstd",
        zstd_of(stored.replace(b"\n", b"") + b"\n" + a, 9_000),
        stored.replace(b"\n", b"") + b"\n" + a,
    )


@pytest.mark.parametrize("seed", range(4))
def test_so_do_formats_of_units(seed):
    r = random.Random(seed)
    for codec, data, raw in of_units(r):
        for _ in range(8):
            plan = plan_of(r, len(data))
            end = len(data) if r.random() < 0.3 else 0
            written, whole = read_by(
                plan, data, splitter_of(codec), told=lambda stop, end=end: max(stop, end)
            )
            assert written == with_end(raw), (codec, plan)
            assert (whole.lines, whole.raw) == (with_end(raw).count(b"\n"), len(raw)), (codec, plan)


@pytest.mark.parametrize("codec", ["gzip", "xz", "zstd"])
def test_units_at_fault_are_never_whole(codec):
    r = random.Random(9)
    raw = lines(r, 4000)
    good = {"gzip": bgzf, "xz": xz_of, "zstd": zstd_of}[codec](raw)
    for damage in ("flipped", "cut", "behind", "lost") * 15:
        data = bytearray(good)
        if damage == "flipped":
            # Not in what a reader may leave out of account: gzip's time and system, lengths of frames to be skipped.
            at = r.randrange(len(good) // 4, len(good) // 2)
            data[at] ^= 1 << r.randrange(8)
        elif damage == "cut":
            del data[r.randrange(len(good) // 2, len(good)) :]
        elif damage == "behind":
            data += b"something else"
        else:
            at = r.randrange(1, len(good) // 2)
            del data[at : at + 3_000]
        data = bytes(data)
        if splitter_of(codec).first(Held(data)) is None:
            continue
        try:
            written, _ = read_by(plan_of(r, len(data)), data, splitter_of(codec))
        except BadFileError:
            continue
        in_order = b"".join(
            get_codec(codec).decode(BufferedStream(io.BytesIO(data)))
        )  # which takes it as well
        assert written == with_end(in_order), damage


def test_files_of_one_unit_are_read_in_order():
    raw = lines(random.Random(1), 4000)
    assert splitter_of("gzip").first(Held(gzip.compress(raw))) is None
    assert splitter_of("gzip").first(Held(gzip.compress(raw) * 3)) is None  # whose members tell no length
    assert splitter_of("xz").first(Held(lzma.compress(raw))) is None
    assert splitter_of("zstd").first(Held(zstandard.ZstdCompressor().compress(raw))) is None
    assert splitter_of("plain") is None


def with_end(raw):
    return raw if raw.endswith(b"\n") else raw + b"\n"


@pytest.mark.parametrize("seed", range(8))
def test_a_thousand_plans_give_each_line_once(seed):
    r = random.Random(seed)
    for name, data, raw in files(r):
        for _ in range(14):  # 8 seeds, 9 files, 14 plans
            plan = plan_of(r, len(data))
            cut_later = r.random() < 0.3  # while it is read
            end = len(data) if cut_later else 0
            written, whole = read_by(plan, data, told=lambda stop, end=end: max(stop, end))
            told = (name, plan, cut_later)
            assert written == with_end(raw), told
            assert whole.lines == with_end(raw).count(b"\n"), told
            assert whole.raw == len(raw), told
            crc, stored = Crc32c(), Crc32c()
            crc.update(written)
            stored.update(data[4:])
            assert (whole.output.crc32c, whole.stored.crc32c) == (str(crc), str(stored)), told
            assert whole.stored.size == len(data) - 4, told


def lying_marks(r, true_marks):
    """What finds the marks of bz2, and some where there are none."""

    def lying(data, *, from_byte=0):
        false = [
            (
                r.randrange(from_byte * 8, len(data) * 8 - 100),
                r.choice((split_bz2.BLOCK, split_bz2.BLOCK + 1)),
            )
            for _ in range(3)
            if len(data) - from_byte > 400
        ]
        found = true_marks(data, from_byte=from_byte)
        return sorted(set(found + [mark for mark in false if mark[0] not in {at for at, _ in found}]))

    return lying


def test_false_marks_do_no_harm(monkeypatch):
    r = random.Random(5)
    monkeypatch.setattr(split_bz2, "marks", lying_marks(r, split_bz2.marks))
    for name, data, raw in files(r):
        for _ in range(6):
            plan = plan_of(r, len(data))
            try:
                written, _ = read_by(plan, data)
            except BadFileError:
                continue  # a mark that is false and was believed: what does not meet is read in order
            assert written == with_end(raw), (name, plan)
        assert read_by([0], data)[0] == with_end(raw), name


@pytest.mark.parametrize(
    "damage", ["flipped", "cut", "cut in its end", "behind", "stream's CRC", "header behind", "lost"]
)
def test_a_file_at_fault_is_never_whole(damage):
    r = random.Random(6)
    raw = lines(r, 9000)
    cut = raw.rfind(b"\n", 0, 200_000) + 1
    first, second = bz2.compress(raw[:cut], 1), bz2.compress(raw[cut:], 1)
    for _ in range(25):
        data = bytearray(first + second)
        if damage == "flipped":
            data[r.randrange(20, len(data) - 12)] ^= 1 << r.randrange(8)
        elif damage == "cut":
            del data[r.randrange(20, len(data) - 12) :]
        elif damage == "cut in its end":
            del data[-r.randrange(1, 10) :]
        elif damage == "behind":
            data += r.choice((b"hello there", b"\0" * 20, b"\n"))
        elif damage == "stream's CRC":
            data[r.choice((len(first), len(data))) - 3] ^= 8
        elif damage == "header behind":
            data += b"BZh9"
        else:
            data = data[: len(first) // 2] + second
        with pytest.raises(BadFileError):
            read_by(plan_of(r, len(data)), bytes(data))


def test_a_block_that_holds_a_great_deal_is_refused_by_the_bound():
    data = bz2.compress(b"x" * 60_000_000, 9)
    with pytest.raises(BadFileError, match="more than it may"):
        read_by([0], data)


def test_ranges_that_do_not_meet_are_refused():
    r = random.Random(7)
    raw = lines(r, 9000)
    data = bz2.compress(raw, 1)
    first = BZ2.first(Held(data))
    middle = len(data) // 2

    def read(start, stop):
        return read_range(BZ2, Held(data), (start, stop), lambda _: stop, lambda _: None, first=first)

    halves = [read(0, middle), read(middle, len(data))]
    assert join_ranges(halves, first, len(data)).raw == len(raw)
    for wrong in ([halves[0]], [halves[1]], [], [halves[0], halves[0], halves[1]]):
        with pytest.raises(BadFileError):
            join_ranges(wrong, first, len(data))


def test_a_joining_that_is_repeated_counts_once(tmp_path):
    """Of ranges that do not meet, nothing: the file is read in order after them, and counts its bytes then."""
    path = tmp_path / "large.bz2"
    path.write_bytes(bz2.compress(lines(random.Random(8), 9000), 1))
    with STORE.open_read(str(path)) as stream:
        file = look_at_large(STORE, stream)
    middle, job = file.size // 2, LargeJob(file, "large")

    def tallied():
        return [snapshot().get(name, 0) for name in ("read-bytes", "raw-bytes")]

    before = tallied()
    found = RangeReader(STORE, file, lambda _: None, 1000).read(0, middle, lambda _: middle)
    assert tallied() > before
    for _ in range(2):  # a bundle may be repeated
        told = JoinRanges(STORE, "2026-01-01-0badcafe", 1000).process((b"uri", [RangeFound(job, found)]))
        assert [(one.tag, one.value) for one in told] == [(IN_ORDER, b"uri")]
        assert tallied() == before

    parts = [
        RangeReader(STORE, file, lambda _: None, 1000).read(start, stop, lambda _, stop=stop: stop)
        for start, stop in ((0, middle), (middle, file.size))
    ]
    whole = [RangeFound(replace(job, name="whole"), part) for part in parts]
    read = tallied()
    for _ in range(2):
        told = list(JoinRanges(STORE, "2026-01-01-0badcafe", 1000).process((b"uri", whole)))
        assert [one.value.raw_bytes for one in told] == [read[1] - before[1]]
        assert [now - was for now, was in zip(tallied(), before, strict=True)] == [
            file.size,
            read[1] - before[1],
        ]

"""One file decoded by ranges, however they are cut: the lines are those of the whole, each once, or it is refused."""

from __future__ import annotations

import bz2
import random

import pytest

from pipeline.codecs.split import bz2 as split_bz2
from pipeline.codecs.split import splitter_of
from pipeline.errors import BadFileError
from pipeline.read.ranges import join_ranges, read_range
from pipeline.storage.checksum import Crc32c

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


def read_by(plan, data, splitter=BZ2):
    """The bytes that the ranges of a plan write, in their order, and what they make together."""
    written, ranges = [], []
    for start, stop in zip(plan, [*plan[1:], len(data)], strict=True):
        pieces = []
        blocks = splitter.blocks(Held(data), start, stop)
        one = read_range(blocks, splitter.first(data[:16]), lambda at, stop=stop: at < stop, pieces.append)
        blocks.close()
        if one is not None:
            ranges.append(one)
            written += pieces
    whole = join_ranges(ranges, splitter.first(data[:16]), len(data))
    return b"".join(written), whole


def plan_of(r, size):
    """Where ranges begin: few or many, some of them of a byte or two."""
    cuts = {r.randrange(1, size) for _ in range(r.choice((0, 1, 2, 5, 12)))}
    cuts |= {cut + r.randrange(1, 3) for cut in set(cuts) if r.random() < 0.2 and cut + 3 < size}
    return [0, *sorted(cuts)]


def files(r):
    a, b = lines(r, 2200), lines(r, 500)
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
    noise = bytes(r.choices(range(256), k=220_000)).replace(b"\n", b" ")
    yield "one line over many blocks", bz2.compress(noise + b"\n" + b, 1), noise + b"\n" + b
    yield "no end of its last line", bz2.compress(a + b'{"last":1}', 1), a + b'{"last":1}'
    yield "one line without an end", bz2.compress(noise, 1), noise
    yield "blank lines", bz2.compress(b"\n" * 150_000 + a, 1), b"\n" * 150_000 + a


def with_end(raw):
    return raw if raw.endswith(b"\n") else raw + b"\n"


@pytest.mark.parametrize("seed", range(8))
def test_a_thousand_plans_give_each_line_once(seed):
    r = random.Random(seed)
    for name, data, raw in files(r):
        for _ in range(14):  # 8 seeds, 9 files, 14 plans
            plan = plan_of(r, len(data))
            written, whole = read_by(plan, data)
            told = (name, plan)
            assert written == with_end(raw), told
            assert whole.lines == with_end(raw).count(b"\n"), told
            assert whole.raw == len(raw), told
            crc, stored = Crc32c(), Crc32c()
            crc.update(written)
            stored.update(data[4:])
            assert (whole.output.crc32c, whole.stored.crc32c) == (str(crc), str(stored)), told
            assert whole.stored.size == len(data) - 4, told


def test_false_marks_do_no_harm(monkeypatch):
    r = random.Random(5)
    true_marks = split_bz2.marks

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

    monkeypatch.setattr(split_bz2, "marks", lying)
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
    first = BZ2.first(data[:16])
    middle = len(data) // 2

    def read(start, stop):
        return read_range(BZ2.blocks(Held(data), start, stop), first, lambda at: at < stop, lambda _: None)

    halves = [read(0, middle), read(middle, len(data))]
    assert join_ranges(halves, first, len(data)).raw == len(raw)
    for wrong in ([halves[0]], [halves[1]], [], [halves[0], halves[0], halves[1]]):
        with pytest.raises(BadFileError):
            join_ranges(wrong, first, len(data))

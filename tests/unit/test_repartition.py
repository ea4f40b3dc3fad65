from __future__ import annotations

import dataclasses
import random
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ReconciliationError, TransferError
from pipeline.ledger import Part
from pipeline.storage import PlainStore
from pipeline.storage.checksum import Crc32c, crc32c_of_run
from pipeline.write import shards as repartition
from pipeline.write.groups import index_of
from pipeline.write.parts_in_order import PartsInOrder
from pipeline.write.shards import Shard, check_shards, locate, plan_cuts, plan_shards, write_shard
from tests.fixtures.finishing import in_order

STORE = PlainStore()

LINE = st.sampled_from([b"\n", b"a\n", b"\r\n", b"bcdefgh\n", b"\xff" * 30 + b"\n"])
PARTS = st.lists(st.lists(LINE, max_size=12).map(b"".join), max_size=6)


def parts_of(folder, contents: list[bytes]) -> list[Part]:
    parts = []
    for i, data in enumerate(contents):
        path = folder / f"part-{i:03d}.ndjson"
        path.write_bytes(data)
        parts.append(Part(str(path), len(data), data.count(b"\n"), None))
    return parts


def shards_of(folder, contents: list[bytes], wanted: int) -> list[Part]:
    parts = parts_of(folder, contents)
    offsets = {cut.uri: cut for cut in map(partial(locate, STORE), plan_cuts(parts, wanted))}
    planned = plan_shards(parts, offsets, wanted)
    return [write_shard(STORE, shard, in_order(parts), str(folder / "shards")) for shard in planned]


@settings(deadline=None, max_examples=120)
@given(PARTS, st.integers(1, 40), st.sampled_from([1, 2, 5, 16, 8 << 20]))
def test_any_parts_in_any_number_of_shards_give_the_same_lines(
    tmp_path_factory, contents, wanted, read_bytes
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repartition, "_READ_BYTES", read_bytes)
        patch.setattr(repartition, "_STRIDE_BYTES", 1)
        folder = tmp_path_factory.mktemp("parts")
        shards = shards_of(folder, contents, wanted)
    written = [Path(shard.uri).read_bytes() for shard in sorted(shards)]
    lines = [data.count(b"\n") for data in written]
    assert b"".join(written) == b"".join(contents)
    assert len(shards) == min(wanted, sum(lines))
    assert [shard.lines for shard in shards] == lines
    assert [shard.size for shard in shards] == [len(data) for data in written]
    if shards:
        assert min(lines) >= 1
        assert max(lines) - min(lines) <= 1


def test_a_shard_may_be_written_again(tmp_path):
    contents = [b"a\nb\n", b"c\n"]
    first, again = shards_of(tmp_path, contents, 2), shards_of(tmp_path, contents, 2)
    assert [(p.size, p.lines, p.crc32c) for p in first] == [(p.size, p.lines, p.crc32c) for p in again]
    assert [STORE.read_bytes(part.uri) for part in (*first, *again)] == [b"a\n", b"b\nc\n"] * 2
    assert len({part.uri for part in (*first, *again)}) == 4


def test_no_lines_make_no_shard_whatever_was_asked_for(tmp_path):
    assert shards_of(tmp_path, [], 5) == []
    assert shards_of(tmp_path, [b""], 5) == []


def test_nothing_is_read_of_a_part_that_is_not_cut():
    assert plan_cuts([Part("/no/such/part", 10, 2, None)], 1) == []


def test_many_parts_are_planned_and_found_by_their_groups():
    """Of the parts no list is made: what is held is their groups, in few bytes a part."""
    indexes = [
        index_of(
            f"{key:03x}",
            [Part(f"/J/output/part-{key:03x}{n:03x}.ndjson", 100 + n, 10, None) for n in range(50)],
        )
        for key in range(0, 4096, 8)
    ]
    parts = PartsInOrder(indexes, "/J/output")
    size = sum(100 + n for n in range(50))
    assert (parts.size, parts.lines) == (512 * size, 512 * 500)
    assert sum(len(index.packed) for index in indexes) < 40 * 512 * 50
    shards = plan_shards(parts, {}, 1)
    assert shards == [Shard(0, 1, 0, parts.size)]
    slices = list(parts.between(5 * size + 30, 5 * size + 250))
    folder = "/J/output/part-028"
    assert [(one.uri, one.start, one.end) for one in slices] == [
        (f"{folder}000.ndjson", 30, 100),
        (f"{folder}001.ndjson", 0, 101),
        (f"{folder}002.ndjson", 0, 49),
    ]
    assert [one.at for one in slices] == [5 * size + 30, 5 * size + 100, 5 * size + 201]
    assert parts.before(f"{folder}002.ndjson") == (5 * size + 201, 5 * 500 + 20)
    assert parts.before(f"{folder}fff.ndjson") is None
    assert parts.before("/J/output/part-001000.ndjson") is None


def test_a_part_that_has_become_shorter_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.storage.patience.time.sleep", lambda _: None)
    (part,) = parts_of(tmp_path, [b"a\nb\nc\nd\n"])
    (cut,) = plan_cuts([part], 4)
    (tmp_path / "part-000.ndjson").write_bytes(b"a\n")
    with pytest.raises(TransferError, match=r"ends at byte 2, before 8"):
        locate(STORE, cut)
    with pytest.raises(TransferError, match=r"ends at byte 2, before 8"):
        write_shard(STORE, Shard(0, 1, 0, 8), in_order([part]), str(tmp_path / "shards"))
    assert list((tmp_path / "shards").iterdir()) == []


def test_cuts_that_are_lost_on_the_way_are_noticed():
    parts = [Part("a", 10, 5, None), Part("b", 10, 5, None)]
    with pytest.raises(ReconciliationError, match="1 shards were planned where 2 were expected"):
        plan_shards(parts, {}, 2)


def test_thousands_of_cuts_in_one_block_are_found_in_time(tmp_path):
    rng = random.Random(1)
    lines = [b"x" * rng.randrange(150) + b"\n" for _ in range(50_000)]
    (part,) = parts_of(tmp_path, [b"".join(lines)])
    (cut,) = plan_cuts([part], 25_000)
    began = time.process_time()
    found = locate(STORE, cut)
    assert time.process_time() - began < 2  # each cut once counted the whole block: minutes
    starts, at = [], 0
    for line in lines:
        at += len(line)
        starts.append(at)
    assert list(found.offsets) == [starts[2 * k - 1] for k in range(1, 25_000)]


def test_thousands_of_parts_in_thousands_of_shards_are_planned_in_time():
    parts = [Part(f"{i:06d}", 100, 10, None) for i in range(10_000)]
    began = time.process_time()
    cuts = plan_cuts(parts, 99_999)
    assert time.process_time() - began < 2  # each part once looked at every cut: minutes
    assert sum(len(cut.lines) for cut in cuts) == 99_998


# What was copied is what was written


def written(folder: Path, contents: list[bytes]) -> list[Part]:
    folder.mkdir()
    parts = []
    for i, data in enumerate(contents):
        with STORE.open_write(f"{folder}/part-{i:03d}.ndjson") as out:
            out.write(data)
        parts.append(Part(out.uri, out.size, data.count(b"\n"), out.crc32c))
    return parts


def checksum(data: bytes) -> str:
    crc = Crc32c()
    crc.update(data)
    return str(crc)


def copied_to(folder: Path, parts: list[Part], planned: list[Shard]) -> list[Part]:
    return [write_shard(STORE, shard, in_order(parts), str(folder)) for shard in planned]


@given(st.lists(st.binary(max_size=300)))
def test_the_checksum_of_a_run_is_that_of_its_bytes(pieces):
    assert crc32c_of_run((checksum(piece), len(piece)) for piece in pieces) == checksum(b"".join(pieces))


def test_shards_hold_the_bytes_of_the_parts_or_are_none(tmp_path, monkeypatch):
    parts = written(tmp_path / "parts", [b"one\ntwo\n", b"", b"three\n" * 50])

    def copied() -> list[Part]:
        cuts = {cut.uri: cut for cut in (locate(STORE, cut) for cut in plan_cuts(parts, 7))}
        return copied_to(tmp_path / "shards", parts, plan_shards(parts, cuts, 7))

    shards = copied()
    assert check_shards(parts, shards[::-1]) == shards[::-1]
    real = PlainStore.read_range
    monkeypatch.setattr(PlainStore, "read_range", lambda *given: real(*given).replace(b"two", b"tow"))
    monkeypatch.setattr("pipeline.storage.patience.time.sleep", lambda _: None)
    with pytest.raises(TransferError, match="came with the CRC-32C"):
        copied()
    spoiled = dataclasses.replace(shards[0], crc32c=shards[1].crc32c)
    with pytest.raises(ReconciliationError, match="some changed as they were read"):
        check_shards(parts, [spoiled, *shards[1:]])


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: data[::-1]])
def test_what_does_not_come_as_it_was_written_is_read_again(tmp_path, monkeypatch, spoil):
    parts = written(tmp_path / "parts", [b"one\ntwo\n", b"x" * 40 + b"\n", b"three\n" * 50])
    real, asked = PlainStore.read_range, []

    def sometimes(*given) -> bytes:
        asked.append(given)
        data = real(*given)
        return spoil(data) if len(asked) % 7 == 1 else data

    monkeypatch.setattr(PlainStore, "read_range", sometimes)
    monkeypatch.setattr("pipeline.storage.patience.time.sleep", lambda _: None)
    cuts = {cut.uri: cut for cut in (locate(STORE, cut) for cut in plan_cuts(parts, 7))}
    shards = copied_to(tmp_path / "shards", parts, plan_shards(parts, cuts, 7))
    monkeypatch.undo()
    assert check_shards(parts, shards) == shards
    assert b"".join(STORE.read_bytes(shard.uri) for shard in shards) == b"".join(
        STORE.read_bytes(part.uri) for part in parts
    )
    assert len(list((tmp_path / "shards").iterdir())) == 7  # nothing is left of what was tried in vain

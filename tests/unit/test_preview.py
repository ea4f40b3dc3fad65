from __future__ import annotations

import bz2
import gzip
import json
import lzma
from functools import cache

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from chimera_nb.data.json_tree import json_tree, outline
from chimera_nb.data.preview import MAX_BYTES, Preview, preview, preview_bytes
from chimera_nb.local.demo.files import market_of_size
from pipeline.errors import ObjectNotFoundError, RefusedError, StackError
from pipeline.storage import PlainStore
from tests.fixtures.files import REAL, Given, bad_files, good_files, lines

STORE = PlainStore()

STREAMING = ("bz2", "gzip", "xz", "zstd")


def compress(codec: str, raw: bytes) -> bytes:
    return {
        "plain": lambda: raw,
        "bz2": lambda: bz2.compress(raw),
        "gzip": lambda: gzip.compress(raw),
        "xz": lambda: lzma.compress(raw, preset=1),
        "zstd": lambda: zstandard.ZstdCompressor(level=9, write_checksum=True).compress(raw),
    }[codec]()


def front_of(data: bytes, end: int) -> Preview:
    """What is shown of a file of which so many bytes are read first."""
    return preview_bytes("x", data[:end], len(data))


@cache
def market() -> bytes:
    return market_of_size(7, 6_000_000, plan="PRO")


@pytest.mark.parametrize("codec", ["plain", *STREAMING])
def test_a_long_file_shows_its_first_lines_and_an_estimate_of_the_rest(codec):
    raw = market()
    data = compress(codec, raw)
    assert len(data) > MAX_BYTES * 1.2
    found = front_of(data, MAX_BYTES)
    assert (found.codec, found.problem, found.complete) == (codec, None, False)
    assert found.size == len(data)
    assert found.read_bytes == MAX_BYTES
    # A bz2 block holds 900 kB of unpacked bytes; every whole one must be there.
    assert found.raw_bytes > 0.4 * len(raw) * MAX_BYTES / len(data)
    if codec == "bz2":
        assert found.raw_bytes > 1_700_000
    assert found.lines
    assert raw.startswith(b"\n".join(found.lines) + b"\n")
    assert found.estimated_raw_bytes == pytest.approx(len(raw), rel=0.2)
    assert found.estimated_lines == pytest.approx(raw.count(b"\n"), rel=0.3)


@pytest.mark.parametrize(
    "given", [one for one in good_files() if one.codec != "zip"], ids=lambda given: given.name
)
def test_a_good_file_that_is_short_is_shown_whole(tmp_path, given: Given):
    path = tmp_path / given.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(given.data)
    found = preview(str(path))
    assert (found.complete, found.problem, found.codec) == (True, None, given.codec)
    assert b"".join(line + b"\n" for line in found.lines) == given.lines
    assert found.estimated_lines == given.lines.count(b"\n")
    assert found.raw_bytes == found.estimated_raw_bytes
    assert ("is named .bz2" in (found.note or "")) == given.name.startswith("gzip by its bytes")


@pytest.mark.parametrize("given", bad_files(), ids=lambda given: given.name)
def test_a_broken_file_says_what_is_wrong(tmp_path, given: Given):
    path = tmp_path / given.name
    path.parent.mkdir(parents=True)
    path.write_bytes(given.data)
    found = preview(str(path))
    assert given.fault in found.problem
    assert not found.complete
    assert found.estimated_raw_bytes is None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STREAMING), st.integers(1, 4), st.integers(1, 900), st.data())
def test_wherever_what_was_read_ends_the_file_is_not_called_broken(codec, members, count, data):
    """So codecs' words for what ends too early are those that a preview looks for."""
    raws = [lines(n, count) + b"\n" for n in range(members)]
    stored = b"".join(compress(codec, raw) for raw in raws)
    cut = data.draw(st.integers(1, len(stored) - 1))
    found = preview_bytes("x", stored[:cut], len(stored))
    if cut > 12 or codec != "zstd":
        assert found.problem is None
    assert b"".join(raws).startswith(b"".join(line + b"\n" for line in found.lines))


# A fault in deflated data may show in the checksum alone, which is at the end.
@pytest.mark.parametrize(
    ("codec", "whole"),
    [*((codec, True) for codec in STREAMING), *((codec, False) for codec in ("bz2", "xz", "zstd"))],
)
def test_a_fault_within_what_was_read_is_a_problem(codec, whole):
    raw = lines(3, 60_000) + b"\n"
    data = bytearray(compress(codec, raw))
    for at in range(len(data) * 2 // 3, len(data) * 2 // 3 + 40):
        data[at] ^= 0x5A
    end = len(data) if whole else len(data) - 1000
    found = preview_bytes("x.unknown", bytes(data[:end]), len(data))
    assert "corrupt" in found.problem
    assert found.estimated_lines is None
    assert raw.startswith(b"\n".join(found.lines[:100]))


def test_a_bz2_block_that_is_longer_than_what_was_read_is_said_plainly():
    data = bz2.compress(lines(5, 30_000))
    found = preview_bytes("x.bz2", data[:100_000], len(data))
    assert (found.lines, found.problem, found.estimated_lines) == ((), None, None)
    assert found.note == "its first 100,000 bytes hold no whole bz2 block, so nothing can be shown of it"


def test_a_line_without_an_end_is_said_plainly():
    found = preview_bytes("x", b"1" * 1000, 5000)
    assert (found.lines, found.problem, found.estimated_raw_bytes) == ((), None, 5000)
    assert found.note == "its first line is longer than the 1,000 unpacked bytes that were read"


@pytest.mark.parametrize("codec", STREAMING)
def test_a_bomb_is_decoded_to_a_bound_only(codec):
    data = compress(codec, b"0" * 99 + b"\n" + b"0" * 80_000_000)
    for end in {len(data), min(MAX_BYTES, len(data) * 3 // 4)}:
        found = front_of(data, end)
        assert found.raw_bytes <= 34 << 20
        assert not found.complete


# What it costs


def test_a_long_file_costs_one_ranged_request(tmp_path, monkeypatch):
    path = tmp_path / "x.bz2"
    path.write_bytes(bz2.compress(market()))
    asked, by_place = [], []
    read = STORE.open_read

    def counted(uri, **how):
        stream = read(uri, **how)
        asked.append((uri, how))
        stream.read_at = lambda *place: by_place.append(place)
        return stream

    monkeypatch.setattr(PlainStore, "open_read", staticmethod(counted))
    found = preview(str(path))
    assert (found.size, found.read_bytes) == (path.stat().st_size, MAX_BYTES)
    assert asked == [(str(path), {"first_bytes": MAX_BYTES, "generation": None})]
    assert by_place == []
    assert MAX_BYTES <= 256_000


def test_what_cannot_be_read_at_all_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(ObjectNotFoundError):
        preview(str(tmp_path / "absent"))
    with pytest.raises(RefusedError, match="max_bytes is 0"):
        preview(str(tmp_path / "absent"), max_bytes=0)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("CHIMERA_PLACE", raising=False)
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path))
    with pytest.raises(StackError, match="chimera up"):
        preview("gs://b/x")


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real files in {REAL}")
def test_real_files_are_shown():
    for line in (REAL / "MANIFEST.tsv").read_text().splitlines()[1:]:
        name, _, size, _, raw, _, count, *_ = line.split("\t")
        path = str(REAL / name)
        if name.endswith(".zip"):
            found = preview(path)
            assert found.note.startswith("the first file of data in the archive: ")
            assert all(json_tree(line) for line in found.lines)
            continue
        found = preview(path)
        assert found.problem is None
        assert found.size == int(size)
        assert found.estimated_raw_bytes == pytest.approx(int(raw), rel=0.2)
        assert all(json_tree(line) for line in found.lines)
        if found.complete:
            assert len(found.lines) == int(count)


# The tree of a line


def test_a_record_is_a_tree():
    tree = json_tree('{"op":"mcm","n":[1,{"é":null}],"x":{}}'.encode())
    assert outline(tree).splitlines() == [
        'op: "mcm"',
        "n: 2 items",
        "  0: 1",
        "  1: 1 field",
        "    é: null",
        "x: 0 fields",
    ]


@pytest.mark.parametrize("line", [b"no json", b"\xff", b"[" * 100_000, b""])
def test_what_is_no_json_has_no_tree(line):
    assert json_tree(line) is None


@pytest.mark.parametrize("indent", [None, 2])
def test_a_preview_says_what_is_no_ndjson(tmp_path, indent):
    records = [{"id": n, "text": "x" * 50} for n in range(20_000)]
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(json.dumps(records, indent=indent).encode()))
    for limit in (1000, 256_000):
        note = preview(str(path), max_bytes=limit).note
        assert note.startswith(
            "looks like one JSON array, not one JSON object a line; peek, sample and read_output"
        )

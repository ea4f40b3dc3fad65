"""A sample: uniform over records, the same for one seed, kept, of whatever files can be read."""

from __future__ import annotations

import bz2
import heapq
import json
import math
import os
import random
import warnings
from collections import Counter
from pathlib import Path

import pytest

from chimera_nb.data.sampling import cache
from chimera_nb.data.sampling.files import choose_files
from chimera_nb.data.sampling.lines import NUMBERS, Lowest, file_key, line_numbers, pick_lines
from chimera_nb.data.sampling.sample import SampleWarning, peek, sample
from pipeline.errors import (
    NothingMatchesError,
    RefusedError,
    StorageError,
    TooManyFailuresError,
    UnknownNameError,
)
from pipeline.storage import PlainStore
from tests.fixtures.files import as_read, bad_files, good_files, lines
from tests.fixtures.sampling import hold_no_sample, lay_lengths

STORE = PlainStore()


@pytest.fixture(autouse=True)
def data_dir(monkeypatch, tmp_path) -> Path:
    return hold_no_sample(monkeypatch, tmp_path / "data")


@pytest.fixture
def folder(tmp_path) -> Path:
    return lay_lengths(tmp_path / "in")


def records_of(folder: Path) -> dict[tuple[str, int], bytes]:
    return {
        (str(path), place): line
        for path in sorted(folder.rglob("*.bz2"))
        for place, line in enumerate(bz2.decompress(path.read_bytes()).split(b"\n"), 1)
    }


def rows(frame) -> list[tuple[str, int]]:
    return list(zip(frame._file, frame._file_line, strict=True))


# Uniform over records


def test_every_record_stands_the_same_chance_whatever_file_it_is_in():
    """Counts of 2,000 seeds, by file and by record, against their binomial distributions."""
    sizes = {b"a": 1000, b"b": 100, b"c": 10}
    blocks = {uri: lines(n, size) + b"\n" for n, (uri, size) in enumerate(sizes.items())}
    seeds, n, total = 2000, 50, sum(sizes.values())
    by_record = Counter()
    for seed in range(seeds):
        lowest = Lowest(n)
        for uri, block in blocks.items():
            assert pick_lines([block], uri, seed, lowest) == sizes[uri]
        by_record.update((uri, place) for _, uri, place, _ in lowest.lines())
    assert by_record.total() == seeds * n
    share = n / total
    for uri, size in sizes.items():
        found = sum(count for (file, _), count in by_record.items() if file == uri)
        assert abs(found - seeds * size * share) < 4 * math.sqrt(seeds * size * share * (1 - share))
    expected, variance = seeds * share, seeds * share * (1 - share)
    chi_square = sum(
        (by_record[uri, p + 1] - expected) ** 2 / variance for uri in sizes for p in range(sizes[uri])
    )
    assert abs(chi_square - total) < 4 * math.sqrt(2 * total)


def test_above_the_bound_files_stand_the_same_chance_and_so_do_their_records(tmp_path):
    """What `data.sampling.files` promises: file by file within chance, records within the share of a file."""
    sizes = {f"{n:02}": 10 + 90 * (n % 3) for n in range(60)}  # lines of ten bytes
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"".join(b"%s %06d\n" % (name.encode(), i) for i in range(size)))
    total = sum(sizes.values()) * 10
    chance, seeds, n = 0.4, 600, 100
    files, records = Counter(), Counter()
    for seed in range(seeds):
        chosen = choose_files(STORE, [f"{tmp_path}/"], seed=seed, max_bytes=int(total * chance))
        assert (chosen.total_files, chosen.total_bytes, chosen.exact) == (60, total, False)
        lowest = Lowest(n)
        for entry in chosen.files:
            name = Path(entry.uri).name
            files[name] += 1
            pick_lines([Path(entry.uri).read_bytes()], entry.uri.encode(), seed, lowest)
        records.update(Path(uri.decode()).name for _, uri, _, _ in lowest.lines())
    for name in sizes:
        assert abs(files[name] - seeds * chance) < 4.5 * math.sqrt(seeds * chance * (1 - chance))
    rates = {
        size: sum(records[name] for name in sizes if sizes[name] == size) / (size * 20)
        for size in (10, 100, 190)
    }
    largest_share = 190 * 10 / (total * chance)
    spread = 4 * math.sqrt(rates[10] / (10 * 20)) / rates[10]
    assert rates[190] / rates[10] > 1 - largest_share - spread
    assert rates[190] / rates[10] < 1 + spread
    assert records.total() == seeds * n


def test_at_least_one_file_is_read_however_large(tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(b"x\n" * 1000)
    found = {choose_files(STORE, [f"{tmp_path}/"], seed=seed, max_bytes=1).files for seed in range(30)}
    assert {len(files) for files in found} == {1}
    assert len(found) == 3


def test_choosing_from_many_files_keeps_no_more_than_it_takes(tmp_path, monkeypatch):
    """The same files, whether they are thinned out while they are listed or at the end."""
    for n in range(3000):
        (tmp_path / f"{n:04}").write_bytes(b"x" * (n % 7))
    chosen = choose_files(STORE, [f"{tmp_path}/"], seed=1, max_bytes=900)
    entries = list(STORE.list_objects(f"{tmp_path}/"))
    limit = NUMBERS * 900 // sum(entry.size for entry in entries)
    low = [entry for entry in entries if file_key(1, entry.uri.encode()) % NUMBERS < limit]
    assert chosen.files == tuple(sorted(low))
    assert 0 < len(low) < 600


# One frame for one seed


def split_mix(key: int, place: int) -> int:
    """SplitMix64 as its paper has it: an oracle without numpy."""
    mask = (1 << 64) - 1
    z = (key + (place + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) >> 1


def test_lines_are_numbered_by_splitmix64():
    for key in (0, 1, 2**64 - 1, random.Random(1).getrandbits(64)):
        assert line_numbers(key, 5, 40).tolist() == [split_mix(key, place) for place in range(5, 45)]
    # Its published first values for the seed 0 (Vigna, splitmix64.c).
    assert line_numbers(0, 0, 2).tolist() == [0xE220A8397B1DCDAF >> 1, 0x6E789E6AA1B965F4 >> 1]


def test_a_sample_holds_the_records_that_its_definition_names(folder, capfd):
    frame = sample(f"{folder}/**/*.bz2", 300, seed=4)
    everything = records_of(folder)
    keys = {path: file_key(4, path.encode()) for path, _ in everything}
    lowest = heapq.nsmallest(300, everything, key=lambda at: split_mix(keys[at[0]], at[1] - 1))
    assert rows(frame) == sorted(lowest)
    for at, seed, n in zip(rows(frame), frame.seed, frame.n, strict=True):
        assert everything[at].startswith(b'{"seed":%d,"n":%d,' % (seed, n))
    assert frame.attrs["sample"] | {"bytes": 0, "bytes_total": 0} == {
        "n": 300,
        "seed": 4,
        "exact": True,
        "files": 6,
        "files_total": 6,
        "files_failed": 0,
        "bytes": 0,
        "bytes_total": 0,
    }
    assert capfd.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_frame_however_it_is_asked_for(folder, monkeypatch, tmp_path):
    first = sample([f"{folder}/d0/", f"{folder}/d1", f"{folder}/d2/*.bz2"], 200, seed=9)
    assert len(first) == 200
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "other"))
    monkeypatch.setattr("chimera_nb.data.sampling.beam._GROUP", 1)
    monkeypatch.setattr("chimera_nb.data.sampling.beam.LOCAL_THREADS", 1)
    again = sample([f"{folder}/d2/", f"{folder}/d1/*", f"{folder}/d0"], 200, seed=9)
    assert first.equals(again)
    assert rows(sample(f"{folder}/", 200, seed=10)) != rows(first)


def test_fewer_records_than_were_asked_for_come_all(folder):
    frame = sample(f"{folder}/d2/", 5000)
    assert rows(frame) == sorted(at for at in records_of(folder) if "/d2/" in at[0])


def test_records_that_stand_in_several_files_are_drawn_from_once_unless_every_file_is_asked_for(tmp_path):
    """As a job of the source has it: an event's own file has all of its markets."""
    day = tmp_path / "in/PRO/2020/Jan/1/29614797"
    day.mkdir(parents=True)
    for name in ("1.1", "1.2", "29614797"):
        (day / f"{name}.bz2").write_bytes(bz2.compress(b'{"file":"%s"}\n' % name.encode()))

    def drawn(**options):
        return list(sample(tmp_path / "in/", 9, **options)["file"])

    assert drawn(source="betfair") == ["1.1", "1.2"]
    assert drawn(source="betfair", every_file=True) == drawn() == ["1.1", "1.2", "29614797"]


def test_blank_lines_are_no_records_and_other_lines_are_kept(tmp_path):
    path = tmp_path / "in" / "x"
    path.parent.mkdir()
    path.write_bytes(b'\n{"a":1}\r\n  \nno json\n\n{"a":2}')
    with pytest.warns(UserWarning, match="1 of 3 lines are no JSON objects"):
        frame = sample(f"{path.parent}/", 10)
    assert frame._file_line.tolist() == [2, 4, 6]
    assert frame._line.tolist()[1] == "no json"


# Kept


def test_a_second_call_reads_no_file_even_in_a_new_kernel(folder, monkeypatch):
    first = sample(f"{folder}/", 50)

    def refuse(uri, **_):
        raise AssertionError(f"{uri} was read again")

    monkeypatch.setattr(PlainStore, "open_read", staticmethod(refuse))
    second = sample(f"{folder}/", 50)
    second.loc[0, "seed"] = 77  # a caller's change is not the cache's
    cache._memory.clear()
    assert sample(f"{folder}/", 50).equals(first)
    with pytest.raises(AssertionError):
        sample(f"{folder}/", 51)


def test_a_file_that_changed_or_a_sample_that_is_damaged_is_drawn_anew(folder, data_dir):
    first = sample(f"{folder}/d2/", 5000)
    (kept,) = (data_dir / "samples").iterdir()
    kept.write_bytes(kept.read_bytes()[:-20].rpartition(b"\n")[0])
    cache._memory.clear()
    assert sample(f"{folder}/d2/", 5000).equals(first)
    path = next((folder / "d2").iterdir())
    path.write_bytes(bz2.compress(b'{"new":1}\n'))
    assert sample(f"{folder}/d2/", 5000).new.dropna().tolist() == [1]


def test_old_samples_go_when_there_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_FILES", 3)
    taken = cache.Sample((), files=1, files_total=1, bytes=1, bytes_total=1)
    for n in range(5):
        cache.keep(tmp_path, f"k{n}", taken)
        os.utime(tmp_path / f"k{n}.sample", (n, n))
    cache.keep(tmp_path, "k5", taken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k3.sample", "k4.sample", "k5.sample"]


# Files that cannot be read


def test_files_that_a_job_would_fail_give_no_record(tmp_path):
    good, bad = good_files(), bad_files()
    for given in (*good, *bad):
        path = tmp_path / "in" / given.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(given.data)
    files = len(as_read(good)) + len(bad)
    with pytest.warns(SampleWarning, match=rf"^{len(bad)} of {files} files cannot be read"):
        frame = sample(f"{tmp_path}/in/", 10_000)
    wanted = [
        line
        for given in good
        for line in given.lines.replace(b"\r", b"").split(b"\n")
        if line and given.codec
    ]
    assert len(frame) == len(wanted)
    assert not frame._file.str.contains("/bad/").any()
    with pytest.warns(SampleWarning, match="cannot be read"):  # the second time too
        sample(f"{tmp_path}/in/", 10_000)


def test_when_no_file_can_be_read_that_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.bz2").write_bytes(b"")
    with pytest.raises(TooManyFailuresError, match=r"none of the 1 files .*/x.bz2: is empty \(0 bytes\)"):
        sample(f"{tmp_path}/in/")


def test_what_the_store_failed_to_give_is_tried_again(folder, monkeypatch):
    read = STORE.open_read

    def fail(uri, **version):
        if "1.3" in uri:
            raise StorageError(uri, "the store does not answer")
        return read(uri, **version)

    monkeypatch.setattr(PlainStore, "open_read", staticmethod(fail))
    with pytest.warns(SampleWarning, match="does not answer"):
        assert len(sample(f"{folder}/", 5000)) == 2010
    monkeypatch.setattr(PlainStore, "open_read", staticmethod(read))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(sample(f"{folder}/", 5000)) == 2040


def test_a_sample_of_a_part_of_the_files_says_so(folder):
    size = sum(path.stat().st_size for path in folder.rglob("*.bz2"))
    with pytest.warns(SampleWarning, match=rf"of 6 files .*max_bytes={size:,} would read all"):
        frame = sample(f"{folder}/", 10, max_bytes=size // 100, seed=2)  # which files is by their paths
    assert not frame.attrs["sample"]["exact"]
    assert frame.attrs["sample"]["files"] < 6


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"paths": []}, RefusedError),
        ({"n": 0}, RefusedError),
        ({"max_bytes": -1}, RefusedError),
        ({"source": "nope"}, RefusedError),
        ({"paths": "absent/"}, NothingMatchesError),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(arguments, error):
    with pytest.raises(error):
        sample(**{"paths": "x", **arguments})


# Names that are somebody's


@pytest.mark.parametrize(
    ("record", "names"),
    [
        ({"_file": "app.py", "_line": 40}, ("__file", "_file_line")),
        ({"_file": 1, "__file": 2, "_file_line": 3}, ("___file", "__file_line")),
    ],
)
def test_a_field_of_the_name_of_a_column_of_ours_keeps_it(tmp_path, record, names):
    path = tmp_path / "in" / "x.json"
    path.parent.mkdir()
    path.write_text(json.dumps(record) + "\n")
    with pytest.warns(
        SampleWarning, match=f"where each record is, is in the columns {names[0]} and {names[1]}$"
    ):
        frame = sample(f"{path.parent}/", 5)
    assert {name: frame[name].tolist() for name in record} == {
        name: [value] for name, value in record.items()
    }
    assert (frame[names[0]].tolist(), frame[names[1]].tolist()) == ([str(path)], [1])
    assert frame.attrs["places"] == {"file": names[0], "line": names[1]}
    assert "lines" not in frame.attrs


def test_a_file_whose_name_is_no_utf8_makes_a_frame_that_can_be_shown(tmp_path):
    path = tmp_path / "in" / "x\udce9.json"
    path.parent.mkdir()
    path.write_text('{"a":1}\n')
    frame = sample(f"{path.parent}/", 5)
    assert frame._file.tolist() == [str(path).replace("\udce9", "\\udce9")]
    (repr(frame) + frame._repr_html_() + frame.to_csv()).encode()


# What is no NDJSON, and what of records is wanted


@pytest.mark.parametrize("indent", [None, 1])
def test_arrays_and_joined_objects_are_drawn_from_as_records(tmp_path, indent):
    records = [{"n": n, "l": [{"x": n}, {"x": -n}]} for n in range(300)]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(records[:200], indent=indent))
    (folder / "b.json").write_text("".join(json.dumps(one, indent=indent) for one in records[200:]))
    frame = sample(f"{folder}/", 1000, records="auto")
    assert frame.n.tolist() == list(range(300))
    assert frame._file_line.tolist() == [*range(1, 201), *range(1, 101)]
    some = sample(f"{folder}/", 50, records="auto", columns=["n", "l.x"], explode="l")
    assert list(some.columns) == ["n", "l.x", "_file", "_file_line"]
    assert len(some) == 100
    assert (some["l.x"].abs() == some.n).all()
    assert peek(str(folder / "a.json"), 3, records="auto").n.tolist() == [0, 1, 2]
    assert peek(str(folder / "b.json"), 2, records="auto", columns=["n"], explode="l").n.tolist() == [
        200,
        200,
        201,
        201,
    ]
    with pytest.warns(UserWarning, match='look like one JSON array: .* read it with records="auto"'):
        peek(str(folder / "a.json"))
    with pytest.raises(RefusedError, match="records is 'array'"):
        peek(str(folder / "a.json"), records="array")


def test_a_column_that_no_record_has_is_refused(folder):
    with pytest.raises(UnknownNameError, match="no column is named 'sed'; there are: n, seed, x"):
        sample(f"{folder}/d2/", 5, columns=["sed"])
    path = min(folder.rglob("*.bz2"))
    with pytest.raises(UnknownNameError, match="no column is named 'sed'"):
        peek(str(path), columns=["sed"])
    assert list(peek(str(path), columns=["x", "n"]).columns) == ["x", "n"]

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.proof_data import many_sources
from chimera_nb.data.proof import find_output
from chimera_nb.session import Session
from chimera_nb.settings import load_settings
from pipeline.ledger import FileRecord, Totals
from pipeline.proof import verify
from pipeline.proof.coverage import check_coverage
from pipeline.proof.findings import KEPT, Findings
from pipeline.proof.output import Layout, OutputReader
from pipeline.proof.records import Records
from pipeline.proof.summary import check_totals
from pipeline.storage import Entry, PlainStore
from pipeline.write.shard_list import PublishedFile

STORE = PlainStore()
BYTES = st.lists(st.binary(max_size=9), min_size=1, max_size=6)


def layout_of(target: Path, contents: list[bytes]) -> Layout:
    (target / "output").mkdir(parents=True, exist_ok=True)
    published = []
    for number, data in enumerate(contents):
        name = f"output/output-{number:05d}-of-{len(contents):05d}.ndjson"
        (target / name).write_bytes(data)
        published.append(PublishedFile(name, len(data), data.count(b"\n"), None))
    return Layout(str(target), published)


def test_all_findings_are_counted_and_the_first_of_each_kind_kept():
    findings = Findings()
    for number in range(KEPT + 7):
        findings.add("source-gone", f"/in/{number}", "is gone")
    findings.add("source-new", "/in/x", "is new")
    verdict = findings.verdict("/out", "me", deep=False)
    assert verdict.counts == {"source-gone": KEPT + 7, "source-new": 1}
    assert [finding.uri for finding in verdict.findings] == [*(f"/in/{n}" for n in range(KEPT)), "/in/x"]
    assert (verdict.proved, verdict.differences) == (False, KEPT + 7)
    assert [len(verdict.to_json()[name]) for name in ("differences", "notes")] == [KEPT, 1]


def test_notes_alone_refute_nothing():
    findings = Findings()
    findings.add("source-new", "/in/x", "is new")
    assert findings.verdict("/out", "me", deep=False).proved


@settings(deadline=None)
@given(BYTES, st.integers(0, 20), st.integers(0, 30), st.sampled_from([1, 3, 100]), st.integers(0, 5))
def test_any_piece_of_the_output_is_read_across_its_shards(
    tmp_path_factory, contents, position, size, window, ahead
):
    layout = layout_of(tmp_path_factory.mktemp("target"), contents)
    whole = b"".join(contents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.proof.output.WINDOW_BYTES", window)
        reader = OutputReader(STORE, layout, ahead=ahead)
        for _ in range(2):
            assert b"".join(reader.read(position, size)) == whole[position : position + size]


def test_a_shard_that_has_become_shorter_gives_what_it_has_and_nothing_of_the_next(tmp_path):
    layout = layout_of(tmp_path, [b"abcd", b"efgh"])
    Path(layout.uri(0)).write_bytes(b"ab")
    assert b"".join(OutputReader(STORE, layout).read(1, 6)) == b"b"


def placed(*pieces: tuple[int, int]) -> list[tuple[FileRecord, int]]:
    return [
        (FileRecord(f"/in/{n}", "complete", lines=1, output_bytes=size), position)
        for n, (position, size) in enumerate(pieces)
    ]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(0, 4), (4, 6)], []),
        ([(4, 6), (0, 4)], []),
        (
            [(0, 4), (5, 5)],
            [("lines-unaccounted", "1 bytes of output/output-00001-of-00002.ndjson from byte 0 on")],
        ),
        (
            [(1, 3), (4, 6)],
            [("lines-unaccounted", "1 bytes of output/output-00000-of-00002.ndjson from byte 0 on")],
        ),
        ([(0, 4)], [("lines-unaccounted", "6 bytes of output/output-00001-of-00002.ndjson from byte 0 on")]),
        ([], [("lines-unaccounted", "10 bytes of output/output-00000-of-00002.ndjson from byte 0 on")]),
        ([(0, 5), (4, 6)], [("lines-overlap", "where those of /in/0 are")]),
        ([(0, 4), (4, 6), (4, 6)], [("lines-overlap", "where those of /in/1 are")]),
        ([(0, 10), (2, 3)], [("lines-overlap", "where those of /in/0 are")]),
        ([(0, 4), (4, 9)], [("lines-overlap", "has 3 bytes of lines beyond the end of the output")]),
    ],
)
def test_each_byte_of_the_output_is_one_files(tmp_path, pieces, expected):
    layout = layout_of(tmp_path, [b"abc\n", b"defgh\n"])
    findings = Findings()
    with Records() as records:
        for record, position in placed(*pieces):
            assert records.add(record, position)
        check_coverage(records, layout, findings)
    told = findings.verdict("/out", None, deep=False).findings
    assert [finding.kind for finding in told] == [kind for kind, _ in expected]
    for finding, (_, text) in zip(told, expected, strict=True):
        assert text in finding.text


def test_a_record_is_taken_once_and_found_by_its_name_whatever_it_is():
    record = FileRecord("/in/\udcff 日本", "failed", generation=7, size=3)
    with Records() as records:
        assert records.add(record, None)
        assert not records.add(record, None)
        assert records.find("/in/other") is None
        assert [known.uri for known in records.unseen()] == [record.uri]
        found = records.find(record.uri)
        assert (found.uri, found.complete, found.generation, found.size, found.seen) == (
            record.uri,
            False,
            7,
            3,
            0,
        )
        assert records.find(record.uri).seen
        assert list(records.unseen()) == list(records.in_order()) == []
        assert records.is_newcomer("/in/new")
        assert not records.is_newcomer("/in/new")


class Remembered(PlainStore):
    """The input files as they were listed once: pathlib keeps names for ever, which is not what is measured here."""

    entries: ClassVar[list[Entry]] = []

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        return (
            iter(self.entries)
            if prefix.endswith("/in/")
            else super().list_objects(prefix, recursive=recursive)
        )


def test_memory_does_not_grow_with_the_number_of_files(tmp_path, monkeypatch):
    for module in ("target.results", "proof.files"):  # else the smaller ledger is one block
        monkeypatch.setattr(f"pipeline.{module}._READ_BYTES", 16 << 10)
    peaks = []
    for files in (1_000, 5_000):
        target = many_sources(tmp_path / str(files), files)
        Remembered.entries = list(STORE.list_objects(f"{tmp_path}/{files}/in/"))
        tracemalloc.start()
        verdict = verify(Remembered(), target)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert verdict.proved, verdict.findings
        assert verdict.checked["files"] == files
    # A record of a file takes about a kilobyte as an object: 4,000 more of them would be 4 MB.
    assert peaks[1] - peaks[0] < 500_000, peaks


# Which output a name stands for


@pytest.mark.parametrize(("inputs", "asked"), [("/in/*", []), ("gs://history/in/*", ["gs://history/in/*"])])
def test_a_stack_is_asked_for_only_where_something_is_in_a_bucket(tmp_path, monkeypatch, inputs, asked):
    connected = []

    class Asked(Session):
        def refresh(self, uris=()):
            connected.extend(uris)
            return load_settings(tmp_path)

    monkeypatch.chdir(tmp_path)
    STORE.write_bytes(f"{tmp_path}/out/summary.json", json.dumps({"patterns": [inputs]}).encode())
    for name in (f"{tmp_path}/out/", "./out"):
        connected.clear()
        assert find_output(name, session=Asked(data_dir=tmp_path)).target == f"{tmp_path}/out"
        assert connected == asked
    connected.clear()
    assert find_output("gs://results/all/", session=Asked(data_dir=tmp_path)).target == "gs://results/all"
    assert connected == ["gs://results/all"]


# Files that were skipped


def totals_told(summary) -> set[str]:
    findings = Findings()
    check_totals(
        summary, Totals(complete=2, skipped=1, size=9, skipped_bytes=4), "/out/summary.json", findings
    )
    return {finding.text for finding in findings.verdict("/out", None, deep=False).findings}


def test_skipped_files_are_among_those_listed_and_their_number_is_held_against_the_summary():
    files = {"listed": 3, "complete": 2, "failed": 0, "skipped": 1, "noted": 0}
    told = {
        "files": files,
        "compressedBytes": 9,
        "rawBytes": 0,
        "outputBytes": 0,
        "lines": 0,
        "skippedBytes": 4,
    }
    assert totals_told(told) == set()
    assert totals_told({**told, "skippedBytes": 5}) == {
        "says 5 skippedBytes where the ledger's records sum up to 4"
    }
    without = {name: value for name, value in files.items() if name != "skipped"}
    assert totals_told({**told, "files": without}) == {
        "says 0 skipped where the ledger's records sum up to 1"
    }


def test_a_summary_of_before_files_were_skipped_needs_not_tell_of_them():
    findings = Findings()
    files = {"listed": 2, "complete": 2, "failed": 0, "noted": 0}
    summary = {"files": files, "compressedBytes": 9, "rawBytes": 0, "outputBytes": 0, "lines": 0}
    check_totals(summary, Totals(complete=2, size=9), "/out/summary.json", findings)
    assert findings.verdict("/out", None, deep=False).proved

from __future__ import annotations

import base64
import json
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import (
    JobError,
    ObjectNotFoundError,
    ReconciliationError,
    RefusedError,
    StorageError,
    TargetError,
    TooManyFailuresError,
)
from pipeline.ledger import FileRecord, Part, Totals
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.layout import parts_folder
from pipeline.target.lifecycle import abandon_target, prepare_target, read_summary
from pipeline.target.results import check_still_of, ledger_records, output_lines, output_shards
from pipeline.write.groups import Numbering
from pipeline.write.moves import Move, plan_moves, publish
from pipeline.write.publish import summary_crc32c
from tests.fixtures.finishing import finish_job, grouped, indexes_of, list_shards

STORE = PlainStore()


def part(folder: object, name: str, data: bytes) -> Part:
    uri = f"{folder}/{name}"
    STORE.write_bytes(uri, data)
    crc32c = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    return Part(uri, len(data), data.count(b"\n"), crc32c)


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if not path.is_dir()}


class Job:
    """A job whose workers have done their work: its target is taken, its parts are written."""

    def __init__(self, out: Path, *, good: int = 2, bad: int = 1, **fields) -> None:
        self.out = out
        self.spec = JobSpec(inputs=("/in",), target=str(out), job_id="me", **fields)
        prepare_target(STORE, self.spec, lambda _: None)
        records = [
            FileRecord(f"/in/{i}", "complete", size=10, raw_bytes=4, lines=2, output_bytes=4)
            for i in range(good)
        ]
        records += [FileRecord(f"/in/bad-{i}", "failed", size=5, error="is empty") for i in range(bad)]
        self.totals = Totals()
        for record in records:
            self.totals = self.totals.add(record)
        self.output = [
            part(parts_folder(str(out), "me", "output"), f"part-{9 - i}", b"%d\nx\n" % i) for i in range(good)
        ]
        self.ledger = [
            part(parts_folder(str(out), "me", "ledger"), "part-1", b"".join(r.to_line() for r in records))
        ]
        self.listed = good + bad
        self.published = list_shards(
            STORE, self.output, self.ledger, "me", parts_folder(str(out), "me", "published")
        )

    def finish(self) -> dict:
        return finish_job(
            STORE,
            self.spec,
            {"startedAt": "2024-01-19T00:00:00.000Z", "patterns": ["/in/*"], "patternsTotal": 1},
            listed=self.listed,
            totals=self.totals,
            output=self.output,
            ledger=self.ledger,
            published=self.published,
        )


# Moves


def moves_of(parts: list[Part], target: str) -> list[Move]:
    numbering = Numbering.of("output", [index.totals for index in indexes_of(parts)])
    return [
        move
        for key, some in sorted(grouped(parts).items())
        for move in plan_moves(numbering, key, some, target)
    ]


NAMES = st.lists(st.text("0a9f", min_size=1, max_size=6), unique=True, max_size=40)
FOLDERS = st.sampled_from(["", "type=7/", "type=10/", "type=7%2F/", "a=1/b=2/"])


@given(NAMES, FOLDERS, FOLDERS)
def test_parts_are_numbered_in_the_order_of_their_names_whichever_groups_they_are_in(names, first, second):
    folders = [first, second] if first.count("/") == second.count("/") else [first]
    parts = [
        Part(f"/job/output/{folder}part-{name}.csv", 1, 1, None, folder=folder)
        for folder, name in zip(folders * len(names), names, strict=False)
    ]
    moves = moves_of(parts, "gs://b/x")
    assert [move.part for move in moves] == sorted(parts)
    assert [move.uri for move in moves] == [
        f"gs://b/x/output/{part.folder}output-{i:05d}-of-{len(parts):05d}.csv"
        for i, part in enumerate(sorted(parts))
    ]
    numbering = Numbering.of("output", [index.totals for index in indexes_of(parts)])
    for number, move in enumerate(moves):
        name = move.uri.removeprefix("gs://b/x/")
        assert numbering.number_of(name) == number
        assert numbering.name_of(number) == name
        assert numbering.number_of(name.replace(".csv", ".parquet")) is None
        assert numbering.number_of(f"output/c=1/{name}") is None


def test_publish_may_be_repeated_also_after_it_stopped_half_way(tmp_path):
    parts = [part(tmp_path / "parts", f"part-{i:02d}", b"%d\n" % i) for i in range(50)]
    moves = moves_of(parts, str(tmp_path / "out"))
    publish(STORE, moves[:20], "me")
    for _ in range(2):
        publish(STORE, moves, "me")
    assert [Path(move.uri).read_bytes() for move in moves] == [b"%d\n" % i for i in range(50)]
    assert list((tmp_path / "parts").iterdir()) == []
    publish(STORE, [], "me")


def test_a_part_of_another_size_is_refused(tmp_path):
    good = part(tmp_path / "parts", "part-0", b"a\n")
    (tmp_path / "parts/part-0").write_bytes(b"a\nb\n")
    with pytest.raises(StorageError, match=r"holds 4 bytes \(None\) where 2 \(.*\) were written"):
        publish(STORE, moves_of([good], str(tmp_path / "out")), "me")
    assert "output/output-00000-of-00001.ndjson" not in files(tmp_path / "out")


def test_a_part_that_is_lost_is_told(tmp_path):
    lost = Part(f"{tmp_path}/gone", 2, 1, None)
    with pytest.raises(ObjectNotFoundError):
        publish(STORE, moves_of([lost], str(tmp_path / "out")), "me")


# The end of a job


def test_a_job_that_ends_well_leaves_output_ledger_and_summary(tmp_path):
    job = Job(tmp_path / "out")
    summary = job.finish()
    there = files(job.out)
    assert set(there) == {
        "shards.ndjson",
        "summary.json",
        "ledger/ledger-00000-of-00001.ndjson",
        "output/output-00000-of-00002.ndjson",
        "output/output-00001-of-00002.ndjson",
    }
    assert not (job.out / "_chimera").exists()
    assert json.loads(there["summary.json"]) == read_summary(STORE, str(job.out)) == summary
    assert summary["files"] == {"listed": 3, "complete": 2, "failed": 1, "skipped": 0, "noted": 0}
    assert (summary["lines"], summary["shards"], summary["outputBytes"]) == (4, 2, 8)
    assert summary["crc32c"] == summary_crc32c(json.loads(there["summary.json"]))
    listed = {"name": "shards.ndjson", "bytes": job.published.size, "crc32c": job.published.crc32c}
    assert summary["shardsFile"] == listed
    assert len(there["shards.ndjson"]) == job.published.size
    assert (summary["compressedBytes"], summary["rawBytes"]) == (25, 8)
    assert [record.error for record in ledger_records(STORE, str(job.out), status="failed")] == ["is empty"]
    assert len(list(ledger_records(STORE, str(job.out)))) == summary["files"]["listed"]
    assert (
        sum(Path(uri).read_bytes().count(b"\n") for uri in output_shards(STORE, str(job.out)))
        == summary["lines"]
    )
    assert output_lines(STORE, str(job.out), 3) == [b"1", b"x", b"0"]
    assert output_lines(STORE, str(job.out), 99) == [b"1", b"x", b"0", b"x"]


def test_finishing_twice_gives_the_same_result(tmp_path):
    job = Job(tmp_path / "out")
    first, there = job.finish(), files(job.out)
    again = job.finish()
    later = {"finishedAt": None, "crc32c": None}
    assert again | later == first | later
    assert {**files(job.out), "summary.json": b""} == {**there, "summary.json": b""}


CHANGES = ("move", "swap", "delete_version", "delete_tree")


class CutShortError(Exception):
    """The process was killed here."""


def changes(monkeypatch, act, *, stop_at: int | None = None, done: bool = False) -> int:
    """How many changes of the store `act` makes; with `stop_at` it is cut short at one, before or after it is done."""
    made = 0

    def watched(real):
        def change(*arguments, **options):
            nonlocal made
            made += 1
            if stop_at is not None and made > stop_at:
                raise CutShortError
            if made == stop_at and not done:
                raise CutShortError
            result = real(*arguments, **options)
            if made == stop_at:
                raise CutShortError
            return result

        return change

    with monkeypatch.context() as patched:
        for name in CHANGES:
            patched.setattr(PlainStore, name, watched(getattr(PlainStore, name)))
        patched.setattr(PlainStore, "run_each", lambda _, call, items: [call(item) for item in items])
        try:
            act()
        except CutShortError:
            assert stop_at is not None
    return made


def test_a_job_whose_end_is_cut_short_anywhere_ends_well_when_it_is_run_again(tmp_path, monkeypatch):
    total = changes(monkeypatch, Job(tmp_path / "whole").finish)
    assert (
        total == 8
    )  # to publishing, three parts, their list, the claim is whole, the summary, the job's folder
    for stop_at in range(1, total + 1):
        for done in (False, True):
            job = Job(tmp_path / f"{stop_at}-{done}")
            changes(monkeypatch, job.finish, stop_at=stop_at, done=done)
            summary = job.finish()
            assert summary["lines"] == sum(
                Path(uri).read_bytes().count(b"\n") for uri in output_shards(STORE, str(job.out))
            )
            assert len(files(job.out)) == 5


def test_a_job_killed_anywhere_while_it_publishes_leaves_all_or_none_of_its_output(tmp_path, monkeypatch):
    ends = []
    for stop_at in range(1, 9):
        for done in (False, True):
            job = Job(tmp_path / f"{stop_at}-{done}")
            changes(monkeypatch, job.finish, stop_at=stop_at, done=done)
            whole = abandon_target(STORE, job.spec) is not None
            left = {name for name in files(job.out) if not name.startswith("ledger/")}
            assert left == (
                {
                    "summary.json",
                    "shards.ndjson",
                    *(f"output/output-0000{i}-of-00002.ndjson" for i in range(2)),
                }
                if whole
                else set()
            )
            ends.append(whole)
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


def test_the_summary_comes_last_and_in_one_step(tmp_path, monkeypatch):
    job, seen, real = Job(tmp_path / "out"), [], PlainStore.move

    def move(self, source, target, **options):
        if target.endswith("summary.json"):
            seen.append(sorted(files(job.out)))
        moved = real(self, source, target, **options)
        if target.endswith("summary.json"):
            seen.append(sorted(name for name in files(job.out) if "claim" in name))
        return moved

    monkeypatch.setattr(PlainStore, "move", move)
    job.finish()
    assert "output/output-00001-of-00002.ndjson" in seen[0]
    assert "ledger/ledger-00000-of-00001.ndjson" in seen[0]
    assert seen[1] == []


def test_accounts_that_differ_publish_nothing(tmp_path):
    job = Job(tmp_path / "out")
    job.listed += 1
    before = files(job.out)
    with pytest.raises(ReconciliationError, match="4 files listed but 3"):
        job.finish()
    assert files(job.out) == before


@pytest.mark.parametrize(
    ("counts", "error", "says"),
    [
        ({"good": 0, "bad": 3}, TooManyFailuresError, "all 3 files failed"),
        ({"good": 2, "bad": 1, "max_failures": 0}, TooManyFailuresError, "1 of 3 files failed"),
        ({"good": 0, "bad": 0}, JobError, "no file matches any more"),
    ],
)
def test_a_job_of_too_many_bad_files_publishes_its_ledger_only(tmp_path, counts, error, says):
    job = Job(tmp_path / "out", **counts)
    if not job.listed:
        job.ledger = []
    for _ in range(2):  # a runner tries again
        with pytest.raises(error, match=says):
            job.finish()
    assert "summary.json" not in files(job.out)
    assert output_shards(STORE, str(job.out)) == []
    assert len(list(ledger_records(STORE, str(job.out)))) == job.listed


def test_a_job_that_has_lost_its_target_publishes_nothing(tmp_path):
    job = Job(tmp_path / "out")
    other = JobSpec(inputs=("/in",), target=str(job.out), job_id="other", overwrite=True)
    prepare_target(STORE, other, lambda _: False)
    with pytest.raises(TargetError, match="taken over by job other"):
        job.finish()
    assert set(files(job.out)) == {"_chimera/claim.json"}


def test_a_job_that_slept_while_others_gave_it_up_writes_no_summary(tmp_path, monkeypatch):
    job, real, turn = Job(tmp_path / "out"), PlainStore.move, []

    def sleeps(self, source, target, **options):
        turn.append(target)
        if len(turn) == 3:  # the ledger and one of two shards have their names
            assert abandon_target(STORE, job.spec) is None
        return real(self, source, target, **options)

    monkeypatch.setattr(PlainStore, "move", sleeps)
    monkeypatch.setattr(PlainStore, "run_each", lambda _, call, items: [call(item) for item in items])
    with pytest.raises(TargetError, match="was given up while job me ran"):
        job.finish()
    assert set(files(job.out)) == {"ledger/ledger-00000-of-00001.ndjson"}


def test_a_file_that_no_job_wrote_is_not_taken_for_output(tmp_path):
    job = Job(tmp_path / "out")
    STORE.write_bytes(f"{job.out}/output/output-00007-of-00009.ndjson", b"mine")
    with pytest.raises(TargetError, match=r"output-00007-of-00009\.ndjson is not of job me.*remove it"):
        job.finish()
    assert "summary.json" not in files(job.out)
    (job.out / "output/output-00007-of-00009.ndjson").unlink()
    assert job.finish()["shards"] == 2


# Reading a result


@pytest.mark.parametrize("line", [b"{", b"[]", b"7", b'{"uri": "x"}', b"\xff", b"\xff\xfe{}"])
def test_a_ledger_that_is_none_is_told(tmp_path, line):
    STORE.write_bytes(f"{tmp_path}/ledger/ledger-00000-of-00001.ndjson", line + b"\n")
    with pytest.raises(StorageError, match="holds a line that is no ledger record"):
        list(ledger_records(STORE, str(tmp_path)))


def test_a_target_that_holds_nothing_gives_nothing(tmp_path):
    assert list(ledger_records(STORE, f"{tmp_path}/gone")) == output_shards(STORE, f"{tmp_path}/gone") == []
    assert output_lines(STORE, f"{tmp_path}/gone", 5) == []


def test_no_more_of_the_output_is_read_than_its_first_lines_need(tmp_path):
    STORE.write_bytes(f"{tmp_path}/output/output-00000-of-00002.ndjson", b"a\nb\nc")
    (tmp_path / "output/output-00001-of-00002.ndjson").symlink_to("gone")
    assert output_lines(STORE, str(tmp_path), 2) == [b"a", b"b"]
    assert output_lines(STORE, str(tmp_path), 0) == []
    with pytest.raises(StorageError):
        output_lines(STORE, str(tmp_path), 4)


def test_records_of_another_job_beside_ours_are_left_out(tmp_path):
    records = [
        FileRecord("/in/a", "failed", error="cut", job_id="me"),
        FileRecord("/in/b", "failed", error="cut", job_id="other"),
        FileRecord("/in/c", "failed", error="cut"),  # of before records had it
    ]
    for number, record in enumerate(records):
        STORE.write_bytes(f"{tmp_path}/ledger/ledger-{number:05d}-of-00003.ndjson", record.to_line())
    found = ledger_records(STORE, str(tmp_path), status="failed", job_id="me")
    assert [record.uri for record in found] == ["/in/a", "/in/c"]
    check_still_of(STORE, str(tmp_path), "me")
    with pytest.raises(RefusedError, match="now holds the ledger of job me, not of other"):
        check_still_of(STORE, str(tmp_path), "other")

"""Jobs that read only what is new since an earlier one, and the output that they make together."""

from __future__ import annotations

import bz2
import json
import os
import time
from collections.abc import Mapping

import pytest
from typer.testing import CliRunner

import chimera_nb as ch
from chimera_nb.cli import app
from chimera_nb.data.joined_output import dropped_of
from chimera_nb.data.row_output import RowOutput
from pipeline.__main__ import main
from pipeline.errors import NothingNewError, RefusedError
from pipeline.inputs.earlier import EarlierFiles
from pipeline.inputs.since import onto_earlier
from pipeline.ledger import FileRecord
from pipeline.proof import Verdict, verify
from pipeline.spec import JobSpec
from pipeline.storage import Entry, PlainStore
from pipeline.target.joined import Superseded, last_output, places_of, read_joined
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records
from tests.fixtures.files import zipped
from tests.fixtures.tars import Put, tar
from tests.fixtures.weather import lay, offer_weather

pytestmark = pytest.mark.timeout(180)
STORE = PlainStore()
LONG_AGO = time.time() - 3600


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    """No stack that may run elsewhere on this machine."""
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "data"))


def record_of(name: str, version: int = 1) -> bytes:
    return b"".join(
        b'{"file": "%s", "version": %d, "n": %d}\n' % (name.encode(), version, n) for n in range(3)
    )


def put(place: str, files: Mapping[str, bytes], *, at: float | None = LONG_AGO) -> None:
    for name, data in files.items():
        uri = f"{place}/in/{name}"
        STORE.write_bytes(uri, data)
        if at is not None and not uri.startswith("gs://"):
            os.utime(uri, (at, at))


def run(place: str, *arguments: str, target: str = "out", code: int = 0) -> None:
    assert main(["--input", f"{place}/in/", "--target", f"{place}/{target}", *arguments]) == code


def names_of(target: str) -> set[str]:
    return {record.uri.rpartition("/in/")[2] for record in ledger_records(STORE, target)}


def rows(target: str, **options) -> list[str]:
    frame = ch.read_output(target, **options)
    return sorted(json.dumps(row, sort_keys=True) for row in frame.astype(str).to_dict("records"))


def kinds(verdict: Verdict) -> tuple[set[str], set[str]]:
    return tuple({f.kind for f in verdict.findings if f.refutes is refutes} for refutes in (True, False))


def test_what_is_new_or_replaced_is_read_and_all_of_it_together_is_one_full_run(place, capsys):
    files = {f"{n:02}.json.bz2": bz2.compress(record_of(f"{n:02}")) for n in range(30)}
    put(place, files | {"bad.json.bz2": bz2.compress(record_of("bad"))[:-5]})
    run(place, "--since", "last", "--shards", "3")  # nothing is there yet: all is new
    out = f"{place}/out"
    assert "since" not in read_summary(STORE, out)

    run(place, "--since", "last")
    told = capsys.readouterr()
    assert json.loads(told.out.rpartition("\n{\n")[2].join(["{", ""]))["jobId"] is None
    assert "nothing is new or replaced since job" in told.err
    assert "1 that failed are as they were, such as" in told.err  # by itself it would fail so each night

    put(place, {name: bz2.compress(record_of(name, 2)) for name in ("03.json.bz2", "17.json.bz2")})
    put(
        place,
        {"new.json.bz2": bz2.compress(record_of("new")), "x/new.json.bz2": bz2.compress(record_of("x"))},
    )
    STORE.delete([f"{place}/in/29.json.bz2"])
    run(place, "--since", "last")
    added = last_output(STORE, out)
    assert added.startswith(f"{out}/since/")
    assert names_of(added) == {
        *("03.json.bz2", "17.json.bz2", "new.json.bz2", "x/new.json.bz2"),
        "bad.json.bz2",  # which is in no output yet
    }
    since = read_summary(STORE, added)["since"]
    counted = ("new", "replaced", "unchanged", "failedBefore", "superseded", "gone", "parts")
    assert [since[name] for name in counted] == [2, 2, 27, 1, 2, 1, 2]
    assert since["goneFirst"] == [f"{place}/in/29.json.bz2"]

    put(
        place, {"03.json.bz2": bz2.compress(record_of("03", 3)), "30.json.bz2": bz2.compress(record_of("30"))}
    )
    run(place, "--since", out, target="branch")  # of the first alone: what the second read is read again
    assert names_of(f"{place}/branch") == {*names_of(added), "30.json.bz2"}
    run(place, "--since", "last")
    last = last_output(STORE, out)
    assert names_of(last) == {"03.json.bz2", "30.json.bz2", "bad.json.bz2"}
    assert len(read_joined(STORE, last, read_summary(STORE, last)["jobId"]).parts) == 2

    put(place, {"29.json.bz2": files["29.json.bz2"]})  # its lines still count
    run(place, target="full")
    whole = rows(f"{place}/full")
    assert len(whole) == 33 * 3
    assert rows(last, joined=True) == rows(f"{place}/branch", joined=True) == whole
    assert len(rows(last)) == 2 * 3
    STORE.delete([f"{place}/in/29.json.bz2"])

    for deep in (False, True):
        verdict = verify(STORE, last, deep=deep)
        told = {"source-gone-before"} | (
            {"not-checked"} if deep else set()
        )  # nothing to compare its lines with
        assert (verdict.proved, kinds(verdict)) == (True, (set(), told)), verdict.findings
    assert verdict.checked["records"] == 31 + 5 + 3
    put(place, {"30.json.bz2": bz2.compress(record_of("30", 9))})
    put(place, {"05.json.bz2": bz2.compress(record_of("05", 9) * 9)})
    refuted = {f.uri.rpartition("/in/")[2] for f in verify(STORE, last).findings if f.refutes}
    assert refuted >= {"05.json.bz2"} | ({"30.json.bz2"} if place.startswith("gs://") else set())


def test_what_failed_before_is_read_again_and_its_lines_count_once():
    with EarlierFiles(STORE, ["2026-01-01T00:00:00+00:00"], None) as files:
        for name, status, more in (
            ("good", "complete", {"size": 9, "crc32c": "a"}),
            ("cut", "failed", {"size": 9, "lines": 2, "shard": "output/1", "offset": 0, "output_bytes": 20}),
            ("refused", "failed", {"error": "permission is denied"}),
            ("empty", "failed", {"error": "is empty (0 bytes)"}),
            ("locked.zip!/a", "failed", {"error": "is encrypted"}),
        ):
            uri = f"gs://in/{name}"
            files.add_record(0, FileRecord(uri, status, generation=7, **more))
            files.add_found(Entry(uri, 9, 7))
        compared = files.compare()
        found = {uri.removeprefix("gs://in/"): why for uri, why, _ in compared.read}
    assert found == {"cut": "failed", "empty": "failed", "locked.zip!/a": "failed", "refused": "unread"}
    assert (compared.unchanged, [(one.uri, one.why) for one in compared.superseded]) == (
        1,
        [("gs://in/cut", "failed")],
    )


def test_a_joined_output_that_was_changed_is_refuted(tmp_path):
    place = str(tmp_path)
    put(place, {f"{n}.json": record_of(str(n)) for n in range(4)})
    run(place)
    put(place, {"1.json": record_of("1", 22), "4.json": record_of("4")})
    run(place, "--since", f"{place}/out", target="more")
    more = f"{place}/more"
    assert verify(STORE, more).proved
    manifest = f"{more}/{read_summary(STORE, more)['since']['joined']['name']}"
    data = STORE.read_bytes(manifest)
    STORE.write_bytes(manifest, data.splitlines(keepends=True)[0])
    assert kinds(verify(STORE, more))[0] == {"joined-changed", "joined-twice", "source-changed"}
    STORE.delete([manifest])
    assert kinds(verify(STORE, more))[0] == {"joined-missing"}
    with pytest.raises(OSError, match="joined"):
        ch.read_output(more, joined=True)
    STORE.write_bytes(manifest, data)
    run(place, "--overwrite")
    assert kinds(verify(STORE, more))[0] == {"joined-foreign"}
    with pytest.raises(RefusedError, match="now holds the output of job"):
        ch.read_output(more, joined=True)
    with pytest.raises(RefusedError, match="run the job without --since"):
        run_spec(place, since=more)
    assert last_output(STORE, f"{place}/out") == f"{place}/out"


def run_spec(place: str, **options) -> JobSpec:
    return onto_earlier(STORE, JobSpec((f"{place}/in/",), f"{place}/o2", "a-job", **options))


def test_local_files_are_told_by_size_and_time_and_by_their_bytes_where_those_do_not_tell(tmp_path):
    place = str(tmp_path)
    put(place, {name: record_of(name) for name in ("touched.json", "edited.json", "grown.json", "kept.json")})
    run(place)
    put(
        place,
        {"touched.json": record_of("touched.json"), "edited.json": record_of("edited.json", 2)},
        at=None,
    )
    put(place, {"grown.json": record_of("grown.json", 11)})
    run(place, "--since", "last")
    assert names_of(last_output(STORE, f"{place}/out")) == {"edited.json", "grown.json"}


def test_members_of_archives_are_files_of_their_own(tmp_path):
    place = str(tmp_path)

    def packed(kind: str, names: str, version: int = 1) -> bytes:
        files = {f"{name}.json": record_of(name, version) for name in names}
        return zipped(files) if kind == "zip" else tar([Put(name, data) for name, data in files.items()])

    for kind in ("zip", "tar"):
        put(place, {f"a.{kind}": packed(kind, "ab"), f"b.{kind}": packed(kind, "cd")})
    run(place)
    for kind in ("zip", "tar"):
        put(place, {f"b.{kind}": packed(kind, "cde", 22), f"c.{kind}": packed(kind, "f")})
    run(place, "--since", "last")
    last = last_output(STORE, f"{place}/out")
    read = (*(f"b.KIND!/{x}.json" for x in "cde"), "c.KIND!/f.json")
    assert names_of(last) == {name.replace("KIND", kind) for name in read for kind in ("zip", "tar")}
    assert len(rows(last, joined=True)) == 2 * 6 * 3
    assert verify(STORE, last, deep=True).proved


@pytest.mark.parametrize("how", [["csv"], ["parquet", "--partition-by", "station,date"]])
def test_rows_of_files_that_were_replaced_are_left_out_of_a_view(tmp_path, monkeypatch, how):
    offer_weather(monkeypatch)
    place, target = str(tmp_path), f"{tmp_path}/out"
    for station, hours in (("Kew", 24), ("Leith", 70), ("Bray", 51)):
        lay(f"{place}/in", station, hours, store=STORE)
    run(place, "--source", "weather", "--view", "readings", "--format", *how)
    old = next(record for record in ledger_records(STORE, target) if record.uri.endswith("leith.obs.gz"))
    summary = read_summary(STORE, target)
    superseded = [Superseded(0, old.uri, "replaced", old.lines, places_of(old))]
    output = RowOutput(STORE, target, summary, dropped_of(STORE, target, summary, superseded))
    left = [row["station"] for batch in output.batches() for row in batch.to_pylist()]
    assert sorted(left) == ["Bray"] * 51 + ["Kew"] * 24


def test_of_files_that_hold_the_same_the_one_that_a_full_run_would_read_counts(tmp_path):
    place = str(tmp_path)
    markets = {name: bz2.compress(record_of(name)) for name in ("1.101.bz2", "1.102.bz2", "27.bz2")}
    put(place, {f"2016/Jan/1/27/{name}": data for name, data in markets.items()})
    run(place, "--source", "betfair")
    # A fuller file of one market comes, in another folder, and a lesser one of the other.
    put(
        place,
        {
            "pro/1.101.bz2": bz2.compress(record_of("fuller") * 50, 1),
            "pro/1.102.bz2": bz2.compress(b'{"f":1}\n'),
        },
    )
    run(place, "--source", "betfair", "--since", "last")
    last = last_output(STORE, f"{place}/out")
    assert names_of(last) == {"pro/1.101.bz2"}
    assert sorted(ch.read_output(last, joined=True)["file"]) == ["1.102.bz2"] * 3 + ["fuller"] * 150


def test_what_does_not_go_together_is_refused_with_what_to_do(tmp_path):
    place = str(tmp_path)
    put(place, {"1.json": record_of("1")})
    run(place)
    for options, said in (
        ({"since": "last", "overwrite": True}, "leave one of them out"),
        ({"since": f"{place}/nowhere"}, "holds no output that could be added to"),
        ({"since": "2026-01-01-00000000"}, "give the folder that it wrote"),
        (
            {"since": f"{place}/out", "source": "betfair"},
            "was run with --source ndjson, and this one with betfair",
        ),
        ({"since": f"{place}/out", "view": "rows"}, "was run with --view raw"),
    ):
        with pytest.raises(RefusedError, match=said):
            run_spec(place, **options)
    assert run_spec(place, since="last").since is None


def test_the_service_takes_a_job_and_the_command_line_says_what_was_new(tmp_path):
    place = str(tmp_path)
    put(place, {f"{n}.json": record_of(str(n)) for n in range(5)})
    with ch.connect() as session:
        first = ch.submit(f"{place}/in/", f"{place}/out", session=session).wait(progress=False)
        with pytest.raises(NothingNewError, match="5 files are as they were") as e:
            ch.submit(f"{place}/in/", f"{place}/out", since=first, session=session)
        assert e.value.since["unchanged"] == 5
        put(place, {"5.json": record_of("5")})
        added = ch.submit(f"{place}/in/", f"{place}/out", since=first, session=session).wait(progress=False)
        assert added.target == f"{place}/out/since/{added.id}"
        assert [record.uri for record in ledger_records(STORE, added.target)] == [f"{place}/in/5.json"]
        assert len(added.frame(joined=True)) == 18
        put(place, {"6.json": record_of("6"), "0.json": record_of("0", 22)})
        done = CliRunner().invoke(
            app, ["submit", f"{place}/in/", "--target", f"{place}/out", *("--since", "last", "--dry-run")]
        )
        assert done.output.split() == (
            f"would read 2 files, 219 B since {added.id}: 1 new, 1 replaced, 5 as they were".split()
        )
        STORE.delete([f"{place}/in/6.json", f"{place}/in/1.json"])
        put(place, {"0.json": record_of("0")})
        asked = ["submit", f"{place}/in/", "--target", f"{place}/out", "--since", first.id]
        document = json.loads(CliRunner().invoke(app, [*asked, "--json", "--wait"]).output)
        assert (document["spec"]["since"], document["summary"]["since"]["new"]) == (f"{place}/out", 1)
        told = CliRunner().invoke(app, ["jobs", "show", document["jobId"]]).output
        assert f"since     {first.id}: 1 new, 4 as they were, 1 gone; gone: {place}/in/1.json" in told
        done = CliRunner().invoke(app, [*asked[:-1], added.id])
        assert (
            done.exit_code,
            done.output.startswith(f"Nothing is new or replaced since job {added.id}: 5"),
        ) == (0, True)

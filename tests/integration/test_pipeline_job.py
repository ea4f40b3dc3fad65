"""Whole jobs by the bare pipeline, on local folders and on a bucket."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.read import held_lines
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.bz2_blocks import repeated_block
from tests.fixtures.files import REAL, Given, as_read, bad_files, crc32c, expected_lines, good_files, lines

STORE = PlainStore()

pytestmark = pytest.mark.timeout(120)


def put(place: str, files: list[Given], folder: str = "in") -> str:
    for file in files:
        STORE.write_bytes(f"{place}/{folder}/{file.name}", file.data)
    return f"{place}/{folder}/"


def run(*arguments: str) -> int:
    return main(list(arguments))


def output_of(target: str) -> list[bytes]:
    """The lines of each shard, checked to be whole."""
    found = []
    for uri in output_shards(STORE, target):
        data = STORE.read_bytes(uri)
        assert data.endswith(b"\n")
        found += (
            data.splitlines(keepends=True)
            if b"\r" not in data
            else [x + b"\n" for x in data.split(b"\n")[:-1]]
        )
    return sorted(found)


def everything(target: str) -> list[str]:
    return sorted(entry.uri.removeprefix(target) for entry in STORE.list_objects(f"{target}/"))


def check_books(target: str, files: list[Given]) -> None:
    """The summary, the ledger and the shards agree with each other and with the inputs."""
    records = {record.uri: record for record in ledger_records(STORE, target)}
    files = as_read(files)
    assert len(records) == len(files) == len(list(ledger_records(STORE, target)))
    for file in files:
        (record,) = [r for uri, r in records.items() if uri.endswith(f"/in/{file.name}")]
        assert record.status == ("failed" if file.fault else "complete"), record
        assert (record.generation is not None) == target.startswith("gs://")
        if file.fault:
            assert file.fault in record.error
            assert record.lines == record.output_bytes == 0
        else:
            assert (record.error, record.codec) == (None, file.codec)
            assert record.size == len(file.data)
            assert record.crc32c == crc32c(file.data)
            assert record.lines == file.lines.count(b"\n")
            assert record.output_bytes == len(file.lines)
    summary = read_summary(STORE, target)
    assert summary["files"]["listed"] == len(files)
    assert summary["files"]["failed"] == sum(file.fault is not None for file in files)
    assert summary["files"]["complete"] + summary["files"]["failed"] == summary["files"]["listed"]
    assert summary["lines"] == sum(r.lines for r in records.values()) == len(output_of(target))
    assert summary["outputBytes"] == sum(STORE.stat(uri).size for uri in output_shards(STORE, target))


@pytest.mark.parametrize("shards", [None, 1, 4])
def test_every_line_once_and_every_file_accounted_for(place, shards):
    files = [*good_files(), *bad_files()]
    folder = put(place, files)
    wanted = ("--shards", str(shards)) if shards else ()
    assert run("--input", folder, "--target", f"{place}/out", *wanted) == 0
    assert output_of(f"{place}/out") == expected_lines(files)
    check_books(f"{place}/out", files)
    names = everything(f"{place}/out")
    count = shards or 1
    assert names == [
        "/ledger/ledger-00000-of-00001.ndjson",
        *(f"/output/output-{n:05d}-of-{count:05d}.ndjson" for n in range(count)),
        "/shards.ndjson",
        "/summary.json",
    ]


def test_a_files_lines_stay_together_and_in_order(place):
    files = good_files()
    run("--input", put(place, files), "--target", f"{place}/out")
    whole = b"".join(STORE.read_bytes(uri) for uri in output_shards(STORE, f"{place}/out"))
    assert all(file.lines in whole for file in as_read(files))


def test_inputs_that_overlap_are_read_once(place):
    files = good_files()
    folder = put(place, files)
    inputs = [folder, f"{folder}2016/", f"{folder}**/*.bz2", f"{folder}top.ndjson"]
    arguments = [argument for uri in inputs for argument in ("--input", uri)]
    assert run(*arguments, "--target", f"{place}/out") == 0
    assert output_of(f"{place}/out") == expected_lines(files)
    check_books(f"{place}/out", files)


@pytest.mark.parametrize(
    ("selected", "source", "names"),
    [
        ("2016/", "betfair", ["2016/Jan/1/10/1.1.bz2", "2016/Jan/1/10/1.2.bz2"]),
        (
            "2016/Jan",
            "ndjson",
            [
                "2016/Jan/1/10/1.1.bz2",
                "2016/Jan/1/10/1.2.bz2",
                "2016/Jan/2/11/1.3.gz",
                "2016/Jan/2/11/1.4.zst",
            ],
        ),
        (
            "2016/*/2/*",
            "ndjson",
            ["2016/Feb/2/1.5.xz", "2016/Feb/2/1.6.zip!/a.json", "2016/Feb/2/1.6.zip!/b/c.json"],
        ),
        ("2016/**/1.[35].*", "ndjson", ["2016/Jan/2/11/1.3.gz", "2016/Feb/2/1.5.xz"]),
        ("öß/日本語/🐎 [1]*?.bz2", "ndjson", ["öß/日本語/🐎 [1]*?.bz2"]),
        ("a b/%20+#&=?.bz2", "betfair", ["a b/%20+#&=?.bz2"]),
    ],
)
def test_a_selection_is_a_folder_a_file_or_a_glob(place, selected, source, names):
    folder = put(place, good_files())
    assert run("--input", f"{folder}{selected}", "--source", source, "--target", f"{place}/out") == 0
    assert sorted(r.uri.removeprefix(folder) for r in ledger_records(STORE, f"{place}/out")) == sorted(names)


def test_keep_partial_keeps_whole_lines_from_before_the_fault(place):
    files = [*good_files()[:1], *bad_files()[:1]]
    assert run("--input", put(place, files), "--target", f"{place}/out", "--keep-partial") == 0
    (failed,) = ledger_records(STORE, f"{place}/out", status="failed")
    assert "cut off" in failed.error
    assert failed.lines > 100
    before = [line + b"\n" for line in lines(40, 5000).split(b"\n")[: failed.lines]]
    assert output_of(f"{place}/out") == sorted([*expected_lines(files), *before])


@pytest.mark.parametrize("spool_mb", ["0", "1"])
def test_files_that_fit_neither_in_memory_nor_on_disk_are_read_twice(place, spool_mb, monkeypatch):
    monkeypatch.setattr(held_lines.memory_room, "_free", 0)
    files = [*good_files(), *bad_files()]
    arguments = ["--input", put(place, files), "--target", f"{place}/out", "--spool-mb", spool_mb]
    assert run(*arguments) == 0
    assert output_of(f"{place}/out") == expected_lines(files)
    check_books(f"{place}/out", files)
    assert run(*arguments, "--shards", "3", "--keep-partial", "--overwrite") == 0
    failed = ledger_records(STORE, f"{place}/out", status="failed")
    kept = {record.uri.rpartition("/")[2]: record.lines for record in failed if record.lines}
    assert kept == {"cut.bz2": 2225, "tail.gz": 49}
    assert set(expected_lines(files)) < set(output_of(f"{place}/out"))
    assert (held_lines.memory_room._free, held_lines.disk_room._taken) == (0, 0)


@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("--max-ratio", "0"), 0)])
def test_a_bomb_is_stopped_unless_it_is_meant_to_be_one(place, arguments, code, capsys):
    STORE.write_bytes(f"{place}/in/a.bz2", repeated_block(b'{"a":1}\n' * (1 << 16), 80))
    assert run("--input", f"{place}/in/", "--target", f"{place}/out", *arguments) == code
    if code:
        assert "the one file failed" in capsys.readouterr().err
        (failed,) = ledger_records(STORE, f"{place}/out")
        assert failed.error.startswith("holds more than 1,000 unpacked bytes for each of its ")
    else:
        assert read_summary(STORE, f"{place}/out")["lines"] == 40 << 17


@pytest.mark.parametrize(("allowed", "code"), [(8, 0), (7, 1), (0, 1)])
def test_more_failures_than_allowed_fail_the_job_and_leave_its_ledger(place, allowed, code, capsys):
    files = [*good_files(), *bad_files()]
    folder = put(place, files)
    assert run("--input", folder, "--target", f"{place}/out", "--max-failures", str(allowed)) == code
    if code:
        said = capsys.readouterr().err
        assert f"8 of 23 files failed, and max-failures allows {allowed}" in said
        assert everything(f"{place}/out") == ["/ledger/ledger-00000-of-00001.ndjson"]
        assert len(list(ledger_records(STORE, f"{place}/out", status="failed"))) == 8


def test_a_job_of_bad_files_only_fails(place, capsys):
    folder = put(place, bad_files())
    assert run("--input", folder, "--target", f"{place}/out") == 1
    assert "all 8 files failed" in capsys.readouterr().err
    assert everything(f"{place}/out") == ["/ledger/ledger-00000-of-00001.ndjson"]


def test_overwrite_replaces_all_that_was_there(place):
    first, second = good_files()[:3], good_files()[3:6]
    run("--input", put(place, first, "in"), "--target", f"{place}/out", "--shards", "3")
    assert run("--input", put(place, second, "in2"), "--target", f"{place}/out") == 2
    assert output_of(f"{place}/out") == expected_lines(first)
    assert run("--input", f"{place}/in2/", "--target", f"{place}/out", "--overwrite") == 0
    assert output_of(f"{place}/out") == expected_lines(second)
    assert len(everything(f"{place}/out")) == 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--input", "{place}/none/"],
            "no file matches {place}/none/; tried {place}/none/* and {place}/none/**/*",
        ),
        (["--input", "{place}/in/", "--input", "{place}/in/*.nope"], "no file matches {place}/in/*.nope"),
        (["--input", "{place}/in/", "--target", "{place}/in/out"], "is inside the input"),
        (["--input", "{place}/**/*.json", "--target", "{place}/out"], "is inside the selection"),
        (
            ["--input", "{place}/in/", "--source", "nope"],
            "no source is named 'nope'; there are: betfair, ndjson",
        ),
        (["--input", "{place}/in/x[.bz2"], "is not closed"),
        (["--input", "{place}/in/", "--shards", "0"], "shards is 0"),
        (["--input", "gs://no-such-bucket-here/in/"], "no bucket gs://no-such-bucket-here"),
        (
            ["--input", "{place}/in/", "--target", "gs://no-such-bucket-here/out"],
            "no bucket gs://no-such-bucket-here",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_before_anything_runs(
    place, bucket, arguments, says, capsys
):
    put(place, good_files())
    before = everything(place)
    arguments = [argument.format(place=place) for argument in arguments]
    if "--target" not in arguments:
        arguments += ["--target", f"{place}/out"]
    try:
        code = run(*arguments)
    except SystemExit as e:
        code = e.code
    assert code == 2
    said = capsys.readouterr().err
    assert says.format(place=place) in said
    assert said.startswith("refused: ")
    assert len(said.splitlines()) == 1
    assert everything(place) == before


def test_a_target_that_cannot_be_written_is_refused(tmp_path, capsys):
    folder = put(str(tmp_path), good_files())
    (tmp_path / "file").write_text("in the way")
    assert run("--input", folder, "--target", f"{tmp_path}/file/out") == 2
    assert f"refused: target {tmp_path}/file/out cannot be used" in capsys.readouterr().err


def test_an_object_with_a_content_encoding_is_read_as_it_is_stored(bucket):
    """A bucket that decompresses on the way would give other bytes than the ones that were counted."""
    from google.cloud import storage as gcs

    raw = lines(1) + b"\n"
    stored = gzip.compress(raw)
    for name in ("plain.json", "named.json.gz"):
        blob = gcs.Client().bucket(bucket).blob(f"in/{name}")
        blob.content_encoding = "gzip"
        blob.upload_from_string(stored, content_type="application/json")
    assert run("--input", f"gs://{bucket}/in/", "--target", f"gs://{bucket}/out") == 0
    assert output_of(f"gs://{bucket}/out") == sorted([*raw.splitlines(keepends=True)] * 2)
    for record in ledger_records(STORE, f"gs://{bucket}/out"):
        assert (record.codec, record.size, record.crc32c) == ("gzip", len(stored), crc32c(stored))


def test_local_names_that_are_no_text_are_read(tmp_path):
    folder = bytes(tmp_path) + b"/in"
    Path(folder.decode()).mkdir()
    for name in (b"caf\xe9.json", b"line\nbreak.json", b" .json"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(name.hex().encode() + b"\n")
    assert run("--input", f"{tmp_path}/in/", "--target", f"{tmp_path}/out") == 0
    assert len(output_of(f"{tmp_path}/out")) == 3
    assert json.dumps([record.uri for record in ledger_records(STORE, f"{tmp_path}/out")])


UNPACK = {".bz2": ["bzip2", "-dc"], ".gz": ["gzip", "-dc"], ".zip": ["unzip", "-p"], "": ["cat"]}


def unpacked(path: Path) -> bytes:
    suffix = path.suffix if path.suffix in UNPACK else ""
    data = subprocess.run([*UNPACK[suffix], str(path)], capture_output=True, check=True).stdout
    return data if data.endswith(b"\n") else data + b"\n"


if REAL.is_dir():

    @pytest.mark.parametrize("shards", [(), ("--shards", "5")])
    def test_real_files_come_out_as_the_usual_programs_unpack_them(bucket, shards):
        paths = sorted(path for path in REAL.iterdir() if path.name.startswith("1."))
        for path in paths:
            STORE.upload_file(str(path), f"gs://{bucket}/in/{path.name}")
        assert run("--input", f"gs://{bucket}/in/", "--target", f"gs://{bucket}/out", *shards) == 0
        expected = Counter(line for path in paths for line in unpacked(path).splitlines(keepends=True))
        assert Counter(output_of(f"gs://{bucket}/out")) == expected
        assert read_summary(STORE, f"gs://{bucket}/out")["files"] == {
            "listed": len(paths),
            "complete": len(paths),
            "failed": 0,
            "skipped": 0,
            "noted": 0,
        }

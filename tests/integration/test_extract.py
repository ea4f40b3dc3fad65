"""One file's lines out of an output: small ones, large ones, in one shard or over several."""

from __future__ import annotations

import bz2
import gzip
import json
import subprocess
import sys

import pytest

from pipeline.__main__ import main
from pipeline.errors import RefusedError, StorageError
from pipeline.proof import extract, find_record
from pipeline.storage import PlainStore
from pipeline.target.layout import shards_uri
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.files import as_read, good_files, lines, put_all

pytestmark = pytest.mark.timeout(120)
STORE = PlainStore()
LARGE = b"".join(b'{"large":%d,"pad":"%s"}\n' % (n, b"x" * 80) for n in range(60_000))  # more than one window


def run(place: str, *arguments: str) -> str:
    put_all(f"{place}/in")
    STORE.write_bytes(f"{place}/in/large.gz", gzip.compress(LARGE, 1))
    assert main(["--input", f"{place}/in/", "--target", f"{place}/out", *arguments]) == 0
    return f"{place}/out"


@pytest.mark.parametrize("shards", [None, 1, 7])
def test_each_files_lines_come_out_of_the_output_as_they_went_in(place, shards):
    target = run(place, *(("--shards", str(shards)) if shards else ()))
    expected = {f"{place}/in/{file.name}": file.lines for file in as_read(good_files())}
    expected[f"{place}/in/large.gz"] = LARGE
    records = {record.uri: record for record in ledger_records(STORE, target)}
    for uri, lines_ in expected.items():
        assert find_record(STORE, target, uri) == records[uri]
        assert b"".join(extract(STORE, target, records[uri])) == lines_
    uris = output_shards(STORE, target)
    for record in records.values():
        if record.lines and record.uri != f"{place}/in/large.gz" and shards != 7:
            (shard,) = [uri for uri in uris if uri.endswith(f"/{record.shard}")]
            data = STORE.read_range(shard, record.offset, record.offset + record.output_bytes)
            assert data == expected[record.uri]  # one ranged read
    if shards == 7:
        sizes = [STORE.stat(uri).size for uri in uris]
        assert records[f"{place}/in/large.gz"].output_bytes > max(sizes)  # it goes on in the next shard


def test_what_came_before_a_fault_is_extracted_if_it_was_kept(tmp_path):
    data = bz2.compress(lines(1, 50_000), 1)
    STORE.write_bytes(f"{tmp_path}/in/good.bz2", bz2.compress(lines(2)))
    STORE.write_bytes(f"{tmp_path}/in/cut.bz2", data[: len(data) // 2])
    assert main(["--input", f"{tmp_path}/in/", "--target", f"{tmp_path}/out", "--keep-partial"]) == 0
    record = find_record(STORE, f"{tmp_path}/out", "cut.bz2")
    found = b"".join(extract(STORE, f"{tmp_path}/out", record))
    assert record.status == "failed"
    assert len(found) > 100_000
    assert lines(1, 50_000).startswith(found)


@pytest.fixture
def target(tmp_path):
    return run(str(tmp_path))


def test_the_end_of_a_uri_is_enough_where_no_other_file_ends_so(target, tmp_path):
    assert find_record(STORE, target, "1.3.gz").uri == f"{tmp_path}/in/2016/Jan/2/11/1.3.gz"
    assert find_record(STORE, target, "11/1.3.gz").uri == f"{tmp_path}/in/2016/Jan/2/11/1.3.gz"
    assert find_record(STORE, target, "日本語/🐎 [1]*?.bz2").codec == "bz2"
    with pytest.raises(RefusedError, match=r"^3.gz is not in the ledger"):
        find_record(STORE, target, "3.gz")


def test_a_name_that_several_files_end_in_is_refused_with_their_names(tmp_path):
    for folder in ("a", "b"):
        STORE.write_bytes(f"{tmp_path}/in/{folder}/x.ndjson", b"{}\n")
    main(["--input", f"{tmp_path}/in/", "--target", f"{tmp_path}/out"])
    with pytest.raises(
        RefusedError, match=r"2 files of the job end so: .*/x.ndjson, .*/x.ndjson; write more"
    ):
        find_record(STORE, f"{tmp_path}/out", "x.ndjson")
    assert find_record(STORE, f"{tmp_path}/out", "a/x.ndjson").uri == f"{tmp_path}/in/a/x.ndjson"


def test_a_file_that_is_not_in_the_ledger_is_refused_with_those_near_it(target, tmp_path):
    with pytest.raises(RefusedError, match=r"is not in the ledger at .*; near it are: .*/in/large\.gz"):
        find_record(STORE, target, f"{tmp_path}/in/larger.gz")
    with pytest.raises(RefusedError, match=r"so no line of it is in the output$"):
        find_record(STORE, target, "0123456789")


def test_a_file_that_failed_is_refused_with_its_reason(target):
    record = find_record(STORE, target, "empty.bz2")
    with pytest.raises(RefusedError, match=r"bad/empty.bz2 failed: is empty \(0 bytes\); nothing of it"):
        extract(STORE, target, record)


def test_lines_that_are_not_those_that_were_written_are_told(target, tmp_path):
    (shard,) = output_shards(STORE, target)
    record = find_record(STORE, target, "1.1.bz2")
    data = bytearray(STORE.read_bytes(shard))
    data[record.offset] ^= 1
    STORE.write_bytes(shard, bytes(data))
    with pytest.raises(
        StorageError, match=r"the lines of .*1\.1\.bz2 are not those that were written.*chimera verify"
    ):
        list(extract(STORE, target, record))
    STORE.write_bytes(shard, bytes(data)[: record.offset + 10])
    with pytest.raises(StorageError, match="10 bytes in 0 lines"):
        list(extract(STORE, target, record))
    STORE.write_bytes(shards_uri(target), b"")
    with pytest.raises(StorageError, match=r"has no byte .* where .* has its lines by the ledger"):
        extract(STORE, target, record)


# The command line


def chimera(*arguments: str, cwd: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "chimera_nb", *arguments]
    return subprocess.run(command, capture_output=True, cwd=cwd, timeout=100, check=False)


def test_the_commands_take_a_job_or_a_target(tmp_path):
    STORE.write_bytes(f"{tmp_path}/in/a.bz2", bz2.compress(lines(1)))
    STORE.write_bytes(f"{tmp_path}/in/b.bz2", b"no bz2")
    target = f"{tmp_path}/out"
    data_dir = ("--data-dir", f"{tmp_path}/data")
    submitted = chimera(
        *("submit", f"{tmp_path}/in/", "--target", target, "--wait", "--json", *data_dir), cwd=tmp_path
    )
    assert submitted.returncode == 0, submitted.stderr
    job_id = json.loads(submitted.stdout)["jobId"]
    for what in (job_id, target, f"{target}/", "out"):
        verified = chimera("verify", what, "--deep", *data_dir, cwd=tmp_path)
        assert verified.returncode == 0, verified.stderr
        assert verified.stdout.decode().startswith(f"proved: {target} is the whole output of job {job_id}\n")
        assert b"decoded   1 files, line by line" in verified.stdout
        extracted = chimera("extract", what, "a.bz2", *data_dir, cwd=tmp_path)
        assert (extracted.returncode, extracted.stdout) == (0, lines(1) + b"\n")
        assert b"50 lines of " in extracted.stderr

    done = chimera("extract", job_id, f"{tmp_path}/in/a.bz2", "-o", "lines.ndjson", *data_dir, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "lines.ndjson").read_bytes() == lines(1) + b"\n"
    assert chimera("extract", job_id, "b.bz2", *data_dir, cwd=tmp_path).returncode == 2

    (shard,) = output_shards(STORE, target)
    STORE.write_bytes(shard, lines(1).replace(b"0", b"1") + b"\n")
    refuted = chimera("verify", job_id, "--json", *data_dir, cwd=tmp_path)
    document = json.loads(refuted.stdout)
    assert refuted.returncode == 1
    assert document["proved"] is False
    assert {found["kind"] for found in document["differences"]} == {"shard-changed", "lines-changed"}
    shown = chimera("verify", target, *data_dir, cwd=tmp_path)
    assert shown.returncode == 1
    assert b"refuted: 2 differences at" in shown.stdout
    assert b"shard-changed: " in shown.stdout
    failed = chimera("extract", job_id, "a.bz2", "-o", "other.ndjson", *data_dir, cwd=tmp_path)
    assert failed.returncode == 1
    assert b"are not those that were written" in failed.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out", "data", "lines.ndjson"}


@pytest.mark.parametrize("what", ["2024-01-19-abc12345", "gone/", "/nowhere/at/all"])
def test_what_is_no_job_and_no_output_is_refused(what, tmp_path):
    for command in (["verify", what], ["extract", what, "a.bz2"]):
        done = chimera(*command, "--data-dir", f"{tmp_path}/data", cwd=tmp_path)
        assert done.returncode == 2, done
        assert done.stderr.startswith(b"refused: ")

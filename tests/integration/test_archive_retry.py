"""A member that failed, by the command line and the API, out of a bucket: tried again, extracted and proved."""

from __future__ import annotations

import bz2
import json

import pytest

import chimera_nb as ch
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from pipeline.storage import PlainStore
from pipeline.target.results import ledger_records
from pipeline.uri import join_uri
from tests.fixtures.command import run_chimera
from tests.fixtures.files import lines, zipped
from tests.fixtures.tars import PACKERS, Put, tar

STORE = PlainStore()
RAW = {f"2020/1.{n}.bz2": lines(n) + b"\n" for n in range(8)}
WHOLE = {name: bz2.compress(raw) for name, raw in RAW.items()}
BROKEN = "2020/1.3.bz2"

pytestmark = pytest.mark.timeout(300)


def packed(kind: str, files: dict[str, bytes]) -> bytes:
    if kind == "zip":
        return zipped(files)
    return PACKERS[kind](tar([Put(name, data) for name, data in files.items()]))


@pytest.fixture
def chimera(tmp_path):
    def run(*arguments: str, code: int = 0) -> str:
        done = run_chimera(tmp_path, *arguments, code=code, CHIMERA_DATA_DIR=str(tmp_path / "data"))
        return done.stdout + (done.stderr if code == 2 else "")

    return run


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_a_member_that_failed_is_told_tried_again_extracted_and_proved(chimera, bucket, tmp_path, kind):
    archive = f"gs://{bucket}/in/data.{kind}"
    broken, good = f"{archive}!/{BROKEN}", f"{archive}!/2020/1.5.bz2"
    STORE.write_bytes(archive, packed(kind, {**WHOLE, BROKEN: WHOLE[BROKEN][:-9]}))

    first = json.loads(chimera("submit", archive, "--target", f"gs://{bucket}/out", "--wait", "--json"))
    assert first["summary"]["files"]["failed"] == 1
    assert first["summary"]["files"]["complete"] == len(WHOLE) - 1
    assert chimera("extract", first["jobId"], good).encode() == RAW["2020/1.5.bz2"]
    assert "cut off" in chimera("extract", first["jobId"], broken, code=2)
    chimera("verify", first["jobId"], "--deep")

    # As it is, it fails again, and alone.
    again = json.loads(chimera("jobs", "retry", first["jobId"], "--wait", "--json", code=1))
    assert [record.uri for record in ledger_records(STORE, _target(again))] == [broken]

    STORE.write_bytes(archive, packed(kind, WHOLE))
    told = json.loads(chimera("verify", first["jobId"], "--json", code=1))
    assert {found["kind"] for found in told["differences"]} == {"source-replaced"}
    assert [(found["kind"], found["uri"]) for found in told["notes"]] == [("failed-source-replaced", broken)]

    service = JobService(Settings(data_dir=tmp_path / "data"))
    try:
        mended = service.wait(service.retry(first["jobId"]).job_id)
    finally:
        service.log.close()
    assert mended.status is Status.COMPLETE
    target = join_uri(mended.target_bucket, mended.output_prefix)
    (record,) = ledger_records(STORE, target)
    assert (record.uri, record.status) == (broken, "complete")
    assert chimera("extract", mended.job_id, broken).encode() == RAW[BROKEN]
    assert chimera("extract", mended.job_id, "1.3.bz2").encode() == RAW[BROKEN]
    chimera("verify", mended.job_id, "--deep")


def test_a_job_handle_tries_members_again(bucket, tmp_path):
    archive = f"gs://{bucket}/in/data.tar"
    STORE.write_bytes(archive, packed("tar", {**WHOLE, BROKEN: b""}))
    session = Session(Settings(data_dir=tmp_path / "data"))
    try:
        job = ch.submit(archive, f"gs://{bucket}/out", session=session).wait()
        STORE.write_bytes(archive, packed("tar", WHOLE))
        again = job.retry().wait()
    finally:
        session.close()
    assert list(again.record.selected_paths) == [f"in/data.tar!/{BROKEN}"]
    assert again.record.summary["files"] == {
        "listed": 1,
        "complete": 1,
        "failed": 0,
        "skipped": 0,
        "noted": 0,
    }


def _target(document: dict[str, str]) -> str:
    return join_uri(document["targetBucket"], document["outputPrefix"])

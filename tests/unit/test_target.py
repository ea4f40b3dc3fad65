from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from pipeline.errors import AccessDeniedError, StorageError, TargetError
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target import (
    abandon_target,
    check_held,
    parts_folder,
    prepare_target,
    published,
    read_summary,
    release_target,
    shard_uri,
    summary_uri,
)

STORE = Store()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def job(out: object, job_id: str = "me", **fields) -> JobSpec:
    return JobSpec(inputs=("/in",), target=str(out), job_id=job_id, **fields)


def unknown(_: str) -> None:
    return None


def alive(_: str) -> bool:
    return True


def dead(_: str) -> bool:
    return False


def files(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if not path.is_dir()}


def lay_result(out: Path, job_id: str = "other", *, summary: bool = True) -> set[str]:
    for kind in ("output", "ledger"):
        STORE.write_bytes(shard_uri(str(out), kind, 0, 1), job_id.encode())
    if summary:
        STORE.write_bytes(summary_uri(str(out)), json.dumps({"jobId": job_id}).encode())
    return files(out)


def lay_part(out: Path, job_id: str) -> None:
    STORE.write_bytes(f"{parts_folder(str(out), job_id, 'output')}/part-1.ndjson", b"x\n")


CLAIM = "_chimera/claim.json"


# Taking a target


def test_a_free_target_is_taken(out):
    prepare_target(STORE, job(out), unknown)
    assert files(out) == {CLAIM}
    assert json.loads((out / CLAIM).read_bytes())["jobId"] == "me"


def test_the_same_job_may_take_it_again(out):
    for _ in range(2):
        prepare_target(STORE, job(out), unknown)
    check_held(STORE, job(out))


def test_files_of_other_kinds_are_no_output_and_are_left_alone(out):
    for name in (
        "output/readme.txt",
        "output/output-1.ndjson",
        "notes",
        "output/output-00000-of-00001.ndjson.bak",
    ):
        STORE.write_bytes(f"{out}/{name}", b"x")
    before = files(out)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    abandon_target(STORE, job(out, overwrite=True))
    assert files(out) == before


@pytest.mark.parametrize(
    "name", ["summary.json", "output/output-00003-of-00010.ndjson", "ledger/ledger-00000-of-123456.ndjson"]
)
def test_a_target_that_holds_output_is_refused_and_untouched(out, name):
    STORE.write_bytes(f"{out}/{name}", b"precious")
    with pytest.raises(TargetError, match=rf"already holds output \({out}/{name}\).*--overwrite"):
        prepare_target(STORE, job(out), dead)
    assert files(out) == {name}


def test_overwrite_deletes_the_old_result_and_takes_the_target(out):
    lay_result(out)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == {CLAIM}


def test_overwrite_deletes_the_summary_first(out, monkeypatch):
    lay_result(out)
    deleted = []
    monkeypatch.setattr(Store, "delete", staticmethod(deleted.extend))
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert deleted[0] == summary_uri(str(out))
    assert set(deleted[1:]) == set(published(STORE, str(out)))


@pytest.mark.parametrize(("is_alive", "overwrite"), [(alive, False), (alive, True), (unknown, False)])
def test_a_target_that_another_job_may_be_writing_is_refused_and_untouched(out, is_alive, overwrite):
    prepare_target(STORE, job(out, "other"), unknown)
    lay_part(out, "other")
    before = files(out)
    with pytest.raises(TargetError, match="is being written by job other"):
        prepare_target(STORE, job(out, overwrite=overwrite), is_alive)
    assert files(out) == before
    check_held(STORE, job(out, "other"))


@pytest.mark.parametrize(("is_alive", "overwrite"), [(dead, False), (dead, True), (unknown, True)])
def test_a_dead_jobs_claim_is_taken_over_with_its_leavings(out, is_alive, overwrite):
    prepare_target(STORE, job(out, "other"), unknown)
    lay_part(out, "other")
    prepare_target(STORE, job(out, overwrite=overwrite), is_alive)
    assert files(out) == {CLAIM}
    check_held(STORE, job(out))
    with pytest.raises(TargetError, match="taken over by job me while job other ran"):
        check_held(STORE, job(out, "other"))


@pytest.mark.parametrize("claim", [b"", b"{", b"[]", b"7", b"\xff", b'{"jobId": "../../precious"}'])
def test_a_claim_that_nobody_can_read_is_one_of_a_job_that_may_be_alive(out, claim):
    STORE.write_bytes(f"{out.parent}/precious/x", b"x")
    STORE.write_bytes(f"{out}/{CLAIM}", claim)
    with pytest.raises(TargetError, match="is being written by job"):
        prepare_target(STORE, job(out), unknown)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == {CLAIM}
    assert (out.parent / "precious/x").exists()


def test_a_job_that_publishes_while_its_claim_is_awaited_keeps_its_result(out):
    prepare_target(STORE, job(out, "other"), unknown)

    def finishes(_: str) -> bool:
        lay_result(out)
        release_target(STORE, job(out, "other"))
        return False

    with pytest.raises(TargetError, match="already holds output"):
        prepare_target(STORE, job(out), finishes)
    assert files(out) == {"summary.json", *(f"{k}/{k}-00000-of-00001.ndjson" for k in ("output", "ledger"))}


def run_together(count: int, act) -> list[Exception | None]:
    barrier, results = threading.Barrier(count), [ValueError("never ran")] * count

    def run(i: int) -> None:
        barrier.wait(30)
        try:
            act(i)
            results[i] = None
        except TargetError as e:
            results[i] = e

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("left_by_the_dead", [False, True])
def test_of_several_jobs_that_take_a_target_at_once_one_has_it(tmp_path, left_by_the_dead):
    for turn in range(15):
        out = tmp_path / str(turn)
        if left_by_the_dead:
            prepare_target(STORE, job(out, "corpse"), unknown)
            lay_part(out, "corpse")
        asked = threading.Barrier(4)

        def is_alive(owner: str, asked=asked) -> bool:
            if owner == "corpse":  # all have seen the dead claim before any acts on it
                asked.wait(30)
            return owner != "corpse"

        results = run_together(
            4, lambda i, out=out, f=is_alive: prepare_target(STORE, job(out, f"job-{i}"), f)
        )
        (winner,) = [i for i, result in enumerate(results) if result is None]
        check_held(STORE, job(out, f"job-{winner}"))
        assert files(out) == {CLAIM}
        assert all("is being written by job" in str(e) for e in results if e is not None)


# A target that cannot be used


def test_a_bucket_that_is_absent_is_refused(monkeypatch):
    monkeypatch.setattr(Store, "bucket_exists", staticmethod(lambda _: False))
    with pytest.raises(TargetError, match="no bucket gs://nowhere for the target gs://nowhere/x"):
        prepare_target(STORE, job("gs://nowhere/x"), unknown)


def denied(*_, **__):
    raise AccessDeniedError("gs://b", "access is denied")


@pytest.mark.parametrize("call", ["bucket_exists", "write_bytes"])
def test_a_target_that_may_not_be_written_is_refused(out, monkeypatch, call):
    monkeypatch.setattr(Store, call, staticmethod(denied))
    with pytest.raises(TargetError, match="cannot be written: gs://b: access is denied"):
        prepare_target(STORE, job(out), unknown)


@pytest.mark.parametrize("name", ["out", ""])
def test_a_file_in_the_way_is_refused(tmp_path, name):
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(TargetError, match="cannot be used"):
        prepare_target(STORE, job(tmp_path / "out" / name), unknown)
    assert (tmp_path / "out").read_bytes() == b"precious"


def test_a_store_that_fails_once_the_target_is_taken_leaves_no_claim(out, monkeypatch):
    before = lay_result(out)
    real, calls = STORE.delete, []

    def fails_once(uris):
        calls.append(uris)
        if len(calls) == 1:
            raise StorageError("x", "the store does not answer")
        real(uris)

    monkeypatch.setattr(Store, "delete", staticmethod(fails_once))
    with pytest.raises(TargetError, match="the store does not answer"):
        prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == before


# Letting go of it


def test_release_leaves_what_is_published_and_may_be_repeated(out):
    prepare_target(STORE, job(out), unknown)
    lay_part(out, "me")
    result = {name for name in lay_result(out, "me") if not name.startswith("_")}
    for _ in range(2):
        release_target(STORE, job(out))
    assert files(out) == result
    assert not (out / "_chimera").exists()


def test_release_leaves_another_jobs_claim_and_files(out):
    prepare_target(STORE, job(out, "other"), unknown)
    lay_part(out, "other")
    lay_part(out, "me")
    release_target(STORE, job(out))
    assert files(out) == {CLAIM, "_chimera/other/output/part-1.ndjson"}


def test_abandon_leaves_the_ledger_alone_and_may_be_repeated(out):
    prepare_target(STORE, job(out), unknown)
    lay_result(out, "me", summary=False)
    lay_part(out, "me")
    for _ in range(2):
        abandon_target(STORE, job(out))
    assert files(out) == {"ledger/ledger-00000-of-00001.ndjson"}


def test_abandon_leaves_a_complete_result(out):
    prepare_target(STORE, job(out), unknown)
    lay_part(out, "me")
    result = {name for name in lay_result(out, "me") if not name.startswith("_")}
    for _ in range(2):
        abandon_target(STORE, job(out))
    assert files(out) == result


@pytest.mark.parametrize("summary", [False, True])
def test_abandon_leaves_what_another_job_has_made_of_the_target_since(out, summary):
    prepare_target(STORE, job(out), unknown)
    prepare_target(STORE, job(out, "other", overwrite=True), dead)
    lay_part(out, "other")
    theirs = lay_result(out, summary=summary)
    abandon_target(STORE, job(out))
    assert files(out) == theirs
    release_target(STORE, job(out, "other"))
    abandon_target(STORE, job(out))
    assert files(out) == {name for name in theirs if not name.startswith("_")}


def test_abandon_of_a_job_that_never_took_the_target_touches_nothing(out):
    before = lay_result(out, summary=False)
    abandon_target(STORE, job(out))
    assert files(out) == before


# Who holds it


def test_a_job_may_come_back_to_its_own_result_but_not_to_a_target_it_has_lost(out):
    lay_result(out, "me")
    check_held(STORE, job(out))
    STORE.delete([f"{out}/summary.json"])
    with pytest.raises(TargetError, match="was given up while job me ran"):
        check_held(STORE, job(out))


def test_a_result_of_another_job_is_not_published_over(out):
    lay_result(out)
    with pytest.raises(TargetError, match="taken over by job other"):
        check_held(STORE, job(out))


# What is there


def test_a_summary_is_read_or_absent_or_refused(out):
    assert read_summary(STORE, str(out)) is None
    lay_result(out)
    assert read_summary(STORE, f"{out}/") == {"jobId": "other"}
    for text in (b"", b"{", b"[]", b"null", b"\xff"):
        STORE.write_bytes(summary_uri(str(out)), text)
        with pytest.raises(TargetError, match="is not what a job wrote"):
            read_summary(STORE, str(out))


def test_published_files_are_given_in_order(out):
    for i in (2, 0, 1):
        STORE.write_bytes(shard_uri(str(out), "output", i, 3), b"")
    STORE.write_bytes(shard_uri(str(out), "ledger", 0, 1), b"")
    (out / "output/output-00009-of-00009.ndjson").mkdir()
    assert [uri.rpartition("/")[2] for uri in published(STORE, str(out))] == [
        *(f"output-{i:05d}-of-00003.ndjson" for i in range(3)),
        "ledger-00000-of-00001.ndjson",
    ]

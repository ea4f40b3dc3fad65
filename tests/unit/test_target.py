"""A target is taken by a job, or refused; and what is published there."""

from __future__ import annotations

import json
import os
import threading

import pytest

from pipeline.errors import AccessDeniedError, StorageError, TargetError
from pipeline.storage import PlainStore
from pipeline.storage.local_versions import LocalVersions
from pipeline.target.claim import State
from pipeline.target.contents import published
from pipeline.target.layout import shard_uri, summary_uri
from pipeline.target.lifecycle import (
    abandon_target,
    begin_target,
    hold_for_publishing,
    prepare_target,
    read_summary,
)
from tests.fixtures.local_files import race
from tests.fixtures.targets import (
    CLAIM,
    LEDGER,
    OUTPUT,
    alive,
    dead,
    files,
    holder,
    job,
    lay_old_claim,
    lay_part,
    lay_result,
    publish_all,
    unknown,
)

STORE = PlainStore()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# Taking a target


def test_a_free_target_is_taken(out):
    prepare_target(STORE, job(out), unknown)
    assert files(out) == {CLAIM}
    assert json.loads((out / CLAIM).read_bytes())["jobId"] == "me"


def test_the_same_job_may_take_it_again(out):
    for _ in range(2):
        prepare_target(STORE, job(out), unknown)
    assert holder(out) == ("me", State.CLAIMED)


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


def test_overwrite_leaves_the_old_result_until_the_job_begins(out):
    old = lay_result(out)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == {*old, CLAIM}
    for _ in range(2):
        begin_target(STORE, job(out, overwrite=True))
        assert files(out) == {CLAIM}
    hold_for_publishing(STORE, job(out, overwrite=True))
    lay_result(out, "me", summary=False)
    begin_target(STORE, job(out, overwrite=True))
    assert files(out) == {CLAIM, OUTPUT, LEDGER}


def test_a_job_that_never_begins_loses_nothing_of_what_it_was_to_replace(out):
    old = lay_result(out)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert abandon_target(STORE, job(out, overwrite=True)) is None
    assert files(out) == old


def test_of_a_result_that_was_deleted_in_part_nothing_is_left_when_the_job_is_given_up(out, monkeypatch):
    lay_result(out)
    STORE.write_bytes(shard_uri(str(out), "output", 1, 2), b"more")
    prepare_target(STORE, job(out, overwrite=True), unknown)
    real, deleted = LocalVersions().delete_version, []

    def cut_short(uri, generation):
        if deleted:
            raise StorageError(uri, "the store does not answer")
        deleted.append(uri)
        return real(uri, generation)

    with monkeypatch.context() as patched:
        patched.setattr(LocalVersions, "delete_version", staticmethod(cut_short))
        with pytest.raises(StorageError):
            begin_target(STORE, job(out, overwrite=True))
    assert deleted == [summary_uri(str(out))]
    abandon_target(STORE, job(out, overwrite=True))
    assert files(out) == {LEDGER}


def test_overwrite_deletes_the_summary_first(out, monkeypatch):
    lay_result(out)
    expected = {summary_uri(str(out)), *published(STORE, str(out))}
    real, deleted = LocalVersions().delete_version, []
    monkeypatch.setattr(
        LocalVersions,
        "delete_version",
        staticmethod(lambda uri, generation: deleted.append(uri) or real(uri, generation)),
    )
    prepare_target(STORE, job(out, overwrite=True), unknown)
    begin_target(STORE, job(out, overwrite=True))
    assert deleted[0] == summary_uri(str(out))
    assert set(deleted) == expected


def test_a_job_that_lost_its_target_before_it_began_deletes_nothing(out):
    prepare_target(STORE, job(out, overwrite=True), unknown)
    prepare_target(STORE, job(out, "other"), dead)
    result = publish_all(out, "other")
    for lost in (begin_target, hold_for_publishing):
        with pytest.raises(TargetError, match="taken over by job other while job me ran"):
            lost(STORE, job(out, overwrite=True))
    abandon_target(STORE, job(out, "other"))
    assert files(out) == result


@pytest.mark.parametrize(("is_alive", "overwrite"), [(alive, False), (alive, True), (unknown, False)])
def test_a_target_that_another_job_may_be_writing_is_refused_and_untouched(out, is_alive, overwrite):
    prepare_target(STORE, job(out, "other"), unknown)
    lay_part(out, "other")
    before = files(out)
    with pytest.raises(TargetError, match="is being written by job other"):
        prepare_target(STORE, job(out, overwrite=overwrite), is_alive)
    assert files(out) == before
    assert holder(out) == ("other", State.CLAIMED)


def test_a_young_claim_of_a_job_that_is_on_no_record_is_alive(out):
    lay_old_claim(out, "other", minutes=1)
    with pytest.raises(TargetError, match=r"is being written by job other.*2 minutes after the last change"):
        prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == {CLAIM}
    assert holder(out) == ("other", State.CLAIMED)


def test_a_claim_that_was_written_under_a_clock_that_stood_ahead_is_not_young_for_so_long(out):
    lay_old_claim(out, "other", minutes=-600)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert holder(out) == ("me", State.CLAIMED)


@pytest.mark.parametrize(("is_alive", "overwrite"), [(dead, False), (dead, True), (unknown, True)])
def test_a_dead_jobs_claim_is_taken_over_with_its_leavings(out, is_alive, overwrite):
    lay_old_claim(out, "other")
    lay_part(out, "other")
    prepare_target(STORE, job(out, overwrite=overwrite), is_alive)
    assert files(out) == {CLAIM}
    hold_for_publishing(STORE, job(out, overwrite=overwrite))
    with pytest.raises(TargetError, match="taken over by job me while job other ran"):
        hold_for_publishing(STORE, job(out, "other"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_a_job_had_published_when_it_was_killed_goes_with_its_claim(out, overwrite):
    prepare_target(STORE, job(out, "other"), unknown)
    lay_part(out, "other")
    hold_for_publishing(STORE, job(out, "other"))
    STORE.write_bytes(shard_uri(str(out), "output", 0, 2), b"half")
    STORE.write_bytes(shard_uri(str(out), "ledger", 1, 2), b"half of it")
    prepare_target(STORE, job(out, overwrite=overwrite), dead)
    assert files(out) == {CLAIM}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_whole_result_that_nobody_has_finished_is_finished_by_who_wants_the_target(out, overwrite):
    prepare_target(STORE, job(out, "other"), unknown)
    result = publish_all(out, "other")
    assert read_summary(STORE, str(out))["jobId"] == "other"
    assert not (out / "summary.json").exists()
    if overwrite:
        prepare_target(STORE, job(out, overwrite=True), dead)
        assert files(out) == {*result, CLAIM}
    else:
        with pytest.raises(TargetError, match="already holds output"):
            prepare_target(STORE, job(out), dead)
        assert files(out) == result
    assert json.loads((out / "summary.json").read_bytes()) == {"jobId": "other", "state": "whole"}


@pytest.mark.parametrize(
    "claim", [b"", b"{", b"[]", b"7", b"\xff", b'{"jobId": "../../precious"}', b'{"state": "new"}']
)
def test_a_claim_that_nobody_can_read_is_one_of_a_job_that_may_be_alive(out, claim):
    STORE.write_bytes(f"{out.parent}/precious/x", b"x")
    lay_old_claim(out, "other")
    written = (out / CLAIM).stat().st_mtime
    (out / CLAIM).write_bytes(claim)
    os.utime(out / CLAIM, (written, written))
    with pytest.raises(TargetError, match="is being written by job"):
        prepare_target(STORE, job(out), unknown)
    prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == {CLAIM}
    assert (out.parent / "precious/x").exists()


def test_a_job_that_publishes_while_its_claim_is_awaited_keeps_its_result(out):
    prepare_target(STORE, job(out, "other"), unknown)
    result: set[str] = set()

    def finishes(_: str) -> bool:
        result.update(publish_all(out, "other"))
        return False

    with pytest.raises(TargetError, match="already holds output"):
        prepare_target(STORE, job(out), finishes)
    assert files(out) == result == {"summary.json", LEDGER, OUTPUT}


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

        results = race(4, lambda i, out=out, f=is_alive: prepare_target(STORE, job(out, f"job-{i}"), f))
        (winner,) = [i for i, result in enumerate(results) if result is None]
        assert holder(out) == (f"job-{winner}", State.CLAIMED)
        assert files(out) == {CLAIM}
        assert all("is being written by job" in str(e) for e in results if e is not None)


# A target that cannot be used


def test_a_bucket_that_is_absent_is_refused(monkeypatch):
    monkeypatch.setattr(PlainStore, "bucket_exists", staticmethod(lambda _: False))
    with pytest.raises(TargetError, match="no bucket gs://nowhere for the target gs://nowhere/x"):
        prepare_target(STORE, job("gs://nowhere/x"), unknown)


def denied(*_, **__):
    raise AccessDeniedError("gs://b", "access is denied")


@pytest.mark.parametrize("call", ["bucket_exists", "swap"])
def test_a_target_that_may_not_be_written_is_refused(out, monkeypatch, call):
    monkeypatch.setattr(PlainStore, call, staticmethod(denied))
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
    real, calls = LocalVersions().list_versions, []

    def fails_once(prefix, **how):
        calls.append(prefix)
        if len(calls) == 3:  # the two kinds of shards were looked at before
            raise StorageError("x", "the store does not answer")
        return real(prefix, **how)

    monkeypatch.setattr(LocalVersions, "list_versions", staticmethod(fails_once))
    with pytest.raises(TargetError, match="the store does not answer"):
        prepare_target(STORE, job(out, overwrite=True), unknown)
    assert files(out) == before


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

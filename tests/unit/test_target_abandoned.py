"""A job lets go of its target: what is left, what is undone, and what another has made of it since."""

from __future__ import annotations

import pytest

from pipeline.errors import TargetError
from pipeline.storage import PlainStore
from pipeline.target.claim import State, make_whole, read_claim
from pipeline.target.layout import shard_uri
from pipeline.target.lifecycle import abandon_target, hold_for_publishing, prepare_target
from tests.fixtures.targets import (
    CLAIM,
    LEDGER,
    OUTPUT,
    dead,
    files,
    job,
    lay_part,
    lay_result,
    publish_all,
    unknown,
)

STORE = PlainStore()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.mark.parametrize("moved", [False, True])
def test_a_result_that_is_whole_is_left_and_told_whoever_gives_the_job_up(out, moved):
    prepare_target(STORE, job(out), unknown)
    result = publish_all(out, "me")
    if moved:
        abandon_target(STORE, job(out))
    lay_part(out, "me")
    for _ in range(2):
        assert abandon_target(STORE, job(out)) == {"jobId": "me", "state": "whole"}
    assert files(out) == result
    assert not (out / "_chimera").exists()


def test_abandon_leaves_another_jobs_claim_and_files(out):
    prepare_target(STORE, job(out, "other"), unknown)
    lay_part(out, "other")
    lay_part(out, "me")
    assert abandon_target(STORE, job(out)) is None
    assert files(out) == {CLAIM, "_chimera/other/output/part-1.ndjson"}


def test_abandon_leaves_the_ledger_alone_and_may_be_repeated(out):
    prepare_target(STORE, job(out), unknown)
    publish_all(out, "me", summary=False)
    lay_part(out, "me")
    for _ in range(2):
        assert abandon_target(STORE, job(out)) is None
    assert files(out) == {LEDGER}


def test_abandon_leaves_no_ledger_that_lacks_a_file(out):
    prepare_target(STORE, job(out), unknown)
    hold_for_publishing(STORE, job(out))
    for index in (0, 2):
        STORE.write_bytes(shard_uri(str(out), "ledger", index, 3), b"x")
    abandon_target(STORE, job(out))
    assert files(out) == set()


@pytest.mark.parametrize("summary", [False, True])
def test_abandon_leaves_what_another_job_has_made_of_the_target_since(out, summary):
    prepare_target(STORE, job(out), unknown)
    prepare_target(STORE, job(out, "other", overwrite=True), dead)
    lay_part(out, "other")
    publish_all(out, "other", summary=summary)
    theirs = files(out)
    abandon_target(STORE, job(out))
    assert files(out) == theirs
    abandon_target(STORE, job(out, "other"))
    left = files(out)
    assert left == ({"summary.json", LEDGER, OUTPUT} if summary else {LEDGER})
    abandon_target(STORE, job(out))
    assert files(out) == left


def test_abandon_of_a_job_that_never_took_the_target_touches_nothing(out):
    before = lay_result(out, summary=False)
    abandon_target(STORE, job(out))
    assert files(out) == before


@pytest.mark.parametrize("late", [State.CLAIMED, State.PUBLISHING])
def test_a_job_that_was_given_up_while_it_slept_cannot_say_that_it_is_whole(out, late):
    prepare_target(STORE, job(out), unknown)
    claim = read_claim(STORE, str(out)) if late is State.CLAIMED else hold_for_publishing(STORE, job(out))
    abandon_target(STORE, job(out))
    assert make_whole(STORE, str(out), claim, {"jobId": "me"}) is None
    with pytest.raises(TargetError, match="was given up while job me ran; nothing was published"):
        hold_for_publishing(STORE, job(out))
    assert files(out) == set()

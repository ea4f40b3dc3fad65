"""What a bucket's refusal of a move means: that it knows none, or that it is to be asked again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from google.api_core import exceptions as api

from pipeline.errors import StoreUnavailableError
from pipeline.storage import Patience, PlainStore, gcs_versions, patience

MOVED = SimpleNamespace(generation=2, size=4, crc32c="AAAAAA==", metadata=None)


def forbidden(reason: str) -> api.Forbidden:
    return api.Forbidden("no", errors=[{"reason": reason, "message": "no"}])


class Bucket:
    """One that answers moves as it is told, and can do nothing else."""

    def __init__(self) -> None:
        self.answers: list[object] = []

    def move_blob(self, *_arguments, **_options):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def bucket(monkeypatch):
    made = Bucket()
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    monkeypatch.setattr(gcs_versions, "_without_move", set())
    monkeypatch.setattr(gcs_versions, "blob_of", lambda *_: SimpleNamespace(bucket=made, name="old"))
    return made


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"])
def test_a_bucket_that_is_asked_too_often_for_moves_is_asked_again_for_them(bucket, reason):
    bucket.answers = [forbidden(reason), forbidden(reason), MOVED]
    moved = PlainStore().move("gs://b/old", "gs://b/new", generation=1)
    assert (moved.uri, moved.generation) == ("gs://b/new", 2)
    assert bucket.answers == []
    assert gcs_versions._without_move == set()


def test_a_bucket_that_stays_over_its_limit_is_at_fault_and_knows_moves(bucket):
    bucket.answers = [forbidden("rateLimitExceeded")] * 2
    with pytest.raises(StoreUnavailableError, match="asked too often"):
        PlainStore(patience=Patience(seconds=0)).move("gs://b/old", "gs://b/new", generation=1)
    assert gcs_versions._without_move == set()


def test_a_bucket_that_gives_no_leave_for_moves_is_known_after_a_copy(bucket, monkeypatch):
    bucket.answers = [forbidden("forbidden")]
    monkeypatch.setattr(gcs_versions.BucketVersions, "_copy", lambda *_: MOVED)
    monkeypatch.setattr(gcs_versions.BucketVersions, "delete_version", lambda *_: True)
    assert PlainStore().move("gs://b/old", "gs://b/new", generation=1) is MOVED
    assert {name for _, name in gcs_versions._without_move} == {"b"}

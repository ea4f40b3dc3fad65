"""A target in a bucket that keeps what is written to it is found out before anything is written there."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from google.api_core import exceptions as api

from pipeline.errors import AccessDeniedError, TargetError
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore, gcs, gcs_read
from pipeline.target.lifecycle import prepare_target

KEEPS = "so that a job can neither rename nor delete what it writes there.*; use a target in a bucket that has none"
MAY_NOT = api.Forbidden("x does not have storage.buckets.get access to the Google Cloud Storage bucket.")
UNTIL = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


class Bucket(SimpleNamespace):
    """One that tells what it keeps, or refuses to be looked at."""

    def reload(self, **_options):
        if isinstance(self.error, Exception):
            raise self.error


def bucket(monkeypatch, *, error=None, period=None, hold=False, until=None):
    made = Bucket(error=error, retention_period=period, default_event_based_hold=hold)
    listed = [SimpleNamespace(name="x", retention_expiration_time=until)]
    client = SimpleNamespace(list_blobs=lambda *_arguments, **_options: iter(listed))
    for module in (gcs, gcs_read):
        monkeypatch.setattr(module, "bucket_of", lambda *_: made)
        monkeypatch.setattr(module, "client", lambda _: client)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"period": 86400}, "a retention policy keeps each object for 86,400 s"),
        ({"hold": True}, "each object is on hold from its beginning"),
        ({"error": MAY_NOT, "until": UNTIL}, "a retention policy keeps each object for a time"),
    ],
)
def test_a_bucket_that_keeps_its_objects_is_no_place_for_a_target(monkeypatch, told, says):
    bucket(monkeypatch, **told)
    with pytest.raises(AccessDeniedError) as refused:
        PlainStore().check_deletes("kept")
    assert says in str(refused.value)
    spec = JobSpec(inputs=("gs://in/x",), target="gs://kept/out", job_id="J")
    with pytest.raises(TargetError, match=f"target gs://kept/out cannot be written: .*{KEEPS}"):
        prepare_target(PlainStore(), spec, lambda _: None)


@pytest.mark.parametrize("told", [{}, {"error": MAY_NOT}])
def test_any_other_bucket_is_one(monkeypatch, told):
    bucket(monkeypatch, **told)
    PlainStore().check_deletes("free")
    PlainStore().check_deletes("")

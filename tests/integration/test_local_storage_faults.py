"""The storage stand-in gives the faults that it is asked for, through the proxy."""

from __future__ import annotations

import time
from urllib.error import HTTPError

import pytest
import requests
from google.api_core import exceptions as api

from tests.fixtures.stack import put


def test_latency_is_added(objects, faults):
    blob = put(objects, "slow")
    faults(latency_ms=300, match="^GET .*slow")
    began = time.perf_counter()
    blob.download_as_bytes()
    assert time.perf_counter() - began >= 0.3
    faults(latency_ms=90_000, match="^GET .*slow")
    began = time.perf_counter()
    put(objects, "fast")
    assert time.perf_counter() - began < 90


def test_so_many_matching_requests_fail_as_asked(objects, faults):
    blob = put(objects, "one", b"data")
    faults(fail_next=2, status=429, match="alt=media")
    for _ in range(2):
        assert objects.get_blob("one").size == 4
        with pytest.raises(api.TooManyRequests):
            blob.download_as_bytes(retry=None)
    assert blob.download_as_bytes(retry=None) == b"data"


def test_a_connection_can_be_dropped(objects, faults):
    blob = put(objects, "one", b"data")
    faults(fail_next=1, status=0)
    with pytest.raises(requests.ConnectionError):
        blob.download_as_bytes(retry=None)
    assert blob.download_as_bytes() == b"data"


def test_a_part_of_a_batch_can_fail(storage_client, objects, faults):
    for name in "ab":
        put(objects, name)
    faults(fail_next=1, match="^DELETE .*/o/b")
    with storage_client.batch(raise_exception=False) as batch:
        for name in "ab":
            objects.blob(name).delete()
    assert [answer.status_code for answer in batch._responses] == [204, 503]


def test_an_outage_ends_by_itself(objects, faults):
    blob = put(objects, "one", b"data")
    faults(outage_ms=700, status=0)
    began = time.monotonic()
    failures = 0
    while time.monotonic() - began < 0.3:
        with pytest.raises(requests.ConnectionError):
            blob.reload(retry=None)
        failures += 1
    assert failures > 1
    assert blob.download_as_bytes() == b"data"  # the client tries again
    assert time.monotonic() - began >= 0.7


def test_only_each_so_manieth_request_fails(objects, faults):
    blob = put(objects, "one", b"data")
    faults(fail_next=2, every=3)
    went = []
    for _ in range(9):
        try:
            blob.reload(retry=None)
        except api.ServiceUnavailable:
            went.append(False)
        else:
            went.append(True)
    assert went == [True, True, False, True, True, False, True, True, True]


def test_an_answer_can_be_lost_after_the_request_was_done(storage_client, objects, faults):
    faults(fail_next=1, kind="lose", match="upload.*one|uploadType=multipart")
    with pytest.raises(requests.ConnectionError):
        objects.blob("one").upload_from_string(b"data", retry=None)
    assert objects.blob("one").download_as_bytes() == b"data"
    faults(fail_next=1, kind="lose", match="^DELETE")
    with storage_client.batch(raise_exception=False) as batch:
        objects.blob("one").delete()
    assert [answer.status_code for answer in batch._responses] == [503]
    assert not objects.blob("one").exists()


def test_a_body_can_be_cut_with_lengths_that_agree(stack, objects, faults):
    put(objects, "one", b"0123456789")
    url = f"{stack.storage_endpoint}/download/storage/v1/b/{objects.name}/o/one?alt=media"
    faults(fail_next=2, kind="cut", match="alt=media")
    whole = requests.get(url, timeout=10)
    part = requests.get(url, headers={"Range": "bytes=2-9"}, timeout=10)
    assert (whole.content, whole.headers["Content-Length"]) == (b"01234", "5")
    assert (part.content, part.headers["Content-Length"]) == (b"2345", "4")
    assert part.headers["Content-Range"] == "bytes 2-5/6"
    assert requests.get(url, timeout=10).content == b"0123456789"


def test_a_body_can_have_a_wrong_bit(objects, faults):
    blob = put(objects, "one", b"0123456789")
    faults(fail_next=1, kind="flip", match="alt=media")
    assert blob.download_as_bytes(checksum=None) == b"0123446789"


def test_a_body_can_drip(objects, faults):
    blob = put(objects, "one", b"0123456789")
    faults(fail_next=1, kind="drip", drip_ms=30, match="alt=media")
    began = time.monotonic()
    assert blob.download_as_bytes() == b"0123456789"
    assert time.monotonic() - began >= 0.27  # none before the first byte


def test_what_is_left_of_the_faults_is_shown(stack, objects, faults):
    blob = put(objects, "one")
    faults(fail_next=3, outage_ms=0, status=429, match="one")
    with pytest.raises(api.TooManyRequests):
        blob.reload(retry=None)
    shown = requests.get(f"{stack.storage_endpoint}/_chimera/faults", timeout=10).json()
    assert (shown["fail_next"], shown["outage_ms"], shown["kind"]) == (2, 0, "refuse")


@pytest.mark.parametrize(
    "settings",
    [
        {"fail_nxt": 1},
        {"latency_ms": -1},
        {"match": "("},
        {"status": 200},
        {"kind": "odd"},
        {"every": 0},
        {"outage_ms": -1},
    ],
)
def test_faults_that_make_no_sense_are_refused(faults, settings):
    with pytest.raises(HTTPError, match="400"):
        faults(**settings)

"""A source and a codec from somebody else's package, with nothing changed here."""

from __future__ import annotations

import json

import pytest

from pipeline.storage import PlainStore
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.command import run_beside
from tests.fixtures.sources import install_source

STORE = PlainStore()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return install_source(tmp_path_factory.mktemp("tiny"))


def test_a_job_runs_with_a_source_that_was_only_installed(site, tmp_path):
    STORE.write_bytes(f"{tmp_path}/in/day-1/a.rot", b"uryyb\njbeyq\n")
    STORE.write_bytes(f"{tmp_path}/in/day-2/b.rot", b"gval")
    STORE.write_bytes(f"{tmp_path}/in/day-2/c.txt", b"abg guvf\n")
    document = json.loads(
        run_beside(site, tmp_path, "submit", "in", "--target", "out", "--source", "tiny", "--wait", "--json")
    )
    assert document["status"] == "complete"
    assert document["sourceType"] == "tiny"
    (shard,) = output_shards(STORE, f"{tmp_path}/out")
    assert sorted(STORE.read_bytes(shard).splitlines()) == [b"hello", b"tiny", b"world"]
    assert {record.codec for record in ledger_records(STORE, f"{tmp_path}/out")} == {"rot13"}
    assert "tiny         the .rot files of a folder" in run_beside(site, tmp_path, "sources")


def test_without_the_package_the_source_is_refused(site, tmp_path):
    STORE.write_bytes(f"{tmp_path}/in/day-1/a.rot", b"uryyb\n")
    said = run_beside(
        tmp_path / "nothing", tmp_path, "submit", "in", "--target", "out", "--source", "tiny", code=2
    )
    assert "no source is named 'tiny'; there are: betfair, ndjson" in said

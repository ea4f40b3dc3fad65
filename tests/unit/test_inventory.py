"""An inventory report is read as it is made: CSV with a row of names or none, Parquet; and a bad one is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import RefusedError, StorageError
from pipeline.inputs import inventory as inventory_reports
from pipeline.inputs.inventory import batches, entries, read_inventory
from pipeline.inputs.listing import Listings, listings
from pipeline.job_options import check_manifest
from pipeline.storage import Entry, PlainStore

STORE = PlainStore()
FIELDS = ("project", "bucket", "name", "size", "timeDeleted", "crc32c", "generation")
ROWS = [
    ("p", "b", "in/1.bz2", 10, "", "AAAAAA==", 1001),
    ("p", "b", 'in/odd, "name".bz2', 20, "", "", 1002),
    ("p", "b", "in/1.bz2", 9, "2026-01-01T00:00:00Z", "BBBBBB==", 1000),  # a version that was deleted
    ("p", "b", "in/folder/", 0, "", "AAAAAA==", 1003),
    ("p", "b", "in/a!/x.bz2", 30, "", "CCCCCC==", 1004),
    ("p", "b", "other/2.bz2", 40, "", "DDDDDD==", 1005),
]
FOUND = [
    Entry("gs://b/in/1.bz2", 10, 1001, "AAAAAA=="),
    Entry("gs://b/in/a!!/x.bz2", 30, 1004, "CCCCCC=="),
    Entry('gs://b/in/odd, "name".bz2', 20, 1002),
]


def csv_of(rows, delimiter=","):
    quoted = lambda value: '"' + str(value).replace('"', '""') + '"'  # noqa: E731
    return "".join(delimiter.join(map(quoted, row)) + "\n" for row in rows)


def report(folder, form="csv", *, fields=FIELDS, rows=ROWS, header=True, delimiter=",", **changed):
    """A report of two shards; its manifest's URI."""
    folder.mkdir(exist_ok=True)
    half = len(rows) // 2
    names = []
    for number, some in enumerate((rows[:half], rows[half:])):
        names.append(f"c0ffee_2026-11-26T00:00_{number}.{form}")
        if form == "csv":
            text = (delimiter.join(fields) + "\n" if header else "") + csv_of(some, delimiter)
            (folder / names[-1]).write_text(text)
        else:
            columns = [pa.array(column) for column in zip(*some, strict=True)]
            pq.write_table(pa.table(columns, names=list(fields)), folder / names[-1])
    csv_options = {"record_separator": "\n", "delimiter": delimiter, "header_required": header}
    config = {
        **({"csv_options": csv_options} if form == "csv" else {"parquet_options": {}}),
        "object_metadata_report_options": {
            "metadata_fields": list(fields),
            "storage_filters": {"bucket": "b"},
        },
    }
    said = {
        "report_config": config,
        "records_processed": len(rows),
        "snapshot_time": "2026-11-26T00:00:00Z",
        "shard_count": 2,
        "report_shards_file_names": names,
        **changed,
    }
    manifest = folder / "c0ffee_2026-11-26T00:00_manifest.json"
    manifest.write_text(json.dumps({name: value for name, value in said.items() if value is not None}))
    return str(manifest)


def found(manifest, prefix="in/"):
    inventory = read_inventory(STORE, manifest, "b")
    rows = [batch for shard in inventory.shards for batch in batches(STORE, shard)]
    assert sum(batch.num_rows for batch in rows) == inventory.rows
    return sorted(entry for batch in rows for entry in entries(batch, "b", prefix))


def test_each_form_of_a_report_has_the_same_objects(tmp_path):
    assert found(report(tmp_path / "names")) == FOUND
    assert found(report(tmp_path / "none", header=False)) == FOUND
    assert found(report(tmp_path / "tab", header=False, delimiter="\t")) == FOUND
    assert found(report(tmp_path / "parquet", "parquet")) == FOUND
    spelled = [name.replace("timeD", "time_d") for name in FIELDS]  # as some writers have it
    assert found(report(tmp_path / "spelled", "parquet", fields=spelled)) == FOUND
    assert [entry.uri for entry in found(report(tmp_path / "all"), "")][-1] == "gs://b/other/2.bz2"
    without = [row[:5] + row[6:] for row in ROWS]
    bare = found(report(tmp_path / "bare", fields=FIELDS[:5] + FIELDS[6:], rows=without))
    assert bare == [Entry(one.uri, one.size, one.generation) for one in FOUND]


def test_a_bad_report_is_refused_with_what_is_wrong_with_it(tmp_path):
    def refused(says, manifest, bucket="b"):
        with pytest.raises(RefusedError, match=says) as e:
            read_inventory(STORE, manifest, bucket)
        assert str(e.value).startswith("inventory report ")

    for gone in ("size", "generation", "timeDeleted"):
        at = FIELDS.index(gone)
        rows = [row[:at] + row[at + 1 :] for row in ROWS]
        fields = FIELDS[:at] + FIELDS[at + 1 :]
        for form in ("csv", "parquet"):
            manifest = report(tmp_path / f"{gone}-{form}", form, fields=fields, rows=rows)
            refused(f"has no column {gone}", manifest)
    refused("no such manifest", str(tmp_path / "x_manifest.json"))
    good = report(tmp_path / "good")
    refused("a report of gs://b, and the inputs are in gs://c", good, "c")
    refused("names 2 shards and says that there are 3", report(tmp_path / "few", shard_count=3))
    refused("does not say records_processed", report(tmp_path / "rows", records_processed=None))
    refused("does not say of which bucket", report(tmp_path / "config", report_config=None))
    cut = tmp_path / "cut_manifest.json"
    cut.write_text('{"report_config": ')
    refused("no manifest of an inventory report", str(cut))
    manifest = report(tmp_path / "lost")
    next((tmp_path / "lost").glob("*_1.csv")).unlink()
    refused("its shard .*_1.csv is not there", manifest)
    for form in ("csv", "parquet"):
        manifest = mixed(tmp_path / f"mixed-{form}", form)
        refused(f"_1.{form}: has no column timeDeleted", manifest)
    with pytest.raises(RefusedError, match=r"_manifest\.json"):
        check_manifest("gs://b/reports/")


def mixed(folder, form):
    """A report whose second shard lacks a column."""
    manifest = report(folder, form)
    second = next(folder.glob(f"*_1.{form}"))
    at = FIELDS.index("timeDeleted")
    report(
        folder, form, fields=FIELDS[:at] + FIELDS[at + 1 :], rows=[row[:at] + row[at + 1 :] for row in ROWS]
    )
    bare = second.read_bytes()
    report(folder, form)
    second.write_bytes(bare)
    return manifest


def test_a_later_shard_that_does_not_fit_is_told_when_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(inventory_reports, "_LOOKED_INTO", 0)  # as of those beyond that number
    for form in ("csv", "parquet"):
        inventory = read_inventory(STORE, mixed(tmp_path / form, form), "b")
        assert len(list(batches(STORE, inventory.shards[0]))) == 1
        with pytest.raises(StorageError, match=r"does not fit the first shard .* another report") as e:
            list(batches(STORE, inventory.shards[1]))
        assert (e.value.uri, "timeDeleted" in str(e.value)) == (inventory.shards[1].uri, True)


def test_a_shard_that_is_no_table_is_told(tmp_path):
    for form in ("csv", "parquet"):
        inventory = read_inventory(STORE, report(tmp_path / form, form), "b")
        path = next((tmp_path / form).glob(f"*_1.{form}"))
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(StorageError, match=f"_1.{form}"):
            list(batches(STORE, inventory.shards[1]))


def test_a_report_tells_its_age(tmp_path):
    inventory = read_inventory(STORE, report(tmp_path / "in"), "b")
    taken = datetime(2026, 11, 26, tzinfo=UTC)
    assert inventory.old(taken + timedelta(hours=24)) is None
    assert "30 hours before the job" in inventory.old(taken + timedelta(hours=30))
    assert inventory.to_json(taken)["snapshotTime"] == "2026-11-26T00:00:00Z"


def test_what_is_taken_of_a_report_is_what_listings_give():
    looked_for = ["gs://b/in/*.bz2", "gs://b/in/sub/**/*.gz", "gs://b/in/sub/", "gs://b/in/alone.bz2"]
    names = [
        "in/1.bz2",
        "in/1.gz",
        "in/sub/1.bz2",
        "in/sub/2.gz",
        "in/sub/deep/3.gz",
        "in/alone.bz2",
        "out/1.bz2",
    ]
    given = Listings(listings(looked_for)).among(Entry(f"gs://b/{name}", 1) for name in names)
    told = {entry.uri.removeprefix("gs://b/"): (taken, folder) for entry, taken, folder in given}
    assert told == {
        "in/1.bz2": (True, False),
        "in/1.gz": (False, False),
        "in/sub/1.bz2": (False, True),
        "in/sub/2.gz": (True, True),
        "in/sub/deep/3.gz": (True, True),
    }

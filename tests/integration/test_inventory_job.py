"""A job whose files an inventory report gives: the bucket is not listed, and what was listed is what is read."""

from __future__ import annotations

import json
import os

from chimera_nb.cli.dry_run import plan_of
from chimera_nb.session import connect
from chimera_nb.settings import Settings
from pipeline.__main__ import main
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards

STORE = PlainStore()
FIELDS = ("bucket", "name", "size", "generation", "crc32c", "timeDeleted")


def line(number: int) -> bytes:
    return json.dumps({"file": number}).encode() + b"\n"


def write_report(place: str, entries, *, rows: int | None = None) -> str:
    bucket = place.removeprefix("gs://")
    names = []
    for number in range(2):
        some = [
            (bucket, one.uri.removeprefix(f"{place}/"), one.size, one.generation, one.crc32c, "")
            for one in entries[number::2]
        ]
        text = "".join(",".join(map(str, row)) + "\n" for row in some)
        names.append(f"c0ffee_2026-01-01T00:00_{number}.csv")
        STORE.write_bytes(f"{place}/reports/{names[-1]}", text.encode())
    options = {"metadata_fields": FIELDS, "storage_filters": {"bucket": bucket}}
    said = {
        "report_config": {"csv_options": {"delimiter": ","}, "object_metadata_report_options": options},
        "records_processed": len(entries) if rows is None else rows,
        "snapshot_time": "2026-01-01T00:00:00Z",
        "shard_count": 2,
        "report_shards_file_names": names,
    }
    uri = f"{place}/reports/c0ffee_2026-01-01T00:00_manifest.json"
    STORE.write_bytes(uri, json.dumps(said).encode())
    return uri


def test_a_job_takes_its_files_from_a_report(bucket, monkeypatch, capsys, tmp_path):
    place = f"gs://{bucket}"
    for number in range(12):
        STORE.write_bytes(f"{place}/in/{number}.ndjson", line(number))
    STORE.write_bytes(f"{place}/beside/1.ndjson", line(100))
    entries = [entry for prefix in ("in/", "beside/") for entry in STORE.list_objects(f"{place}/{prefix}")]
    manifest = write_report(place, entries)
    STORE.write_bytes(f"{place}/in/new.ndjson", line(200))
    STORE.write_bytes(f"{place}/in/3.ndjson", line(300))

    listed = []
    for name in ("list_objects", "list_pages", "list_folder"):
        method = getattr(PlainStore, name)

        def noted(self, prefix, *args, method=method, **more):
            listed.append(prefix)
            return method(self, prefix, *args, **more)

        monkeypatch.setattr(PlainStore, name, noted)
    arguments = ["--input", f"{place}/in/", "--source", "ndjson"]
    settings = Settings(storage_endpoint=os.environ["STORAGE_EMULATOR_HOST"], data_dir=tmp_path)
    with connect(settings=settings) as session:
        plan = plan_of(
            session, [f"{place}/in/", f"{place}/*/1.ndjson"], f"{place}/out", {"inventory": manifest}
        )
    assert (plan.files, plan.bytes) == (13, sum(entry.size for entry in entries))
    assert main([*arguments, "--target", f"{place}/out", "--inventory", manifest]) == 0
    assert not [prefix for prefix in listed if prefix.startswith(f"{place}/in")]

    summary = read_summary(STORE, f"{place}/out")
    output = b"".join(STORE.read_bytes(uri) for uri in output_shards(STORE, f"{place}/out"))
    assert sorted(output.splitlines(keepends=True)) == sorted(line(n) for n in range(12) if n != 3)
    (failed,) = ledger_records(STORE, f"{place}/out", status="failed")
    assert (failed.uri, "replaced or deleted" in failed.error) == (f"{place}/in/3.ndjson", True)
    assert summary["files"]["listed"] == 12
    assert summary["inventory"]["rows"] == 13
    assert "hours before the job" in summary["inventory"]["note"]

    manifest = write_report(place, entries, rows=20)  # as where a shard was cut off between two rows
    capsys.readouterr()
    assert main([*arguments, "--target", f"{place}/other", "--inventory", manifest]) == 1
    assert "have 7 fewer rows than it says" in capsys.readouterr().err
    assert read_summary(STORE, f"{place}/other") is None
    assert (
        main([*arguments, "--target", f"{place}/other", "--inventory", manifest, "--since", f"{place}/out"])
        == 2
    )

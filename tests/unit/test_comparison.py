"""Two jobs side by side, and what their machines came to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chimera_nb.jobs.comparison import compare
from chimera_nb.jobs.forecast.spent import Spent, spent_of
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.prices import Prices
from chimera_nb.settings import Settings
from pipeline.ledger import FileRecord
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.layout import shard_uri, summary_uri

STORE = PlainStore()
CLOUD = Settings(place="cloud", project="p", prices=Prices(vcpu_hour=1.0, gb_hour=0.25, currency="EUR"))


def a_record(
    target, *, runner="direct", runner_options=None, status=Status.COMPLETE, progress=None, **options
):
    spec = JobSpec(
        inputs=("gs://b/in/",),
        target=str(target),
        job_id=f"2026-01-31-{hash(str(target)) & 0xFFFFFFFF:08x}",
        **options,
    )
    made = JobRecord.from_spec(spec, runner=runner, runner_options=runner_options or {}, created_by="ada")
    return replace(made, status=status, progress=progress or {})


def told(one, other, settings=CLOUD):
    return {line.name: (line.one, line.other) for line in compare(one, other, STORE, settings)}


def test_of_two_jobs_options_that_differ_counts_sizes_and_times_are_told(tmp_path):
    one = a_record(
        tmp_path / "one",
        shards=3,
        progress={"filesListed": 10, "filesComplete": 9, "compressedBytes": 1500, "seconds": 90.0},
    )
    other = a_record(
        tmp_path / "other",
        runner="dataflow",
        runner_options={"project": "p", "max_workers": 4, "machine_type": "n1-standard-2"},
        keep_partial=True,
        progress={"filesListed": 12000, "rawBytes": 7_000_000, "seconds": 3600.0, "workers": 4},
    )
    found = told(one, other)
    assert found["Output files"] == ("3", "left open")
    assert found["Keep what was read of a file before its fault"] == ("no", "yes")
    assert found["Max workers"] == ("left open", "4")
    assert found["Runs"] == ("on this machine", "on Dataflow")
    assert found["Files found"] == ("10", "12,000")
    assert found["Read"] == ("1.5 kB", "-")
    assert found["Unpacked"] == ("-", "7.0 MB")
    assert found["Duration"] == ("1 min 30 s", "1 h 0 min")
    assert found["Machine hours"] == ("0.025", "4")
    assert found["Cost of the machines"] == ("-", "16.00 EUR")
    assert "Split files from, MB" not in found  # left open in both
    lines = compare(one, other, STORE, CLOUD)
    alike = {line.name for line in lines if not line.differs}
    assert {"Status", "Reads", "Source", "Files failed"} <= alike
    assert alike.isdisjoint({"Runs", "Output files", "Files found", "Duration", "Machine hours"})


def test_failures_are_told_by_cause_and_where_a_ledger_is_gone_that_is(tmp_path):
    records = []
    for name, reasons in (("one", ["is empty", "is empty", "is no bz2"]), ("other", ["is empty"])):
        record = a_record(tmp_path / name, progress={"filesFailed": len(reasons)})
        lines = [
            FileRecord(f"gs://b/in/{n}", "failed", error=reason).to_line() for n, reason in enumerate(reasons)
        ]
        STORE.write_bytes(shard_uri(str(tmp_path / name), "ledger", 0, 1), b"".join(lines))
        STORE.write_bytes(summary_uri(str(tmp_path / name)), b'{"jobId": "%s"}' % record.job_id.encode())
        records.append(record)
    found = told(*records)
    assert found["Failed: is empty"] == ("2", "1")
    assert found["Failed: is no bz2"] == ("1", "0")
    gone = a_record(tmp_path / "gone", progress={"filesFailed": 5})
    found = told(records[0], gone)
    assert found["Failures"] == ("3", "not on record any more")
    assert found["Failed: is empty"][1] == "-"


@pytest.mark.parametrize(
    ("record", "settings", "spent"),
    [
        (a_record("/t"), CLOUD, Spent(None)),
        (a_record("/t", progress={"seconds": 7200}), CLOUD, Spent(2.0)),
        (
            a_record("gs://t/o", runner="dataflow", progress={"seconds": 3600, "workers": 2}),
            Settings(),
            Spent(2.0),
        ),
    ],
)
def test_what_costs_nothing_by_the_hour_has_hours_alone(record, settings, spent):
    assert spent_of(record, settings) == spent

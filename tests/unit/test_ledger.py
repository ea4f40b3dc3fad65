from __future__ import annotations

import dataclasses
import json
import os
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import JobError, ReconciliationError, TooManyFailuresError
from pipeline.ledger import FileRecord, Part, Totals, judge, reconcile

COUNT = st.integers(0, 1 << 50)
NAME = st.binary(max_size=30).map(os.fsdecode) | st.text(max_size=30)
RECORD = st.builds(
    FileRecord,
    NAME,
    st.sampled_from(["complete", "failed", "skipped"]),
    st.none() | COUNT,
    COUNT,
    st.none() | st.just("bz2"),
    COUNT,
    COUNT,
    COUNT,
    st.none() | st.just("AAAAAA=="),
    st.none() | NAME,
    st.none() | NAME,
    st.floats(0, 1e6),
    st.none() | st.just("2024-01-19-abc12345"),
    st.none() | st.just("output-00000-of-00001.ndjson"),
    st.none() | COUNT,
    st.none() | st.just("AAAAAA=="),
)


@given(RECORD)
def test_a_record_comes_back_from_its_line(record):
    line = record.to_line()
    assert FileRecord.from_line(line) == record
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert line.isascii()


@pytest.mark.parametrize(
    "name", ["a\nb", "a\r\nb", "\u2028", "日本.bz2", os.fsdecode(b"\xff\xfe.bz2"), '"\\', "\x7f"]
)
def test_odd_names_come_back(name):
    record = FileRecord(name, "failed", error=f"{name} is odd")
    assert FileRecord.from_line(record.to_line()) == record


def test_the_line_has_the_documented_fields():
    assert list(json.loads(FileRecord("x", "failed").to_line())) == [
        "uri",
        "status",
        "generation",
        "size",
        "codec",
        "rawBytes",
        "lines",
        "outputBytes",
        "crc32c",
        "error",
        "note",
        "seconds",
        "wireSeconds",
        "diskSeconds",
        "jobId",
        "shard",
        "offset",
        "outputCrc32c",
    ]


def test_fields_of_a_later_version_are_left_out():
    document = {**json.loads(FileRecord("x", "failed").to_line()), "colour": "red"}
    assert FileRecord.from_line(json.dumps(document).encode()) == FileRecord("x", "failed")


@given(st.lists(RECORD, max_size=6), st.integers(0, 6))
def test_totals_are_the_same_whichever_way_they_are_merged(records, at):
    whole = reduce(Totals.add, records, Totals())
    one, other = reduce(Totals.add, records[:at], Totals()), reduce(Totals.add, records[at:], Totals())
    assert one.merge(other) == other.merge(one) == whole
    assert whole.complete == sum(record.status == "complete" for record in records)
    read = [record for record in records if record.status != "skipped"]
    assert (whole.complete + whole.failed, whole.listed) == (len(read), len(records))
    assert whole.lines == sum(record.lines for record in read)
    assert whole.output_bytes == sum(record.output_bytes for record in read)
    assert whole.size == sum(record.size for record in read)
    assert whole.size + whole.skipped_bytes == sum(record.size for record in records)
    assert whole.noted == sum(record.note is not None for record in read)


# Reconciliation

GOOD = Totals(complete=3, failed=1, size=50, raw_bytes=99, output_bytes=100, lines=10)
OUTPUT = [Part("a", 60, 6, None), Part("b", 40, 4, None)]
LEDGER = [Part("l", 500, 3, None), Part("m", 200, 1, None)]


def test_accounts_that_agree_pass():
    reconcile(4, GOOD, iter(OUTPUT), iter(LEDGER), "gs://out/x")
    reconcile(2, Totals(failed=2), [], [Part("l", 9, 2, None)], "gs://out/x")
    reconcile(2, Totals(failed=1, skipped=1), [], [Part("l", 9, 2, None)], "gs://out/x")


@pytest.mark.parametrize(
    ("listed", "totals", "output", "ledger", "says"),
    [
        (5, GOOD, OUTPUT, LEDGER, "5 files listed but 4 files in the ledger"),
        (3, GOOD, OUTPUT, LEDGER, "3 files listed but 4 files in the ledger"),
        (4, dataclasses.replace(GOOD, skipped=1), OUTPUT, LEDGER, "4 files listed but 5 files in the ledger"),
        (4, GOOD, OUTPUT, LEDGER[:1], "3 lines in the ledger's files but 4 files"),
        (4, GOOD, OUTPUT, [*LEDGER, LEDGER[0]], "7 lines in the ledger's files but 4 files"),
        (4, GOOD, OUTPUT[:1], LEDGER, "10 lines by the ledger but 6 lines in the output"),
        (4, GOOD, [*OUTPUT, OUTPUT[0]], LEDGER, "10 lines by the ledger but 16 lines in the output"),
        (4, GOOD, [Part("a", 100, 9, None)], LEDGER, "10 lines by the ledger but 9"),
        (4, GOOD, [Part("a", 99, 10, None)], LEDGER, "100 bytes by the ledger but 99 bytes in the output"),
    ],
)
def test_each_kind_of_difference_is_found_and_told(listed, totals, output, ledger, says):
    with pytest.raises(ReconciliationError, match=says) as caught:
        reconcile(listed, totals, output, ledger, "gs://out/x")
    assert str(caught.value).startswith("gs://out/x: ")
    assert "Nothing was published" in str(caught.value)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 3), st.integers(0, 3))
def test_no_single_account_can_be_off(listed, ledger_lines, output_lines, complete, failed):
    totals = Totals(complete=complete, failed=failed, lines=3, output_bytes=9)
    agree = listed == ledger_lines == complete + failed and output_lines == 3
    try:
        reconcile(listed, totals, [Part("a", 9, output_lines, None)], [Part("l", 1, ledger_lines, None)], "x")
    except ReconciliationError:
        assert not agree
    else:
        assert agree


def test_two_differences_are_told_together():
    with pytest.raises(ReconciliationError) as caught:
        reconcile(9, GOOD, [], LEDGER, "x")
    assert "9 files listed" in str(caught.value)
    assert "0 lines in the output" in str(caught.value)


# Judgement


@pytest.mark.parametrize(
    ("complete", "failed", "allowed", "error", "says"),
    [
        (0, 0, None, JobError, "no file matches any more"),
        (0, 3, None, TooManyFailuresError, "all 3 files failed; L has the reason"),
        (0, 3, 9, TooManyFailuresError, "all 3 files failed"),
        (1, 1, 0, TooManyFailuresError, "1 of 2 files failed, and max-failures allows 0; L has"),
        (9, 3, 2, TooManyFailuresError, "3 of 12 files failed, and max-failures allows 2"),
        (1, 9, None, None, ""),
        (9, 3, 3, None, ""),
        (1, 0, 0, None, ""),
    ],
)
def test_a_job_fails_for_too_many_failed_files_only(complete, failed, allowed, error, says):
    totals = Totals(complete=complete, failed=failed)
    if error is None:
        judge(totals, allowed, "L")
        return
    with pytest.raises(error, match=says) as caught:
        judge(totals, allowed, "L")
    assert type(caught.value) is error


def test_a_job_of_which_all_files_were_skipped_fails_and_says_what_to_do():
    with pytest.raises(JobError, match=r"all 3 files were skipped, each for another.*every-file reads them"):
        judge(Totals(skipped=3), None, "L")
    with pytest.raises(TooManyFailuresError, match="all 2 files failed"):
        judge(Totals(failed=2, skipped=3), None, "L")


def test_a_record_and_its_totals_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FileRecord("x", "failed").status = "complete"

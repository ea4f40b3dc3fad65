"""Five people and what they came for, on the dashboard: each in as few clicks as can be, which the test counts."""

from __future__ import annotations

import bz2
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.transitions import Change
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from tests.fixtures.browsing import row

STORE = PlainStore()
DAY = "2016/Jan/1"


class Hand:
    """Uses a page, and counts its clicks and the boxes that it types into."""

    def __init__(self, page) -> None:
        self.page = page
        self.clicks = self.typed = 0

    def click(self, what) -> None:
        what.click()
        self.clicks += 1

    def type(self, box, text) -> None:
        box.fill(text)
        self.typed += 1


@pytest.fixture
def hand(look):
    return Hand(look())


@pytest.fixture
def job(service, bucket):
    """A job that is complete but for three files, of which one has been replaced since; its record."""
    lines = b"".join(json.dumps({"n": n, "price": n * 7 % 40}).encode() + b"\n" for n in range(40))
    held = {"a": bz2.compress(lines), "b": b"", "c": b"", "d": b"no bz2"}
    for name, data in held.items():
        STORE.write_bytes(f"gs://{bucket}/in/{name}.bz2", data)
    record = service.wait(service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", shards=1).job_id)
    STORE.write_bytes(f"gs://{bucket}/in/d.bz2", bz2.compress(lines))
    return service.describe(record.job_id, name=f"Prices of {bucket}")


def open_jobs(hand, dashboard, job):
    hand.page.goto(f"{dashboard.base}?jobs")
    hand.click(hand.page.locator(".ch-history-row[data-state]").filter(has_text=job.target_bucket).first)
    expect(hand.page.locator(".ch-monitor .ch-title")).to_have_text(job.name)


def test_find_a_days_markets_and_run_them(hand, the_dashboard, service, bucket):
    """Seven clicks, four of which are the folders, and one box."""
    for name in ("1.1", "1.2"):
        STORE.write_bytes(f"gs://{bucket}/{DAY}/{name}.bz2", bz2.compress(b'{"op":"mcm"}\n'))
    page = hand.page
    page.goto(the_dashboard.base)
    hand.type(page.get_by_label("Filter by name"), bucket)  # there may be more buckets than a screen shows
    expect(page.locator(".ch-row:visible")).to_have_count(1)  # rows that are being replaced take no click
    for folder in (bucket, "2016", "Jan"):
        hand.click(row(page, f"{folder}/").locator(".ch-label"))
    hand.click(row(page, "1/").locator(".ch-box"))
    expect(page.locator(".ch-form")).to_contain_text("2 files")
    box = page.get_by_label("Bucket", exact=True)
    if not box.input_value():
        hand.type(box, bucket)
    expect(page.locator(".ch-go")).to_be_enabled()
    hand.click(page.locator(".ch-go"))
    page.wait_for_url(re.compile(r"job="))
    launched = re.search(r"job=([\w-]+)", page.url)[1]
    expect(page.locator(f".ch-history-row[id$='{launched}']")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".ch-head .ch-state")).to_have_text("complete")
    assert service.get(launched).spec["inputs"] == [f"gs://{bucket}/{DAY}/"]
    assert (hand.clicks, hand.typed) <= (5, 2)


def test_find_out_why_files_failed_and_retry_what_can_succeed(hand, the_dashboard, service, job):
    """Three clicks; a fourth looks inside one of the files."""
    open_jobs(hand, the_dashboard, job)
    page = hand.page
    expect(page.locator(".ch-head .ch-state")).to_have_text("complete, 3 failed")
    hand.click(page.get_by_role("tab", name="Failures 3"))
    causes = page.locator(".ch-cause")
    expect(causes).to_have_count(2)
    expect(causes.first).to_contain_text("is empty (0 bytes)")
    expect(page.locator(".ch-failures-outlook")).to_have_text(
        "A retry: 1 of 3 can succeed now; 2 of 3 cannot until they are replaced: empty."
    )
    hand.click(page.locator(".ch-file-link").filter(has_text="b.bz2"))
    expect(page.locator(".ch-inside .ch-preview")).to_contain_text("This file is empty")
    hand.click(page.get_by_role("button", name="Retry 1 of 3"))
    expect(page.locator(".ch-head .ch-state")).to_have_text("complete")
    retried = re.search(r"job=([\w-]+)", page.url)[1]
    assert service.get(retried).spec["inputs"] == [f"gs://{job.target_bucket}/in/d.bz2"]
    assert hand.clicks <= 4


def test_send_a_colleague_a_result(hand, the_dashboard, job):
    """Two clicks; the colleague needs none."""
    page = hand.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_jobs(hand, the_dashboard, job)
    hand.click(page.get_by_role("button", name="Copy a link to this job"))
    expect(page.get_by_role("button", name="Copy a link to this job")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert hand.clicks == 2
    page.goto(link)
    expect(page.get_by_role("region", name="Rows of the output").locator("tbody tr")).to_have_count(40)


def test_put_a_result_into_a_spreadsheet(hand, the_dashboard, job):
    """Three clicks: the job, a column to sort by, and the workbook."""
    open_jobs(hand, the_dashboard, job)
    page = hand.page
    rows = page.get_by_role("region", name="Rows of the output")
    # The button in a head has the room that cells have, whichever widgets' styles are on the page.
    assert rows.locator("th").first.evaluate("head => getComputedStyle(head).padding") == "0px"
    hand.click(rows.get_by_role("button", name="price", exact=True))
    expect(rows.locator("tbody tr").first).to_have_text(re.compile("^0\\s*0$"))
    with page.expect_download() as download:
        hand.click(page.get_by_role("button", name="Save Excel"))
    assert hand.clicks == 3
    with zipfile.ZipFile(download.value.path()) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 41
    prices = [float(value) for value in re.findall(r'<c r="B\d+"[^>]*><v>([^<]+)</v>', sheet)]
    assert prices == sorted(prices)
    assert len(prices) == 40


def test_find_last_weeks_job(hand, the_dashboard, service, bucket):
    """One box or two days, and one click; among more than a screen of others."""
    last_week = datetime.now(UTC) - timedelta(days=7)
    for number in range(60):
        when = last_week if number == 59 else datetime.now(UTC) - timedelta(minutes=number)
        job_id = f"{timestamp(when)[:10]}-{abs(hash((bucket, number))) % 16**8:08x}"
        spec = JobSpec(inputs=(f"gs://{bucket}/in/",), target=f"gs://{bucket}/{number}", job_id=job_id)
        service.log.create(JobRecord.from_spec(spec, runner="direct", created_by="ana", now=timestamp(when)))
        service.log.update(job_id, Change(status=Status.CANCELLED))
    service.describe(job_id, name="Boxing day races", tags=("racing",))
    page = hand.page
    page.goto(f"{the_dashboard.base}?jobs")
    rows = page.locator(".ch-history-row[data-state]")
    expect(rows.first).to_be_visible()
    hand.type(page.get_by_label("Search jobs"), "boxing")
    expect(rows.filter(has_text=f"/{59}")).to_have_count(1)
    assert "search=boxing" in page.url
    hand.type(page.get_by_label("Search jobs"), bucket)
    hand.type(page.get_by_label("Last day"), f"{last_week:%Y-%m-%d}")
    expect(rows).to_have_count(1)
    hand.click(rows.first)
    expect(page.locator(".ch-monitor .ch-title")).to_have_text("Boxing day races")
    assert hand.clicks == 1

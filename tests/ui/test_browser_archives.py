"""Archives in BucketBrowser and on the dashboard, in a real browser on the local stack."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile

import pytest
from playwright.sync_api import expect

from chimera_nb.data.proof import extract
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from tests.fixtures.browsing import PROBE, REQUESTS, cell, row, selected, until
from tests.fixtures.files import lines
from tests.fixtures.tars import Put, months, tar

RECORDS_LINES = 40
RECORDS = bz2.compress(lines(1, RECORDS_LINES) + b"\n")
YEAR = [
    *(Put(f"2020/{month}/1.{n}.bz2", RECORDS) for month in ("Jan", "Feb") for n in range(100, 112)),
    Put("2020/notes.txt", b"{}\n"),
]


@pytest.fixture
def archives(storage_client, bucket):
    """A bucket with year.tar, month.tar of 22,000 members, a compressed one, one that is cut off and a locked zip."""
    held = storage_client.bucket(bucket)
    year = tar(YEAR)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as made:
        made.writestr("a.json", b"{}\n")
    locked = bytearray(zipped.getvalue())
    locked[locked.index(b"PK\1\2") + 8] |= 1
    for name, data in {
        "in/year.tar": year,
        "in/year.tar.gz": gzip.compress(year, 1),
        "in/cut.tar": year[: len(year) // 2],
        "in/locked.zip": bytes(locked),
        "in/odd.bin": year,
        "in/plain.bz2": RECORDS,
    }.items():
        held.blob(name).upload_from_string(data)
    return bucket


# Somebody types before the folder has come that was opened.
_OPEN_AND_TYPE = """(label, text) => {
    const filter = document.querySelector(".ch-filter");
    label.click();
    filter.focus();
    filter.value = text;
    filter.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def test_a_tar_opens_as_a_folder_and_what_is_in_it_is_filtered_ticked_and_matched(show, archives):
    page = show(cell(f"'gs://{archives}/in/'"), PROBE)
    archive = row(page, "year.tar")
    expect(archive).to_contain_text("tar")
    expect(archive).to_have_attribute("data-kind", "archive")
    archive.locator(".ch-box").click()
    selected(page, [f"gs://{archives}/in/year.tar!/"])
    size = 24 * len(RECORDS) + 3
    expect(page.locator(".ch-total")).to_have_text(f"1 selected: 25 files, {size / 1000:.1f} kB")
    archive.locator(".ch-label").click()
    row(page, "2020/").locator(".ch-label").click()
    expect(row(page, "notes.txt")).to_have_attribute("aria-selected", "true")  # with the whole of it
    expect(page.locator(".ch-status")).to_have_text("2 folders, 1 file")
    page.get_by_role("button", name="Clear").click()
    row(page, "Feb/").locator(".ch-box").click()
    row(page, "Jan/").locator(".ch-label").evaluate(_OPEN_AND_TYPE, "1.10")
    expect(row(page, "1.101.bz2")).to_be_visible()
    expect(row(page, "1.111.bz2")).to_have_count(0)
    row(page, "1.102.bz2").locator(".ch-box").click()
    row(page, "1.102.bz2").locator(".ch-label").click()
    inside = f"gs://{archives}/in/year.tar!/2020/"
    selected(page, [f"{inside}Feb/", f"{inside}Jan/1.102.bz2"])
    expect(page.locator(".ch-total")).to_contain_text("2 selected: 13 files")
    page.locator(".ch-crumb", has_text="year.tar").click()
    expect(page.locator(".ch-row.ch-active .ch-label")).to_have_text("2020/")
    page.get_by_label("Pattern").fill("**/1.10?.bz2")
    expect(page.locator(".ch-matched")).to_contain_text("20 files")
    page.get_by_role("button", name="Add", exact=True).click()
    selected(page, [f"{inside}Feb/", f"{inside}Jan/1.102.bz2", f"gs://{archives}/in/year.tar!/**/1.10?.bz2"])
    expect(page.locator(".ch-total")).to_contain_text("3 selected: 22 files")
    page.get_by_label("Up one folder").click()
    expect(page.locator(".ch-row.ch-active .ch-label")).to_have_text("year.tar")  # where one came from


def test_a_path_into_an_archive_is_typed_also_of_one_that_is_not_named_so(voila, archives):
    page = voila(cell(f"'gs://{archives}/'"), PROBE)
    expect(row(page, "in/")).to_be_visible()
    for text, path in [
        (f"gs://{archives}/in/year.tar", f"gs://{archives}/in/year.tar!/"),
        (f"gs://{archives}/in/year.tar!/2020/Feb", f"gs://{archives}/in/year.tar!/2020/Feb/"),
        (f"{archives}/in/odd.bin!/2020/", f"gs://{archives}/in/odd.bin!/2020/"),
    ]:
        page.get_by_label("Edit the path").click()
        page.locator(".ch-path-box").fill(text)
        page.keyboard.press("Enter")
        until(page, lambda state, path=path: state[0] == path)
    expect(row(page, "Feb/")).to_be_visible()
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("Enter")
    expect(row(page, "1.100.bz2")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(row(page, "Jan/")).to_be_visible()


def test_of_22_000_members_the_first_rows_show_after_a_few_requests(voila, storage_client, bucket, faults):
    storage_client.bucket(bucket).blob("month.tar").upload_from_string(months(22_000))
    say = "browser.observe(lambda _: setattr(probe, 'value', json.dumps([*json.loads(probe.value), asked])))"
    page = voila(REQUESTS, cell(f"'gs://{bucket}/'"), PROBE, say)
    expect(row(page, "month.tar")).to_be_visible()
    faults(latency_ms=1500, match="alt=media")
    row(page, "month.tar").locator(".ch-label").click()
    expect(row(page, "BASIC/")).to_be_visible()
    expect(page.locator(".ch-status")).to_contain_text("looking through the archive")
    row(page, "BASIC/").locator(".ch-box").click()
    asked = until(page, lambda state: len(state) > 5 and state[1])[5]
    bodies = [url for url in asked if "alt=media" in url]
    assert 0 < len(bodies) <= 6
    faults()
    expect(page.locator(".ch-status")).to_have_text("1 folder")
    expect(page.locator(".ch-total")).to_contain_text("22,000 files")
    for folder in ("BASIC/", "2020/", "Jan/"):
        row(page, folder).locator(".ch-label").click()
    expect(page.locator(".ch-status")).to_have_text("31 folders")


def test_what_is_wrong_with_an_archive_is_said_in_a_sentence(voila, archives):
    page = voila(cell(f"'gs://{archives}/in/'"), PROBE)
    for name, said in [
        ("cut.tar", f"gs://{archives}/in/cut.tar is cut off within "),
        (
            "locked.zip",
            f"1 file; gs://{archives}/in/locked.zip: its files are encrypted; upload it without a password",
        ),
    ]:
        row(page, name).locator(".ch-label").click()
        expect(page.locator(".ch-status.ch-faulty")).to_contain_text(said)
        page.get_by_label("Up one folder").click()
        expect(row(page, "plain.bz2")).to_be_visible()
    expect(page.locator(".ch-status.ch-faulty")).to_have_count(0)
    row(page, "year.tar.gz").locator(".ch-label").click()
    expect(row(page, "2020/")).to_be_visible()
    expect(page.locator(".ch-status")).to_have_text("1 folder")


def test_from_a_tar_to_a_dataframe(voila, archives):
    whole = """
import json, traitlets, ipywidgets
from chimera_nb.widgets import BucketBrowser, FilePreview, JobForm, JobMonitor

browser, look = BucketBrowser("gs://{bucket}/in/year.tar"), FilePreview()
form, monitor = JobForm(target="gs://{bucket}/out", runner="direct"), JobMonitor()
traitlets.dlink((browser, "current"), (look, "uri"))
traitlets.dlink((browser, "selected"), (form, "inputs"))
traitlets.dlink((form, "job_id"), (monitor, "job_id"))
ipywidgets.VBox([browser, look, form, monitor])
"""
    frame = """
probe = ipywidgets.Textarea()
def open_result(_):
    if monitor.status == "complete":
        probe.value = str(len(monitor.frame()))
monitor.observe(open_result, "status")
probe
"""
    page = voila(whole.replace("{bucket}", archives), frame)
    for folder in ("2020/", "Jan/"):
        row(page, folder).locator(".ch-label").click()
    row(page, "1.103.bz2").locator(".ch-box").click()
    row(page, "1.103.bz2").locator(".ch-label").click()
    expect(page.locator(".ch-preview")).to_contain_text(f"{RECORDS_LINES} lines")
    page.locator(".ch-crumb", has_text="2020").click()
    row(page, "Jan/").locator(".ch-box").click()
    expect(page.locator(".ch-total")).to_contain_text("1 selected: 12 files")
    expect(page.locator(".ch-form")).to_contain_text("Files12")
    launch = page.locator(".ch-go")
    expect(launch).to_be_enabled()
    launch.click()
    expect(page.locator(".ch-monitor .ch-head .ch-state")).to_have_text("complete")
    expect(page.locator("textarea").last).to_have_value(str(12 * RECORDS_LINES))


def test_a_member_that_failed_is_retried_alone_and_the_other_extracted(
    voila, on_stack, storage_client, bucket
):
    made = tar([Put("2020/good.bz2", RECORDS), Put("2020/bad.bz2", RECORDS[:-40])])
    storage_client.bucket(bucket).blob("in/year.tar").upload_from_string(made)
    settings = Settings(data_dir=on_stack.data_dir)
    service = JobService(settings)
    folder = f"gs://{bucket}/in/year.tar!/2020/"
    job = service.wait(service.submit([folder], f"gs://{bucket}/out", shards=1).job_id)
    page = voila(f"from chimera_nb.widgets import JobMonitor\nJobMonitor({job.job_id!r})")
    page.get_by_role("tab", name="Failures 1").click()
    expect(page.get_by_role("region", name="Files that failed")).to_contain_text("bad.bz2")
    page.get_by_role("button", name="Retry anyway").click()
    expect(page.locator(".ch-monitor .ch-title")).not_to_have_text(job.job_id)
    expect(page.locator(".ch-head .ch-state")).to_have_text("failed")  # the same file, which is broken still
    again = service.get(page.locator(".ch-monitor .ch-title").inner_text())
    assert again.spec["inputs"] == [f"{folder}bad.bz2"]
    service.log.close()
    record, blocks = extract(job.job_id, f"{folder}good.bz2", session=Session(settings))
    assert (record.uri, b"".join(blocks)) == (f"{folder}good.bz2", bz2.decompress(RECORDS))

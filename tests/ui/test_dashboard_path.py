"""The dashboard as a person uses it who has never seen Python, on the local stack with its double of Dataflow."""

from __future__ import annotations

import bz2
import json
import re

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from tests.fixtures.browsing import put, row
from tests.fixtures.pages import NARROW, WIDE
from tests.fixtures.ui import axe_faults

LINES = b"".join(json.dumps({"n": n, "price": n / 4}).encode() + b"\n" for n in range(40))
HOSTILE = "<img src=x onerror=\"document.title='owned'\">.bz2"


@pytest.fixture
def history(storage_client, bucket):
    """A bucket with in/: twelve good files, and one that is broken and has a hostile name."""
    return fill_bucket(storage_client, bucket)


@pytest.fixture(scope="module")
def ended(stack, storage_client):
    """A job that has read such a bucket, for those who only look: its bucket and its id."""
    bucket = "looked-at"
    storage_client.create_bucket(bucket)
    fill_bucket(storage_client, bucket)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.exports().items():
            patch.setenv(name, value)
        service = JobService(Settings(data_dir=stack.data_dir))
        record = service.wait(service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", shards=1).job_id)
        service.log.close()
    return bucket, record.job_id


def fill_bucket(storage_client, bucket):
    held = storage_client.bucket(bucket)
    put(held, [f"in/1.{n:02}.bz2" for n in range(12)], bz2.compress(LINES))
    put(held, [f"in/{HOSTILE}"], b"no bz2")
    return bucket


def open_folder(page, url, bucket):
    page.goto(url)
    expect(page.locator(".ch-row:visible").first).to_be_visible()
    page.get_by_label("Filter by name").fill(bucket)  # there may be more buckets than a screen shows
    expect(page.locator(".ch-row:visible")).to_have_count(1)  # rows that are being replaced take no click
    row(page, f"{bucket}/").locator(".ch-label").click()
    row(page, "in/").locator(".ch-label").click()
    expect(page.locator(".ch-status")).to_have_text("13 files")


def fill(page, bucket, prefix, runner="On this machine"):
    page.get_by_label("Bucket", exact=True).fill(bucket)
    page.get_by_label("Folder", exact=True).fill(prefix)
    page.get_by_label("Output files").fill("1")
    page.get_by_role("radio", name=runner).check()


def launch(page):
    """Launch; the id of the job, whose page is open then."""
    expect(page.locator(".ch-go")).to_be_enabled()
    page.locator(".ch-go").click()
    page.wait_for_url(re.compile(r"\?job="))
    expect(page.locator(".ch-monitor .ch-title")).to_have_text(re.compile(r"\d{4}-\d\d-\d\d-\w{8}"))
    return page.locator(".ch-monitor .ch-title").inner_text()


def state(page):
    return page.locator(".ch-monitor .ch-head .ch-state")


def job_row(page, job_id):
    return page.locator(".ch-history-row[data-state]").filter(has_text=job_id)


def test_choose_preview_launch_watch_and_leave_with_a_result(the_dashboard, look, history):
    page = look()
    open_folder(page, the_dashboard.url, history)
    row(page, "1.00.bz2").locator(".ch-box").click()
    row(page, "1.03.bz2").click(modifiers=["Shift"])
    row(page, "1.03.bz2").locator(".ch-label").click()
    expect(page.locator(".ch-preview")).to_contain_text("1.03.bz2")
    expect(page.locator(".ch-preview")).to_contain_text("40 lines")
    fill(page, history, "out/first")
    job_id = launch(page)
    expect(page.locator(".ch-browser")).to_be_hidden()
    expect(state(page)).to_have_text("complete")
    expect(page.get_by_role("region", name="Rows of the output").locator("tbody tr")).to_have_count(100)
    expect(page.locator(".ch-result-plot svg")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save CSV").click()
    assert download.value.suggested_filename == f"{job_id}.csv"

    page.reload()  # nothing is lost
    expect(state(page)).to_have_text("complete")
    expect(page.locator(".ch-monitor .ch-title")).to_have_text(job_id)
    expect(job_row(page, job_id)).to_have_attribute("aria-selected", "true")

    page.get_by_role("link", name="Browse").click()
    expect(page.locator(".ch-browser")).to_be_visible()
    expect(page).not_to_have_url(re.compile("job="))
    page.go_back()
    expect(page.locator(".ch-monitor .ch-title")).to_have_text(job_id)
    page.go_back()  # to where it was launched
    expect(page.locator(".ch-browser")).to_be_visible()
    expect(page).not_to_have_url(re.compile("job="))
    page.go_forward()
    expect(page.locator(".ch-monitor .ch-title")).to_have_text(job_id)
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator(".ch-monitor")).to_be_hidden()
    page.get_by_label("Search jobs").fill(job_id)
    job_row(page, job_id).click()
    expect(state(page)).to_have_text("complete")
    expect(page).to_have_url(re.compile(rf"\?job={job_id}(&|$)"))


def test_a_colleague_sees_a_dataflow_job_live_and_it_is_cancelled(
    the_dashboard, look, new_page, history, service
):
    colleague, page = new_page(), look()
    colleague.goto(f"{the_dashboard.url}?jobs")
    expect(colleague.locator(".ch-history")).to_be_visible()
    open_folder(page, the_dashboard.url, history)
    row(page, "1.00.bz2").locator(".ch-box").click()
    fill(page, history, "out/dataflow", "On Dataflow")
    job_id = launch(page)
    expect(job_row(colleague, job_id)).to_be_visible(timeout=5_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Yes, cancel the job").click()
    expect(state(page)).to_have_text("cancelled")
    expect(job_row(colleague, job_id).locator(".ch-state")).to_have_text("cancelled")
    assert service.get(job_id).status == "cancelled"


def test_a_dataflow_job_goes_all_the_way(the_dashboard, look, history, service):
    page = look()
    open_folder(page, the_dashboard.url, history)
    page.get_by_label("Select all here").check()
    fill(page, history, "out/all", "On Dataflow")
    job_id = launch(page)
    expect(state(page)).to_have_text("complete, 1 failed", timeout=120_000)
    expect(page.get_by_role("tab", name="Failures 1")).to_be_visible()
    summary = service.get(job_id).summary
    assert (summary["files"]["complete"], summary["files"]["failed"]) == (12, 1)


def test_what_failed_is_told_and_retried_and_hostile_names_stay_text(the_dashboard, look, history, service):
    page = look()
    open_folder(page, the_dashboard.url, history)
    row(page, HOSTILE).locator(".ch-box").click()
    row(page, HOSTILE).locator(".ch-label").click()
    expect(page.locator(".ch-preview")).to_contain_text("is named .bz2 but is not bz2")
    row(page, "1.00.bz2").click(modifiers=["Control"])
    fill(page, history, "out/some")
    job_id = launch(page)
    expect(state(page)).to_have_text("complete, 1 failed")
    page.get_by_role("tab", name="Failures 1").click()
    expect(page.get_by_role("region", name="Files that failed")).to_contain_text(HOSTILE)
    page.get_by_role("button", name="Retry anyway").click()
    expect(page.locator(".ch-monitor .ch-title")).not_to_have_text(job_id)
    expect(state(page)).to_have_text("failed")  # the file is broken still
    retried = page.locator(".ch-monitor .ch-title").inner_text()
    expect(page).to_have_url(re.compile(rf"\?job={retried}(&|$)"))
    assert service.get(retried).spec["inputs"] == [f"gs://{history}/in/{HOSTILE}"]
    assert page.locator(".ch-dashboard img").count() == 0
    assert page.title() != "owned"


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light")])
def test_nothing_stands_in_the_way_of_a_screen_reader_or_a_weak_eye(the_dashboard, look, ended, size, scheme):
    bucket, job_id = ended
    page = look(size, scheme)
    open_folder(page, the_dashboard.url, bucket)
    row(page, "1.00.bz2").locator(".ch-box").click()
    row(page, "1.00.bz2").locator(".ch-label").click()
    expect(page.locator(".ch-preview")).to_contain_text("40 lines")
    expect(page.locator(".ch-go")).to_be_visible()
    assert axe_faults(page) == []
    page.goto(f"{the_dashboard.url}?job={job_id}")
    expect(page.get_by_role("region", name="Rows of the output")).to_be_visible()
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_alone_gets_from_the_page_to_a_job(the_dashboard, look, history):
    page = look()
    open_folder(page, the_dashboard.url, history)
    page.get_by_role("grid", name="Folders and files").focus()
    page.keyboard.press("Home")
    for key in ("ArrowDown", "ArrowDown", " "):
        page.keyboard.press(key)
    expect(page.locator(".ch-total")).to_contain_text("1 selected: 1 file")

    def tab_to(label):
        for _ in range(60):
            page.keyboard.press("Tab")
            named = page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
            )
            if named.startswith(label):
                return
        raise AssertionError(f"no {label} after 60 steps")

    tab_to("Bucket")
    page.keyboard.press("Control+a")
    page.keyboard.type(history)
    tab_to("Folder")
    page.keyboard.press("Control+a")
    page.keyboard.type("out/keys")
    expect(page.locator(".ch-go")).to_be_enabled()
    tab_to("Launch")
    page.keyboard.press("Enter")
    expect(state(page)).to_have_text("complete")

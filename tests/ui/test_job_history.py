"""JobHistory in a real browser, in JupyterLab and in Voilà, on the job log of the local stack."""

from __future__ import annotations

import json
import os
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.log.sqlite_file import INSERT
from chimera_nb.jobs.process import describe
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.transitions import Change
from chimera_nb.widgets.job_history.model import PAGE
from pipeline.spec import JobSpec
from tests.fixtures.job_logs import put_in

NASTY = "<img src=x onerror=\"document.title='owned'\">"
CELL = """
import json, ipywidgets
from chimera_nb.widgets.job_history.widget import JobHistory
history = JobHistory()
probe, opened = ipywidgets.Textarea(), []
def say(job_id):
    opened.append(job_id)
    probe.value = json.dumps([history.job_id, opened])
history.on_open(say)
display(history, probe)
"""


@pytest.fixture
def log(stack):
    """The job log of the stack, empty of what other tests have put there."""
    log = SqliteJobLog(stack.data_dir / "jobs.sqlite")
    log._file.writer.execute("DELETE FROM jobs")
    yield log
    log._file.writer.execute("DELETE FROM jobs")
    log.close()


def a_job(minutes_ago: float = 0, status: Status = Status.COMPLETE, creator="ada", **fields) -> JobRecord:
    made = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    name = uuid.uuid4().hex[:8]
    spec = JobSpec(
        inputs=(f"gs://in/{name}/", "gs://in/more/"), target=f"gs://out/{name}", job_id=new_job_id(made)
    )
    record = JobRecord.from_spec(spec, runner="direct", created_by=creator, now=timestamp(made))
    return replace(record, status=status, **fields)


def put_many(log, like: JobRecord, count: int) -> None:
    """So many jobs of a long time ago that failed."""
    made = (
        f"2020-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
        for number in range(count)
    )
    put(
        log,
        [
            {**like.to_document(), "jobId": f"2020-01-01-{number:08x}", "createdAt": when, "status": "failed"}
            for number, when in enumerate(made)
        ],
    )


def put(log, documents: list[dict]) -> None:
    """Jobs in one transaction, so that nobody sees some of them without the others."""
    log._file.writer.execute("BEGIN")
    log._file.writer.executemany(
        INSERT,
        [
            {
                "job_id": document["jobId"],
                "created_at": document["createdAt"],
                "status": document["status"],
                "source_type": document["sourceType"],
                "search": document["jobId"],
                "document": json.dumps(document),
            }
            for document in documents
        ],
    )
    log._file.writer.execute("COMMIT")


def row(page, job):
    return page.locator(f".ch-history-row[id$='-{job.job_id}']")


def rows(page):
    return page.locator(".ch-history-row[data-state]")


def test_jobs_are_searched_filtered_and_opened(show, log):
    jobs = {status: a_job(10, status) for status in (Status.COMPLETE, Status.FAILED, Status.CANCELLED)}
    other = a_job(60 * 24 * 9, creator=NASTY, error=NASTY)
    for job in [*jobs.values(), other]:
        log.create(job)
    page = show(CELL)
    expect(rows(page)).to_have_count(4)
    expect(rows(page).last).to_contain_text(NASTY)
    page.get_by_role("button", name="failed").click()
    expect(rows(page)).to_have_count(1)
    expect(row(page, jobs[Status.FAILED]).locator(".ch-state")).to_have_text("failed")
    page.get_by_role("button", name="cancelled").click()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Clear filters").click()
    expect(rows(page)).to_have_count(4)
    page.get_by_label("Search jobs").fill("ONERROR")
    expect(rows(page)).to_have_count(1)
    expect(row(page, other)).to_be_visible()
    page.get_by_label("Search jobs").press("Escape")
    expect(rows(page)).to_have_count(4)
    page.get_by_label("Last day").fill(f"{datetime.now(UTC).date() - timedelta(days=2)}")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("First day").fill(f"{datetime.now(UTC).date()}")
    expect(page.get_by_role("alert")).to_contain_text("the last day is before the first")
    page.get_by_role("button", name="Clear filters").click()
    expect(rows(page)).to_have_count(4)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_label("Search jobs").fill("nothing has this name")
    expect(page.get_by_text("No job is like this. Change or clear the filters.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()

    probe = page.locator("textarea").last
    chosen = jobs[Status.CANCELLED]
    row(page, chosen).click()
    expect(row(page, chosen)).to_have_attribute("aria-selected", "true")
    row(page, chosen).click()
    expect(probe).to_have_value(json.dumps([chosen.job_id, [chosen.job_id] * 2]))
    page.keyboard.press("Tab")
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(probe).to_have_value(json.dumps([other.job_id, [chosen.job_id] * 2 + [other.job_id]]))
    page.get_by_role("button", name="Compare").click()
    row(page, jobs[Status.FAILED]).click()
    expect(page.get_by_text("Choose the job to compare it with")).to_be_visible()
    row(page, other).click()
    compared = page.get_by_role("dialog", name="Two jobs compared")
    expect(compared.get_by_role("row", name="Status")).to_have_text(re.compile("failed *complete"))
    expect(compared.get_by_role("row", name="Started by")).to_contain_text(NASTY)
    assert compared.evaluate("box => box.scrollWidth <= box.clientWidth")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Compare")).to_have_attribute("aria-pressed", "false")
    expect(probe).to_have_value(
        json.dumps([other.job_id, [chosen.job_id] * 2 + [other.job_id]])
    )  # none was opened
    assert page.locator(".ch-history").locator("img, script").count() == 0
    assert page.title() != "owned"


def test_a_record_that_cannot_be_read_has_its_row_with_what_is_wrong(voila, log):
    log.create(job := a_job())
    put_in(log, NASTY, "{broken", created_at="2999-01-01T00:00:00.000Z")
    later = {**a_job().to_document(), "jobId": "odd-one", "status": NASTY}
    put_in(log, "odd-one", later)
    page = voila(CELL)
    expect(rows(page)).to_have_count(3)
    first, odd = rows(page).first, page.locator(".ch-history-row[id$='-odd-one']")
    expect(first).to_contain_text(NASTY)
    expect(first).to_contain_text("it is no JSON")
    expect(odd.locator(".ch-state")).to_have_text("unreadable")
    expect(odd).to_contain_text("which is not known here")
    expect(row(page, job).locator(".ch-state")).to_have_text("complete")
    odd.click()
    expect(page.locator("textarea").last).to_have_value(json.dumps(["odd-one", ["odd-one"]]))
    assert page.locator(".ch-history").locator("img, script").count() == 0


def test_a_new_job_comes_in_by_itself_and_moves_with_its_progress(show, log, tmp_path):
    page = show(CELL)
    expect(page.get_by_text("There is no job yet.")).to_be_visible()
    job = a_job(status=Status.RUNNING, started_at=timestamp(), worker=describe(os.getpid(), tmp_path))
    log.create(job)
    expect(row(page, job)).to_be_visible(timeout=2000)
    expect(page.get_by_text("There is no job yet.")).to_be_hidden()
    log.update(job.job_id, Change(progress={"filesListed": 40, "filesComplete": 10, "lines": 12345}))
    expect(row(page, job)).to_contain_text("10 of 40")
    expect(row(page, job)).to_contain_text("12,345 lines")
    assert row(page, job).locator(".ch-history-bar > span").evaluate("bar => bar.style.width") == "25%"
    log.update(job.job_id, Change(status=Status.COMPLETE))
    expect(row(page, job).locator(".ch-state")).to_have_text("complete")


def test_of_ten_thousand_jobs_few_are_on_the_page_and_what_one_reads_stays_in_place(voila, log):
    made = [a_job(10 + number) for number in range(PAGE * 2 + 10)]
    for job in made:
        log.create(job)
    put_many(log, made[0], 10_000 - len(made))
    page = voila(CELL)
    scroller, grid = page.locator(".ch-history-scroller"), page.get_by_role("grid")
    expect(page.locator(".ch-history-foot")).to_contain_text("10,000 jobs")
    expect(grid).to_have_attribute("aria-rowcount", "10001")
    assert scroller.evaluate("box => box.scrollHeight") == 10_000 * 50
    mine = rows(page).first.get_attribute("id")
    rows(page).first.click()
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    put(log, [a_job(5).to_document() for _ in range(14)])  # more than a screen of them
    expect(page.get_by_role("button", name="14 new jobs")).to_be_visible()
    expect(page.locator(f"#{mine}")).to_have_attribute("aria-selected", "true")
    own, box = page.locator(f"#{mine}").bounding_box(), scroller.bounding_box()
    assert box["y"] <= own["y"] <= box["y"] + box["height"] - own["height"] + 1
    page.get_by_role("button", name="14 new jobs").click()
    page.evaluate("document.activeElement.blur()")
    scroller.evaluate("box => { box.scrollTop = 333; }")
    expect(page.locator(".ch-history-row[aria-rowindex='10']")).to_be_visible()
    reader = page.locator(".ch-history-row[aria-rowindex='10']")
    read, before = reader.get_attribute("id"), reader.bounding_box()
    job = a_job()
    log.create(job)
    expect(page.get_by_role("button", name="1 new job")).to_be_visible()
    assert page.locator(f"#{read}").bounding_box() == before
    page.get_by_role("button", name="1 new job").click()
    expect(rows(page).first).to_contain_text(job.job_id)
    expect(page.get_by_role("button", name="1 new job")).to_be_hidden()
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    expect(page.locator(".ch-active")).to_have_attribute("aria-rowindex", re.compile("^[6-8]$"))
    assert grid.get_attribute("aria-activedescendant") == page.locator(".ch-active").get_attribute("id")
    page.keyboard.press("End")  # far beyond what is loaded
    expect(page.locator(".ch-active")).to_have_attribute("aria-rowindex", "10016")
    assert page.locator(".ch-history-row").count() < 100
    assert page.locator(".ch-history *").count() < 1500
    order = page.locator(".ch-history-row[data-state]").evaluate_all(
        "all => all.map((row) => Number(row.getAttribute('aria-rowindex')))"
    )
    assert order == sorted(order)
    page.get_by_role("button", name="complete").click()
    expect(page.locator(".ch-history-foot")).to_contain_text(f"{PAGE * 2 + 25} jobs")
    page.keyboard.press("Tab")
    page.get_by_label("Search jobs").fill(made[-1].job_id)
    expect(rows(page)).to_have_count(1)


def test_without_settings_one_line_says_what_is_missing_and_it_comes_by_itself(voila, log, tmp_path):
    nowhere = (
        "import os\nos.environ.pop('STORAGE_EMULATOR_HOST', None)\n"
        f"os.environ['CHIMERA_DATA_DIR'] = {str(tmp_path)!r}"
    )
    log.create(a_job())
    here = log.path.parent
    back = (
        "button = ipywidgets.Button(description='go back')\n"
        f"button.on_click(lambda _: os.environ.update(CHIMERA_DATA_DIR={str(here)!r}))\n"
        "display(button)"
    )
    page = voila(nowhere, CELL, back)
    expect(page.get_by_role("alert")).to_contain_text("chimera up --detach")
    page.get_by_role("button", name="go back").click()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_hidden()

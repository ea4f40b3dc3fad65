"""JobMonitor in a real browser, in JupyterLab and in Voilà, on the local stack."""

from __future__ import annotations

import bz2
import csv
import itertools
import json
import re
import subprocess
import threading
import zipfile

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.process import describe
from chimera_nb.jobs.record import JobRecord, Stage, Status
from chimera_nb.jobs.transitions import Change
from pipeline.errors import JobNotFoundError
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore

STORE = PlainStore()

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


def cell(job_id):
    return f"from chimera_nb.widgets.job_monitor.widget import JobMonitor\nmonitor = JobMonitor({job_id!r})\nmonitor"


@pytest.fixture
def running(service, bucket):
    """The id of a job on record that runs, in a process that does nothing: a test says how it goes on."""
    spec = JobSpec(inputs=(f"gs://{bucket}/{HOSTILE}/",), target=f"gs://{bucket}/out", job_id=new_job_id())
    service.log.create(JobRecord.from_spec(spec, runner="direct", created_by=HOSTILE))
    sleeping = subprocess.Popen(["sleep", "600"])
    threading.Thread(target=sleeping.wait, daemon=True).start()  # so that it leaves no zombie
    worker = describe(sleeping.pid, service.settings.folder)
    begun = Change(status=Status.RUNNING, stages={"read": Stage.RUNNING}, worker=worker)
    service.log.update(spec.job_id, begun)
    yield spec.job_id
    sleeping.kill()


@pytest.fixture
def ended(service, bucket):
    """A job that is complete, over three files of which one is broken and has a hostile name."""
    for n in range(2):
        lines = b"".join(
            json.dumps({"n": n, "text": HOSTILE, "x": 2**k % 97}).encode() + b"\n" for k in range(30)
        )
        STORE.write_bytes(f"gs://{bucket}/in/{n}.bz2", bz2.compress(lines))
    STORE.write_bytes(f"gs://{bucket}/in/{HOSTILE}.bz2", b"no bz2")
    return service.wait(service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", shards=1).job_id)


def step(service, job_id, second, **change):
    numbers = {
        "seconds": float(second),
        "filesListed": 40,
        "filesComplete": second,
        "filesFailed": 1,
        "rawBytes": second * 5_000_000,
        "lines": second * 1000,
    }
    service.log.update(job_id, Change(progress=numbers, **change))


def fact(page, name):
    return page.locator(f".ch-fact-{name} dd")


def test_a_running_job_is_followed_live_and_cancelled_by_two_clicks(show, service, running):
    page = show(cell(running))
    expect(page.locator(".ch-head .ch-state")).to_have_text("running")
    page.evaluate(
        """() => {
            window.changes = [];
            const shown = document.querySelector(".ch-fact-lines dd");
            new MutationObserver(() => changes.push(performance.now()))
                .observe(shown, { childList: true, characterData: true, subtree: true });
        }"""
    )
    for second in range(1, 7):
        step(service, running, second, stages={"decompress": Stage.RUNNING})
        expect(fact(page, "lines")).to_have_text(f"{second},000")
    step(service, running, 7, logs=("all is well", f"WARNING: {HOSTILE}", "ERROR: it broke"))
    expect(fact(page, "lines")).to_have_text("7,000")
    changes = page.evaluate("changes")
    assert len(changes) == 7
    assert max(later - one for one, later in itertools.pairwise(changes)) < 2000
    expect(fact(page, "files")).to_have_text("8 of 40")
    expect(fact(page, "speed")).to_have_text("5.0 MB/s")
    expect(fact(page, "left")).to_have_text("about 32 s")
    expect(page.get_by_role("progressbar", name="Files done")).to_have_attribute("aria-valuenow", "20")
    expect(page.locator(".ch-stage[data-state=running]")).to_have_count(2)
    expect(page.get_by_role("img", name="Speed")).to_be_visible()

    log = page.get_by_role("log")
    expect(log.locator(".ch-log-line:visible")).to_have_count(3)
    page.get_by_label("Level").select_option("Errors")
    expect(log.locator(".ch-log-line:visible")).to_have_text(re.compile("it broke"))
    page.get_by_label("Level").select_option("Warnings and errors")
    expect(log).to_contain_text(HOSTILE)
    assert page.locator(".ch-monitor img").count() == 0
    assert page.title() != "owned"

    page.get_by_role("button", name="Cancel", exact=True).dblclick()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    assert service.log.get(running).status is Status.RUNNING
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Yes, cancel the job").click()
    expect(page.locator(".ch-head .ch-state")).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Run again")).to_be_enabled()
    assert service.log.get(running).status is Status.CANCELLED


def test_a_complete_job_shows_its_result_and_its_failures_and_retries_them(show, service, ended, bucket):
    page = show(cell(ended.job_id))
    rows = page.get_by_role("region", name="Rows of the output")
    expect(rows.locator("tbody tr")).to_have_count(60)
    expect(rows.locator("thead th")).to_have_text(["n", "text", "x"])
    expect(page.locator(".ch-result-plot svg")).to_be_visible()
    page.get_by_label("What to plot").select_option("Size of the files")
    expect(page.locator(".ch-result-plot rect")).to_have_count(1)
    expect(page.get_by_text(f'import chimera_nb as ch; ch.read_output("{ended.job_id}")')).to_be_visible()
    shard = page.get_by_role("link", name="output-00000-of-00001.ndjson")
    fetched = page.request.get(shard.get_attribute("href"))
    assert fetched.body() == STORE.read_bytes(f"gs://{bucket}/out/output/output-00000-of-00001.ndjson")

    rows.get_by_role("button", name="x", exact=True).dblclick()  # up, and down again
    expect(rows.locator("thead th").last).to_have_attribute("aria-sort", "descending")
    expect(rows.locator("tbody tr").first.locator("td").last).to_have_text("96")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Column", exact=True).select_option("n")
    page.get_by_label("Compared how").select_option("is at least")
    page.get_by_label("Compared with").fill("1")
    told = page.locator(".ch-table-told")
    expect(told).to_have_text("30 match in 60 rows")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="n", exact=True).uncheck()
    expect(rows.locator("thead th")).to_have_count(2)
    page.keyboard.press("Escape")
    saved = {}
    for kind in ("CSV", "Excel"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save {kind}").click()
        saved[download.value.suggested_filename.rpartition(".")[2]] = download.value.path()
        expect(page.locator(".ch-table-saved")).to_contain_text("30 rows")
    with saved["csv"].open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [int(row["x"]) for row in found] == sorted((int(row["x"]) for row in found), reverse=True)
    assert (len(found), set(found[0]), {row["text"] for row in found}) == (30, {"text", "x"}, {HOSTILE})
    assert zipfile.is_zipfile(saved["xlsx"])

    page.get_by_role("tab", name="Time", exact=True).click()
    slowest = page.get_by_role("region", name="Slowest files")
    expect(slowest.locator("tbody tr")).to_have_count(3)
    expect(slowest.get_by_text("of 3 files took")).to_be_visible()
    page.get_by_role("button", name="Run again").click()
    shown = page.get_by_role("region", name="Run again")
    expect(shown).to_contain_text(f"gs://{bucket}/out-copy-")
    expect(shown.get_by_role("button", name="Run it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()

    page.get_by_role("tab", name="Failures 1").click()
    expect(page.get_by_role("region", name="Files that failed")).to_contain_text(f"{HOSTILE}.bz2")
    assert page.locator(".ch-monitor img").count() == 0
    assert page.title() != "owned"
    page.get_by_role("button", name="Retry anyway").click()
    expect(page.locator(".ch-monitor .ch-title")).not_to_have_text(ended.job_id)
    expect(page.locator(".ch-head .ch-state")).to_have_text("failed")  # the same file, which is broken still
    retried = service.get(page.locator(".ch-monitor .ch-title").inner_text())
    assert retried.spec["inputs"] == [f"gs://{bucket}/in/{HOSTILE}.bz2"]


def test_no_job_and_an_unknown_job_are_said_in_one_sentence(voila, service):
    page = voila(cell(""), "monitor.job_id = '2026-01-31-00000000'")
    with pytest.raises(JobNotFoundError):
        service.get("2026-01-31-00000000")
    expect(page.get_by_role("alert")).to_contain_text("no job '2026-01-31-00000000'")
    expect(page.locator(".ch-monitor-body")).to_be_hidden()


def test_what_was_not_read_of_the_selection_stands_under_the_stages(show, service, bucket):
    event = f"gs://{bucket}/in/PRO/2020/Jan/1/29614797"
    for name in ("1.1.bz2", "29614797.bz2", f"{HOSTILE}.txt"):
        STORE.write_bytes(f"{event}/{name}", bz2.compress(b'{"op":"mcm"}\n'))
    job = service.submit([f"gs://{bucket}/in/"], f"gs://{bucket}/out", source="betfair", shards=1)
    service.wait(job.job_id)
    page = show(cell(job.job_id))
    said = page.get_by_role("list", name="Not read").get_by_role("listitem")
    expect(said).to_have_count(2)
    expect(said.first).to_contain_text("skipped: it holds what another file holds, or no data.")
    expect(said.last).to_contain_text(
        "1 file (54 B) of the selection not read, as the source betfair takes no such names: "
    )
    expect(fact(page, "files")).to_have_text("2 of 2")

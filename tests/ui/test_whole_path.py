"""All of the toolkit in one notebook, in JupyterLab and in Voilà: from a bucket to a DataFrame, as an analyst goes."""

from __future__ import annotations

import bz2
import json
import re

import pytest
from playwright.sync_api import expect

from tests.fixtures.browsing import put, row

CELL = """
import json, traitlets, ipywidgets
from chimera_nb.widgets import BucketBrowser, FilePreview, JobForm, JobMonitor

browser, look = BucketBrowser("gs://{bucket}/"), FilePreview()
form, monitor = JobForm(target="gs://{bucket}/out", runner="direct"), JobMonitor()
traitlets.dlink((browser, "current"), (look, "uri"))
traitlets.dlink((browser, "selected"), (form, "inputs"))
traitlets.dlink((form, "job_id"), (monitor, "job_id"))
ipywidgets.VBox([browser, look, form, monitor])
"""
FRAME = """
probe = ipywidgets.Textarea()
def open_result(_):
    if monitor.status == "complete":
        frame = monitor.frame()
        probe.value = json.dumps([len(frame), list(frame), int(frame.n.sum())])
monitor.observe(open_result, "status")
probe
"""


@pytest.fixture
def history(storage_client, bucket):
    """A bucket with in/2016/1.00.bz2 to 1.29.bz2 of ten records each."""
    lines = b"".join(json.dumps({"n": n, "text": "é"}).encode() + b"\n" for n in range(10))
    put(storage_client.bucket(bucket), [f"in/2016/1.{n:02}.bz2" for n in range(30)], bz2.compress(lines))
    return bucket


def test_from_a_bucket_to_a_dataframe(show, history):
    page = show(CELL.replace("{bucket}", history), FRAME)
    for folder in ("in/", "2016/"):
        row(page, folder).locator(".ch-label").click()
    expect(page.locator(".ch-status")).to_have_text("30 files")
    page.get_by_label("Filter by name").fill("1.1")
    expect(page.locator(".ch-status")).to_have_text("10 files")
    row(page, "1.10.bz2").locator(".ch-box").click()
    row(page, "1.14.bz2").click(modifiers=["Shift"])
    row(page, "1.14.bz2").locator(".ch-label").click()
    expect(page.locator(".ch-total")).to_contain_text("5 selected: 5 files")

    expect(page.locator(".ch-preview")).to_contain_text("1.14.bz2")
    expect(page.locator(".ch-preview").get_by_role("tabpanel").first).to_contain_text(
        '{"n": 9, "text": "\\u00e9"}'
    )

    expect(page.get_by_label("Selection").locator(".ch-form-input")).to_have_count(4)
    expect(page.locator(".ch-form").get_by_role("button", name="and 1 more")).to_be_visible()
    page.get_by_label("Output files").fill("2")
    launch = page.locator(".ch-go")
    expect(launch).to_be_enabled()
    launch.click()

    expect(page.locator(".ch-form-says")).to_have_text(re.compile(r"Launched 20\d\d-"))
    expect(page.locator(".ch-monitor .ch-head .ch-state")).to_have_text("complete")
    shown = page.get_by_role("region", name="Rows of the output")
    expect(shown.locator("thead th")).to_have_text(["n", "text"])
    expect(page.locator("textarea").last).to_have_value(json.dumps([50, ["n", "text"], 5 * 45]))

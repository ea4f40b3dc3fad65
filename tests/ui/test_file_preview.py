"""FilePreview in a real browser, in JupyterLab and in Voilà, on the local stack."""

from __future__ import annotations

import bz2
import json
import re

import pytest
from playwright.sync_api import expect

NASTY = "<img src=x onerror=\"document.title='owned'\">\u202e"
RECORDS = [
    {"op": "mcm", "pt": 1451606400000 + n, "mc": [{"id": f"1.{n}", "tv": n, "def": {"name": NASTY}}]}
    for n in range(300)
]
PROBE = """
import ipywidgets
probe = ipywidgets.Text(description="uri")
ipywidgets.link((preview, "uri"), (probe, "value"))
display(preview, probe)
"""
# How many answers the kernel has waited for at once, and how many it still does, in a text box.
UNDER_WAY = """
import asyncio
waiting = ipywidgets.Text(description="waiting")
display(waiting)
async def tell():
    most = 0
    while True:
        now = len(preview._background._tasks)
        most = max(most, now)
        waiting.value = f"{most} {now}"
        await asyncio.sleep(0.05)
telling = asyncio.get_running_loop().create_task(tell())
"""


def cell(uri):
    return f"from chimera_nb.widgets.preview.widget import FilePreview\npreview = FilePreview({uri!r})"


@pytest.fixture
def market(storage_client, bucket):
    """A file of 300 records, whose first line is long and whose values hold script."""
    lines = [json.dumps(record, ensure_ascii=False) for record in RECORDS]
    lines[0] = json.dumps({**RECORDS[0], "long": "x" * 2000}, ensure_ascii=False)
    name = f"2016/{NASTY}.bz2"
    storage_client.bucket(bucket).blob(name).upload_from_string(bz2.compress("\n".join(lines).encode()))
    return f"gs://{bucket}/{name}"


def choose(page, uri):
    page.get_by_label("uri").fill(uri)
    page.get_by_label("uri").press("Enter")


def test_a_file_is_shown_as_lines_as_a_tree_and_as_a_table(show, market):
    page = show(cell(market), PROBE)
    panel = page.locator(".ch-preview-panel")
    expect(page.locator(".ch-preview-facts")).to_have_text(
        re.compile(r"kB stored  ·  [\d.]+ kB unpacked  ·  300 lines")
    )
    expect(page.locator(".ch-codec-mark")).to_have_text("bz2")
    expect(panel.locator(".ch-preview-text")).to_have_count(200)
    first = panel.locator(".ch-preview-body").first
    assert len(first.inner_text()) < 400
    first.get_by_role("button", name="Show all of this line").click()
    expect(first).to_contain_text("x" * 2000)

    page.get_by_role("tab", name="Lines").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Tree")).to_have_attribute("aria-selected", "true")
    node = panel.get_by_role("treeitem")
    expect(panel.get_by_role("treeitem", name="mc 1 item")).to_be_visible()
    expect(node.filter(has_text="onerror")).to_be_visible()
    page.get_by_role("button", name="Next record").click()
    expect(panel.get_by_role("tree")).to_have_attribute("aria-label", "Line 2")
    panel.get_by_role("tree").focus()
    for key in ("Home", "End", "ArrowLeft", "ArrowLeft"):  # to def, which closes
        page.keyboard.press(key)
    expect(panel.locator(".ch-active")).to_have_attribute("aria-expanded", "false")
    expect(node.filter(has_text="onerror")).to_be_hidden()

    page.get_by_role("tab", name="Table", exact=True).click()
    expect(panel.get_by_role("columnheader")).to_have_text(["op", "ptUTC", "mc", "long"])
    expect(panel.locator("tbody tr")).to_have_count(100)
    page.get_by_label("A row for each").select_option("mc")
    expect(panel.get_by_role("columnheader")).to_have_text(
        ["op", "ptUTC", "mc.id", "mc.tv", "mc.def.name", "long"]
    )
    expect(panel.locator("tbody tr").nth(3)).to_contain_text("1.3")

    assert page.locator(".ch-preview").locator("img, script").count() == 0
    assert page.title() != "owned"


def test_what_is_wrong_with_a_file_is_one_sentence_and_the_next_one_is_shown(show, storage_client, bucket):
    blobs = {
        "cut.bz2": bz2.compress(b'{"a":1}\n' * 5000)[:-8],
        "notes.txt": b"one\ntwo\n",
        "empty.ndjson": b"",
    }
    for name, data in blobs.items():
        storage_client.bucket(bucket).blob(name).upload_from_string(data)
    page = show(cell(""), PROBE)
    expect(page.locator(".ch-preview-panel")).to_contain_text("Choose a file to see its first records")
    expect(page.get_by_role("button", name="Copy path")).to_be_hidden()

    choose(page, f"gs://{bucket}/cut.bz2")
    expect(page.get_by_role("alert").first).to_contain_text(
        "This file cannot be used: the bz2 data is cut off"
    )
    choose(page, f"gs://{bucket}/notes.txt")
    expect(page.locator(".ch-preview-body")).to_have_text(["one", "two"])
    expect(page.get_by_role("alert").first).to_be_hidden()
    expect(page.get_by_role("tab", name="Tree")).to_be_disabled()
    choose(page, f"gs://{bucket}/empty.ndjson")
    expect(page.get_by_role("alert").first).to_have_text("This file is empty (0 bytes).")
    choose(page, f"gs://{bucket}/none.bz2")
    expect(page.locator(".ch-error", has_text=f"gs://{bucket}/none.bz2")).to_be_visible()
    storage_client.bucket(bucket).blob("none.bz2").upload_from_string(bz2.compress(b'{"came":"late"}\n'))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".ch-preview-body")).to_have_text('{"came":"late"}')


def test_a_slow_store_shows_a_skeleton_and_only_the_last_file_that_was_chosen(
    voila, storage_client, bucket, faults
):
    for name in ("slow", "last"):
        storage_client.bucket(bucket).blob(f"{name}.txt").upload_from_string(f"this is {name}\n")
    page = voila(cell(""), PROBE, UNDER_WAY)
    expect(page.locator(".ch-preview-panel")).to_contain_text("Choose a file")
    faults(latency_ms=1500, match="slow")
    choose(page, f"gs://{bucket}/slow.txt")
    expect(page.locator(".ch-preview-bone").first).to_be_visible()
    choose(page, f"gs://{bucket}/last.txt")
    body = page.locator(".ch-preview-body")
    expect(body).to_have_text("this is last")
    expect(page.get_by_label("waiting")).to_have_value(
        re.compile("[12] 0")
    )  # the answer about the other has come
    expect(body).to_have_text("this is last")
    expect(page.locator(".ch-title")).to_have_text("last.txt")

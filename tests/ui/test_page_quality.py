"""Both pages as one comes to them: what moves, what a screen reader meets, what holds up the page, what fingers meet.

At a desk, on a phone, with 200 % zoom (half the pixels for the same screen), on a processor six times slower.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.fixtures.browsing import put, row
from tests.fixtures.pages import NARROW, WIDE
from tests.fixtures.ui import axe_faults
from tests.unit.test_words import NOT_SAID

ZOOMED = (WIDE[0] // 2, WIDE[1] // 2)
MOST_SHIFT = 0.05
FINGER = 44  # pixels
MOST_REQUESTS = 40
# What shifts within the dashboard and was no answer to a key or a click, and tasks that held up the page.
OBSERVE = """
window.shifts = []; window.longTasks = [];
const watch = (type, call) =>
  new PerformanceObserver((list) => list.getEntries().forEach(call)).observe({ type, buffered: true });
watch("layout-shift", (entry) => {
  const ours = entry.sources.filter(({ node }) => node?.parentElement?.closest(".ch-dashboard, #dash-main"));
  if (!entry.hadRecentInput && ours.length) window.shifts.push([entry.value, ours.map(({ node }) => node.className)]);
});
watch("longtask", (entry) => window.longTasks.push(Math.round(entry.duration)));
"""
# Buttons, boxes and rows of what one chooses with, that are smaller than a finger.
TOO_SMALL = """(finger) => [...document.querySelectorAll(".ch-dashboard :is(button, select, input, a, .ch-row)")]
  .filter((node) => node.offsetParent && getComputedStyle(node).visibility === "visible")
  .filter((node) => node.closest(".ch-steps, .ch-intro, .ch-browser, .ch-form, .ch-heading"))
  .filter((node) => !["checkbox", "radio"].includes(node.type) && !node.closest(".ch-head, summary"))
  .filter((node) => node.getBoundingClientRect().height < finger - 0.5)
  .map((node) => `${node.className} ${node.getBoundingClientRect().height}`)"""


@pytest.fixture
def files(storage_client, bucket):
    """A bucket with in/: forty files of a line."""
    put(storage_client.bucket(bucket), [f"in/1.{n:02}.ndjson" for n in range(40)], b'{"n": 1}\n')
    return bucket


def observe(page, slow=1):
    page.add_init_script(OBSERVE)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slow})
    return session


def moved(page):
    """The sum of what moved, where it is more than may be; with what it was."""
    shifts = page.evaluate("window.shifts")
    total = sum(value for value, _ in shifts)
    return (round(total, 3), shifts) if total >= MOST_SHIFT else None


# How far the text of a column's head ends from where that of its rows does, in pixels.
BESIDE = """(name) => {
  const edge = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect().right;
  };
  const head = document.querySelector(`.ch-head .ch-${name} .ch-sort`);
  const cells = [...document.querySelectorAll(`.ch-row:not([hidden]) .ch-${name}`)];
  return Math.abs(edge(head) - edge(cells.find((cell) => cell.textContent)));
}"""


def check_looks(page):
    """Heads stand over what they are of, and no word is one that only the field understands."""
    assert max(page.evaluate(BESIDE, name) for name in ("size", "date")) < 2
    said = page.locator(".ch-dashboard").first.inner_text()
    assert "Turn compressed files into one clean dataset" in said
    assert re.findall("|".join(NOT_SAID), said) == []


@pytest.mark.parametrize(
    ("size", "slow"),
    [(WIDE, 1), (NARROW, 1), (ZOOMED, 1), (NARROW, 6)],
    ids=["desk", "phone", "zoomed", "slow phone"],
)
def test_the_page_comes_in_without_moving_and_is_of_use_to_everybody(
    the_dashboard, new_page, files, record_property, size, slow
):
    page = new_page(size)
    observe(page, slow)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    chosen = f"gs://{files}/in/1.03.ndjson"
    page.goto(f"{the_dashboard.url}?folder=gs://{files}/in/&select={chosen}")
    expect(page.locator(".ch-status")).to_have_text("40 files")
    expect(page.locator(".ch-launch-bar")).to_contain_text("1 file · 9 B")
    row(page, "1.05.ndjson").locator(".ch-box").click()
    expect(page.locator(".ch-launch-bar")).to_contain_text("2 files · 18 B")
    expect(page.locator(".ch-total")).to_contain_text("2 selected")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    record_property("long tasks", page.evaluate("window.longTasks"))
    assert len([url for url in asked if url.startswith("http")]) <= MOST_REQUESTS
    if slow > 1:
        assert moved(page) is None
        return
    assert axe_faults(page, ".ch-dashboard") == []
    if size == NARROW:
        assert page.evaluate(TOO_SMALL, FINGER) == []
        assert page.locator(".ch-preview").is_hidden()
        row(page, "1.07.ndjson").locator(".ch-label").click()
        expect(page.locator(".ch-preview")).to_contain_text("1.07.ndjson")
        assert axe_faults(page, ".ch-dashboard") == []
        page.go_back()  # the preview goes, and all else stays
        expect(page.locator(".ch-preview")).to_be_hidden()
        expect(page.locator(".ch-status")).to_have_text("40 files")
        expect(page.locator(".ch-launch-bar")).to_contain_text("2 files")
    else:
        row(page, "1.07.ndjson").locator(".ch-label").click()
        expect(page.locator(".ch-preview")).to_contain_text("1.07.ndjson")
    page.get_by_role("button", name="Launch →").click()
    expect(page.get_by_role("heading", name="Launch")).to_be_in_viewport()
    expect(page.locator(".ch-steps-nav")).to_be_in_viewport()
    assert moved(page) is None


def test_the_address_keeps_what_is_chosen_and_the_keys_are_told(the_dashboard, look, files):
    page = look()
    page.goto(f"{the_dashboard.url}?folder=gs://{files}/")
    row(page, "in/").locator(".ch-label").click()
    expect(page.locator(".ch-status")).to_have_text("40 files")
    page.get_by_label("Filter by name").fill("1.0")
    expect(page.locator(".ch-status")).to_have_text("10 files")  # rows that are being replaced take no click
    row(page, "1.03.ndjson").locator(".ch-box").click()
    row(page, "1.04.ndjson").locator(".ch-label").click()
    for name in ("folder", "filter", "select", "file"):
        expect(page).to_have_url(re.compile(rf"[?&]{name}="))
    page.reload()
    expect(page.locator(".ch-status")).to_have_text("10 files")
    expect(row(page, "1.03.ndjson")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".ch-preview")).to_contain_text("1.04.ndjson")
    page.go_back()
    expect(row(page, "in/")).to_be_visible()
    expect(page.locator(".ch-total")).to_contain_text("1 selected: 1 file")  # looking back is not choosing
    page.go_forward()
    expect(page.locator(".ch-status")).to_have_text("10 files")
    page.locator(".ch-browser").get_by_role("button", name="Copy a link").click()
    expect(page.locator(".ch-browser .ch-copy")).to_have_text("Copied")
    check_looks(page)
    page.get_by_role("button", name="Show me an example").click()
    expect(page.get_by_role("dialog", name="A worked example")).to_contain_text("tick the folder")
    page.keyboard.press("Escape")
    page.locator("body").press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Select all here")
    page.keyboard.press("Escape")
    page.get_by_label("Theme").select_option("dark")
    page.reload()
    expect(page.locator("html[data-dark]")).to_be_attached()
    expect(page.locator(".ch-where")).to_have_text("local stack")


def test_in_a_notebook_the_dashboard_comes_in_without_moving_too(lab_server, new_page, files):
    page = new_page()
    observe(page)
    lab_server.open(page, [f"import chimera_nb as ch\nch.Dashboard('gs://{files}/in/')"])
    expect(page.locator(".ch-status")).to_have_text("40 files")
    row(page, "1.05.ndjson").locator(".ch-box").click()
    expect(page.locator(".ch-total")).to_contain_text("1 selected")
    assert axe_faults(page, ".ch-dashboard") == []
    assert moved(page) is None
    assert "folder=" not in page.url
    check_looks(page)

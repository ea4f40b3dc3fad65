"""BucketBrowser when answers come late, fail or are many, in a real browser."""

from __future__ import annotations

import os

from playwright.sync_api import expect

from tests.fixtures.browsing import PROBE, cell, row, until

# What the browser has under way, as a number in the text box.
UNDER_WAY = """
import asyncio
browser.unobserve(say)
async def tell():
    while True:
        probe.value = json.dumps(len(browser._background._tasks))
        await asyncio.sleep(0.05)
telling = asyncio.get_running_loop().create_task(tell())
"""

# How many URIs it has selected, as a number: so many would be text of megabytes, each time anew.
HOW_MANY = """
browser.unobserve(say)
def count(*_):
    probe.value = json.dumps(len(browser.selected))
browser.observe(count, "selected")
count()
"""


def test_a_late_answer_about_a_folder_one_has_left_is_dropped(voila, history, faults):
    page = voila(cell(f"'gs://{history}/2016/'"), PROBE, UNDER_WAY)
    expect(row(page, "Jan/")).to_be_visible()
    faults(latency_ms=1500, match="Jan")
    row(page, "Jan/").locator(".ch-label").click()
    expect(page.locator(".ch-row.ch-skeleton").first).to_be_visible()
    page.locator(".ch-crumb", has_text=history).click()
    expect(row(page, "2016/")).to_be_visible()
    until(page, lambda state: state == 0)  # the answer about Jan/ has come by now
    assert page.locator(".ch-row:visible .ch-label").all_inner_texts() == ["2016/"]
    expect(page.locator(".ch-here")).to_have_text(history)


def test_what_goes_wrong_is_one_sentence_and_can_be_tried_again(lab, history, faults):
    page = lab(cell(f"'gs://{history}/2016/'"), PROBE)
    expect(row(page, "Jan/")).to_be_visible()
    faults(fail_next=1, status=403, match="Jan")
    row(page, "Jan/").locator(".ch-label").click()
    error = page.get_by_role("alert")
    expect(error).to_contain_text("access is denied")
    expect(error).to_contain_text(f"gs://{history}/2016/Jan/")
    error.get_by_role("button", name="Try again").click()
    expect(row(page, "1/")).to_be_visible()
    expect(error).to_be_hidden()


def test_without_settings_one_line_says_what_is_missing_and_how_to_start_it(show, tmp_path):
    nowhere = (
        "import os\nos.environ.pop('STORAGE_EMULATOR_HOST', None)\n"
        f"os.environ['CHIMERA_DATA_DIR'] = {str(tmp_path)!r}"
    )
    page = show(nowhere, cell(""), PROBE)
    expect(page.get_by_role("alert")).to_contain_text("chimera up --detach")
    assert "\n" not in until(page, lambda state: state[3])[3]


def test_only_allowed_buckets_are_shown_and_looked_into(voila, history):
    page = voila(cell(f"buckets=[{history!r}, 'other']"), PROBE)
    expect(row(page, f"{history}/")).to_be_visible()
    assert page.locator(".ch-row:visible").count() == 2
    page.get_by_label("Edit the path").click()
    page.locator(".ch-path-box").fill("gs://results/")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("bucket results is not among the ones allowed here")


def test_the_kernels_event_loop_is_never_held_up(voila, history, faults):
    ticking = """
import asyncio, time
gaps = [0.0]
async def tick():
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        gaps[0] = max(gaps[0], time.monotonic() - before)
        probe.value = json.dumps([browser.path, browser.selected, gaps[0]])
ticker = asyncio.get_running_loop().create_task(tick())
"""
    faults(latency_ms=1500)
    page = voila(cell(f"'gs://{history}/2016/'"), PROBE, ticking)
    expect(row(page, "Jan/")).to_be_visible()
    row(page, "Jan/").locator(".ch-box").click()
    expect(page.locator(".ch-total")).to_have_text("1 selected: 12 files, 12.0 kB")
    assert until(page, lambda state: state[1])[2] < 1.0


def test_100_000_loaded_rows_are_scrolled_with_a_screenful_of_elements(voila, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    empty = [tmp_path / f"{n}" for n in range(4)]  # a file has 65,000 names at most
    for path in empty:
        path.touch()
    for n in range(100_000):
        os.link(empty[n % 4], f"{files}/{n:06}.bz2")
    page = voila(cell(f"{str(files)!r}"), PROBE, HOW_MANY)
    grid = page.get_by_role("grid")
    expect(page.locator(".ch-status")).to_contain_text("so far")
    page.evaluate(
        """() => new Promise((done) => {
            const scroller = document.querySelector(".ch-scroller");
            const status = document.querySelector(".ch-status");
            const watch = setInterval(() => {
                scroller.scrollTop = scroller.scrollHeight;
                if (status.textContent === "100,000 files") { clearInterval(watch); done(); }
            }, 10);
        })"""
    )
    expect(grid).to_have_attribute("aria-rowcount", "100001")
    expect(row(page, "099999.bz2")).to_be_visible()
    assert page.locator(".ch-row").count() < 60
    grid.focus()
    page.keyboard.press("Home")
    expect(row(page, "000000.bz2")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.press("Shift+Home")
    until(page, lambda state: state == 100_000)
    expect(page.locator(".ch-total")).to_have_text("100,000 selected: 100,000 files, 0 B")

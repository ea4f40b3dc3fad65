"""BucketBrowser in a real browser, in JupyterLab and in Voilà, on the local stack."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.fixtures.browsing import PROBE, REQUESTS, cell, kernel, put, row, selected, until

NASTY = [
    "<img src=x onerror=\"document.title='owned'\">.bz2",
    "a\"quote'd &amp; <b>name.gz",
    "🐎👩‍🚀.bz2",
    "abc\u202egnp.bz2",
    "مرحبا.bz2",
    "two trailing  ",
    "..",
    "tab\there.bz2",
    "[1]*?.zst",
    "%2F+#&=.bz2",
]
# The elements that stand for rows, in the document and by their numbers; the others come after them.
IN_ORDER = """() => {
    const rows = [...document.querySelectorAll(".ch-browser .ch-row")];
    const places = rows.filter((row) => !row.hidden).map((row) => Number(row.ariaRowIndex));
    return places.at(-1) === 33 && places.every((place, at) => !at || place === places[at - 1] + 1)
        && rows.slice(0, places.length).every((row) => !row.hidden);
}"""


@pytest.fixture(scope="module")
def large(storage_client):
    """A bucket with 1,100 objects of a byte in f/: a page and a bit."""
    held = storage_client.create_bucket("large-folder")
    put(held, [f"f/{n:04}" for n in range(1100)], b"x")
    return "large-folder"


def test_looking_is_not_choosing_and_each_choice_can_be_undone(show, history):
    page = show(cell(f"'gs://{history}/'"), PROBE)
    row(page, "2016/").locator(".ch-label").click()
    expect(row(page, "Feb/")).to_be_visible()
    assert page.locator(".ch-row:visible .ch-label").all_inner_texts()[:3] == ["Feb/", "Jan/", "notes 00.txt"]
    row(page, "Jan/").locator(".ch-label").click()
    row(page, "1/").dblclick()
    expect(row(page, "1.100.bz2")).to_contain_text("1.0 kB")
    expect(row(page, "1.100.bz2")).to_contain_text("bz2")
    here = f"gs://{history}/2016/Jan/1/"

    row(page, "1.109.bz2").locator(".ch-box").hover()
    page.mouse.down()
    page.get_by_label("Filter by name").fill("9.bz2")
    expect(row(page, "1.108.bz2")).to_have_count(0)
    page.mouse.up()  # its row stands elsewhere by now
    selected(page, [f"{here}1.109.bz2"])
    page.get_by_role("button", name="Undo").click()
    selected(page, [])
    page.get_by_label("Filter by name").fill("1.10")
    expect(row(page, "1.108.bz2")).to_be_visible()
    expect(row(page, "1.111.bz2")).to_have_count(0)
    row(page, "1.104.bz2").locator(".ch-label").click()  # a name is looked into
    until(page, lambda state: state[4] == f"{here}1.104.bz2")
    row(page, "1.109.bz2").locator(".ch-size").click()  # the rest of a row does nothing
    row(page, "1.102.bz2").locator(".ch-box").click()
    until(page, lambda state: state[1] == [f"{here}1.102.bz2"] and state[4] == f"{here}1.104.bz2")
    row(page, "1.105.bz2").click(modifiers=["Shift"])
    chosen = [f"{here}1.{n}.bz2" for n in range(102, 106)]
    selected(page, chosen)
    expect(page.locator(".ch-total")).to_have_text("4 selected: 4 files, 4.0 kB")
    page.get_by_role("button", name="Sort by size").or_(page.get_by_role("button", name="Size")).click()
    row(page, "1.108.bz2").click(modifiers=["Control"])
    row(page, "1.103.bz2").locator(".ch-box").click()
    chosen = [*chosen[:1], *chosen[2:], f"{here}1.108.bz2"]
    selected(page, chosen)
    page.keyboard.press("Control+z")
    selected(page, [*chosen[:-1], chosen[-1], f"{here}1.103.bz2"])
    row(page, "1.103.bz2").locator(".ch-box").click()
    selected(page, chosen)

    page.locator(".ch-crumb", has_text="2016").click()
    row(page, "Feb/").locator(".ch-box").click()
    selected(page, [*chosen, f"gs://{history}/2016/Feb/"])
    expect(row(page, "Jan/")).to_have_class(re.compile("ch-part-chosen"))
    expect(page.get_by_label("Select all here")).to_be_checked(indeterminate=True)
    expect(page.locator(".ch-total")).to_have_text("5 selected: 16 files, 16.0 kB")
    page.locator(".ch-total").click()
    page.get_by_label(f"Take out gs://{history}/2016/Feb/").click()
    selected(page, chosen)
    page.get_by_role("button", name="Clear").click()
    selected(page, [])
    page.get_by_label("Select all here").check()
    selected(page, [f"gs://{history}/2016/"])
    page.get_by_label("Select nothing here").uncheck()
    selected(page, [])
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    selected(page, chosen)


def test_the_keyboard_alone_does_all_of_it_and_the_notebook_hears_none_of_it(lab, history):
    page = lab(cell(f"'gs://{history}/2016/'"), PROBE)
    expect(row(page, "Feb/")).to_be_visible()
    grid = page.get_by_role("grid")
    cells = page.locator(".jp-Cell").count()
    grid.focus()
    for key in ("ArrowDown", "Enter"):  # Jan/
        page.keyboard.press(key)
    expect(row(page, "1/")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(page.locator(".ch-row.ch-active .ch-label")).to_have_text("Jan/")  # where one came from
    for key in ("ArrowDown", " ", "Shift+ArrowDown", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    folder = f"gs://{history}/2016/"
    selected(page, [f"{folder}notes 0{n}.txt" for n in range(3)])
    page.keyboard.press("End")
    expect(grid).to_have_attribute("aria-activedescendant", re.compile("-31$"))
    active = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    expect(active).to_have_text(re.compile("notes 29.txt"))
    expect(active).to_have_attribute("aria-rowindex", "33")
    expect(grid).to_have_attribute("aria-rowcount", "33")
    for top in (0, 9999):  # a scroll that nothing else follows
        page.locator(".ch-scroller").evaluate("(box, top) => { box.scrollTop = top; }", top)
        expect(page.locator(f".ch-row[aria-rowindex='{33 if top else 2}']")).to_be_visible()
    page.wait_for_function(IN_ORDER)  # for who reads it, once the list rests
    page.keyboard.press("Control+a")
    selected(page, [folder])
    expect(active).to_have_attribute("aria-selected", "true")
    page.keyboard.type("abdd29")  # a, b, d d: cells come and go by these in command mode
    expect(page.get_by_label("Filter by name")).to_have_value("abdd29")
    expect(page.locator(".ch-empty")).to_contain_text("No name here holds “abdd29”")
    page.keyboard.press("Escape")
    expect(row(page, "Feb/")).to_be_visible()
    assert page.locator(".jp-Cell").count() == cells
    assert page.locator(".ch-browser").count() == 1


def test_names_are_text_whatever_is_in_them_and_can_be_selected_and_opened(show, storage_client, bucket):
    long = "n" * (1024 - len("odd/") - len(".bz2")) + ".bz2"
    put(storage_client.bucket(bucket), [f"odd/{name}" for name in [*NASTY, long]])
    put(storage_client.bucket(bucket), ["odd/../<b>deep/x.bz2"])
    page = show(cell(f"'gs://{bucket}/odd/'") + "\nbrowser.height = 600", PROBE)
    expect(page.locator(".ch-status")).to_have_text("1 folder, 11 files")
    shown = page.locator(".ch-row:visible .ch-label")
    assert sorted(shown.evaluate_all("labels => labels.map((label) => label.title)")) == sorted(
        ["../", *NASTY, long]
    )
    texts = shown.all_text_contents()
    for text in ("abcU+202Egnp.bz2", "two trailing␣␣", "tabU+0009here.bz2", NASTY[0], NASTY[1], "🐎👩‍🚀.bz2"):
        assert text in texts
    assert shown.evaluate_all(
        "labels => labels.every((label) => getComputedStyle(label).unicodeBidi === 'isolate')"
    )
    for place, name in enumerate(shown.evaluate_all("labels => labels.map((label) => label.title)")):
        if name != "../":
            shown.nth(place).click()
            until(page, lambda state, name=name: state[4] == f"gs://{bucket}/odd/{name}")
    assert kernel(page)[1] == []
    page.keyboard.press("Home")
    page.keyboard.press("Enter")  # the folder ..
    row(page, "<b>deep/").locator(".ch-label").click()
    expect(row(page, "x.bz2")).to_be_visible()
    assert kernel(page)[0] == f"gs://{bucket}/odd/../<b>deep/"
    assert page.locator(".ch-browser").locator("img, b, script").count() == 0
    assert page.title() != "owned"


def test_a_pattern_is_counted_live_and_added_and_a_path_is_typed(voila, history):
    page = voila(cell(f"'gs://{history}/2016/'"), PROBE)
    expect(row(page, "Feb/")).to_be_visible()
    page.get_by_label("Pattern").fill("**/1.10?.bz2")
    expect(page.locator(".ch-matched")).to_have_text("20 files, 20.0 kB")
    page.get_by_role("button", name="Add").click()
    selected(page, [f"gs://{history}/2016/**/1.10?.bz2"])
    expect(page.locator(".ch-total")).to_have_text("1 selected: 20 files, 20.0 kB")
    page.get_by_label("Pattern").fill("[oops")
    expect(page.locator(".ch-matched")).to_contain_text("is not closed")

    for text, path, shown in [
        (f"gs://{history}/2016/Jan/1", f"gs://{history}/2016/Jan/1/", "1.100.bz2"),
        (f"{history}/2016/Feb/1/1.11", f"gs://{history}/2016/Feb/1/", "1.111.bz2"),
        (f"gs://{history}", f"gs://{history}/", "2016/"),
    ]:
        page.get_by_label("Edit the path").click()
        page.locator(".ch-path-box").fill(text)
        page.keyboard.press("Enter")
        expect(row(page, shown)).to_be_visible()
        until(page, lambda state, path=path: state[0] == path)
    options = page.locator("datalist option").evaluate_all("options => options.map((option) => option.value)")
    assert f"gs://{history}/2016/Jan/1/" in options
    page.get_by_label("Edit the path").click()
    page.locator(".ch-path-box").fill("/etc/passwd")
    page.keyboard.press("Enter")
    expect(page.locator(".ch-error")).to_contain_text("this browser shows buckets")


def test_a_count_can_be_stopped_and_gone_on_with(voila, large, faults):
    page = voila(cell(f"'gs://{large}/'"), PROBE)
    expect(row(page, "f/")).to_be_visible()
    faults(latency_ms=2000, match="pageToken")
    row(page, "f/").locator(".ch-box").click()
    total = page.locator(".ch-total")
    expect(total).to_have_text("1 selected: more than 1,000 files, 1.0 kB")
    page.locator(".ch-tray").get_by_role("button", name="Stop").click()
    until(page, lambda state: not state[2]["counting"])
    faults()
    go_on = page.get_by_role("button", name="Count on")
    expect(go_on).to_be_visible()
    go_on.click()
    expect(total).to_have_text("1 selected: 1,100 files, 1.1 kB")
    expect(go_on).to_be_hidden()


def test_a_large_folder_shows_after_one_list_request_and_more_on_scrolling(voila, large):
    say_requests = (
        "browser.observe(lambda _: setattr(probe, 'value', json.dumps([*json.loads(probe.value), asked])))"
    )
    page = voila(REQUESTS, cell(f"'gs://{large}/f/'"), PROBE, say_requests)
    expect(page.locator(".ch-status")).to_have_text("1,000 files so far; scroll for more")
    row(page, "0000").locator(".ch-box").click()
    asked = until(page, lambda state: len(state) > 5 and state[1])[5]
    listed = [
        url for url in asked if "/o?" in url
    ]  # the client also asks for the bucket itself, in a thread of its own
    assert len(listed) == 1
    assert "delimiter=%2F" in listed[0]
    page.keyboard.press("End")
    expect(page.locator(".ch-status")).to_have_text("1,100 files")
    expect(row(page, "0999")).to_be_visible()
    page.keyboard.press("End")
    expect(row(page, "1099")).to_be_visible()
    assert page.locator(".ch-row").count() < 60
    page.get_by_label("Filter by name").fill("109")
    expect(page.locator(".ch-status")).to_have_text("11 files")  # 0109 as well

"""The pictures in docs/screenshots: `make screenshots` takes them again. Light and dark, wide and narrow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.service import JobService
from chimera_nb.local.demo.bucket import put_demo
from chimera_nb.settings import Settings
from pipeline.storage import PlainStore
from tests.fixtures.browsing import row
from tests.fixtures.pages import NARROW, WIDE

STORE = PlainStore()

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
MARKET = "gs://chimera-demo/ADVANCED/2016/Jan/1/27636896/1.122737921.bz2"
WIDGETS = {
    "browser": 'BucketBrowser("gs://chimera-demo/ADVANCED/2016/Jan/1/", height=300)',
    "preview": f'FilePreview("{MARKET}")',
    "form": 'JobForm(["gs://chimera-demo/ADVANCED/", "gs://chimera-demo/BASIC/"], source="betfair", '
    'target="gs://chimera-demo-results/first")',
    "monitor": 'JobMonitor("{job_id}")',
    "history": "JobHistory(height=260)",
}
SCHEMES = ("light", "dark")
# Pictures of what one does, for the pages that speak of it: the widget, and what runs beforehand, if anything.
DEEDS = {
    "archive": (
        'BucketBrowser("gs://chimera-demo-downloads/data.tar!/ADVANCED/2016/Jan/1/", height=300)',
        None,
    ),
    "content": (
        'BucketBrowser("gs://chimera-demo-downloads/data.tar!/ADVANCED/2016/Jan/", height=200)',
        None,
    ),
    "table": ('JobMonitor("{job_id}")', "runners"),
    "market": ('JobMonitor("{job_id}")', "prices"),
}


@pytest.fixture(scope="module")
def demo(stack):
    """The demo's files, and two jobs over them that have ended; the id of the one that is complete."""
    made = put_demo(STORE)
    service = JobService(Settings(data_dir=stack.data_dir), user=lambda: "ana@example.com")
    service.wait(service.submit([f"{made.inputs}PRO/"], f"{made.results}pro", max_failures=0).job_id)
    job = service.submit([made.inputs], f"{made.results}all", source="betfair", shards=4)
    service.wait(job.job_id)
    service.log.close()
    return job.job_id


def browser_is_ready(page):
    row(page, "27636904/").locator(".ch-box").click()
    row(page, "27636916/").click(modifiers=["Shift"])
    expect(page.locator(".ch-total")).to_contain_text("selected:")
    page.get_by_label("Pattern").fill("**/*.bz2")
    expect(page.locator(".ch-matched")).to_contain_text("files")


def preview_is_ready(page):
    page.get_by_role("tab", name="Tree").click()
    expect(page.get_by_role("tree")).to_be_visible()


def form_is_ready(page):
    expect(page.locator(".ch-go")).to_be_enabled()
    page.get_by_text("The same job as code").click()
    page.get_by_role("tab", name="Shell command").click()


def monitor_is_ready(page):
    expect(page.get_by_role("region", name="Rows of the output")).to_be_visible()


def history_is_ready(page):
    expect(page.locator(".ch-history-row[data-state]")).to_have_count(2)


def archive_is_ready(page):
    row(page, "27636904/").locator(".ch-box").click()
    row(page, "27636908/").click(modifiers=["Shift"])
    expect(page.locator(".ch-total")).to_contain_text("selected:")
    return page.locator(".ch-browser")


def content_is_ready(page):
    page.get_by_role("button", name="Choose by content").click()
    sport = page.get_by_role("group", name="Sport")
    expect(sport).to_be_visible()
    sport.get_by_role("checkbox").first.check()
    expect(page.get_by_role("button", name=re.compile("Select these"))).to_be_visible()
    return page.locator(".ch-browser")


def table_is_ready(page):
    rows = page.get_by_role("region", name="Rows of the output")
    for order in ("ascending", "descending"):
        rows.get_by_role("button", name="pp_volume", exact=True).click()
        expect(rows.locator(f"[aria-sort={order}]")).to_be_visible()
    rows.locator(f"[aria-sort={order}]").evaluate(
        "one => one.scrollIntoView({ inline: 'end', block: 'nearest' })"
    )
    return page.locator(".ch-monitor [role=tabpanel]:visible")


def market_is_ready(page):
    expect(page.locator(".ch-picture img")).to_be_visible()
    return page.locator(".ch-result-plot")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", WIDGETS)
def test_take_a_widget(demo, lab_server, new_page, name, scheme):
    page = new_page((WIDE[0], 1300), scheme)
    call = WIDGETS[name].replace("{job_id}", demo)
    lab_server.open(page, [f"from chimera_nb.widgets import {call.partition('(')[0]}\n{call}"])
    theme = f"JupyterLab {scheme.title()}"  # which the server keeps
    page.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
    page.wait_for_selector(f"body[data-jp-theme-light={str(scheme == 'light').lower()}]", state="attached")
    globals()[f"{name}_is_ready"](page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)  # what moves as it comes in has come to rest
    page.locator(f".ch-{name}").screenshot(path=FOLDER / f"{name}-lab-{scheme}-{WIDE[0]}.png")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_take_the_dashboard(demo, the_dashboard, new_page, scheme, size):
    page = new_page(size, scheme)

    def take(name):
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)
        page.screenshot(path=FOLDER / f"dashboard-{name}-{scheme}-{size[0]}.png")

    page.goto(the_dashboard.url)
    for folder in ("chimera-demo/", "ADVANCED/", "2016/", "Jan/", "1/", "27636896/"):
        row(page, folder).locator(".ch-label").click()
    row(page, "1.122737920.bz2").locator(".ch-box").click()
    row(page, "1.122737921.bz2").click(modifiers=["Shift"])
    row(page, "1.122737921.bz2").locator(".ch-label").click()
    expect(page.locator(".ch-preview")).to_contain_text("164 lines")
    page.get_by_label("Bucket", exact=True).fill("chimera-demo-results")
    expect(page.locator(".ch-go")).to_be_enabled()
    page.evaluate("window.scrollTo(0, 0)")
    take("browse")
    if size == NARROW:
        page.go_back()  # the preview is over the list
    page.get_by_role("link", name="Launch").click()
    page.locator(".ch-go").scroll_into_view_if_needed()
    take("launch")
    page.get_by_role("link", name="Jobs").click()
    history_is_ready(page)
    take("jobs")
    page.locator(".ch-history-row[data-state]").filter(has_text=re.compile("all")).first.click()
    monitor_is_ready(page)
    take("job")


@pytest.mark.parametrize("name", DEEDS)
def test_take_a_deed(demo, stack, lab_server, new_page, name):
    call, view = DEEDS[name]
    if view is not None:
        service = JobService(Settings(data_dir=stack.data_dir), user=lambda: "ana@example.com")
        inputs, target = ["gs://chimera-demo-downloads/data.tar"], f"gs://chimera-demo-results/{view}"
        job = service.submit(inputs, target, source="betfair", view=view, format="parquet")
        service.wait(job.job_id)
        service.log.close()
        call = call.replace("{job_id}", job.job_id)
    page = new_page((1180, 1300))
    lab_server.open(page, [f"from chimera_nb.widgets import {call.partition('(')[0]}\n{call}"])
    shown = globals()[f"{name}_is_ready"](page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)
    shown.screenshot(path=FOLDER / f"{name}.png")

"""A page that nobody touches keeps its connection."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.fixtures.jupyter import PATIENCE_MS
from tests.fixtures.pages import pages_of
from tests.fixtures.ui import launched

IDLE_SECONDS = 180


@pytest.mark.timeout(IDLE_SECONDS + 180)
def test_an_idle_page_keeps_its_connection_for_three_minutes(dashboard, chromium):
    with launched(chromium) as browser, pages_of(browser) as new_page:
        _keeps_its_connection(dashboard.url, new_page())


def _keeps_its_connection(url, page):
    opened, closed = [], []

    def watch(connection):
        opened.append(connection.url)
        connection.on("close", lambda _: closed.append(connection.url))

    page.on("websocket", watch)
    page.goto(url, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="who")).to_be_visible(timeout=PATIENCE_MS)
    until = time.monotonic() + IDLE_SECONDS
    while not closed and time.monotonic() < until:
        page.wait_for_timeout(1000)
    assert closed == []
    assert len(opened) == 1

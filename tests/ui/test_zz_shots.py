
from pathlib import Path
import pytest
from tests.ui.test_view_result import *
from tests.fixtures.ui import NARROW, WIDE
OUT = Path("/tmp/book_nb/shots"); OUT.mkdir(exist_ok=True)
def test_shots(screenshots, lab_server, on_stack, new_job, bucket):
    def form_ready(page):
        page.get_by_label("View", exact=True).select_option("runners")
        page.get_by_label("Format", exact=True).select_option("parquet")
        expect(page.locator(".ch-go")).to_be_enabled()
        page.get_by_label("View", exact=True).scroll_into_view_if_needed()
        page.wait_for_timeout(500)
    def pic(page):
        expect(page.locator(".ch-picture img")).to_have_attribute("alt", __import__("re").compile("The market 1"))
        page.locator(".ch-picture").scroll_into_view_if_needed()
        page.wait_for_timeout(800)
    def rows(page):
        expect(page.get_by_role("region", name="First rows of the output")).to_be_visible()
        page.get_by_role("region", name="First rows of the output").scroll_into_view_if_needed()
        page.wait_for_timeout(500)
    p = new_job("prices")
    screenshots(lab_server, [monitor(p)], OUT, "plot", pic)

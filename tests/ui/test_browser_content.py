"""Files chosen by content in BucketBrowser, in JupyterLab and in Voilà, on the local stack."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.fixtures.browsing import PROBE, cell, selected
from tests.fixtures.made_markets import made_markets


def test_files_are_chosen_by_what_is_in_them(show, storage_client, bucket):
    held, made = storage_client.bucket(bucket), list(made_markets(40))
    for one in made:
        held.blob(f"in/{one.name}").upload_from_string(one.data)
    soccer = [one for one in made if one.market.event_type == "1"]
    page = show(cell(f"'gs://{bucket}/in/'"), PROBE)
    page.get_by_role("button", name="Choose by content").click()
    sport = page.get_by_role("group", name="Sport")
    expect(sport).to_be_visible(timeout=60_000)
    expect(page.locator(".ch-content-says").last).to_contain_text("of 40 files")
    box = sport.get_by_role("checkbox", name=re.compile("Soccer"))
    box.focus()
    page.keyboard.press("Space")
    choose = page.get_by_role("button", name=f"Select these {len(soccer)} files")
    expect(choose).to_be_visible()
    expect(sport.get_by_role("checkbox", name=re.compile("Soccer"))).to_be_checked()
    expect(sport.get_by_role("checkbox", name=re.compile("Soccer"))).to_be_focused()
    choose.click()
    selected(page, [f"gs://{bucket}/in/{one.name}" for one in soccer])
    expect(page.locator(".ch-total")).to_contain_text(f"{len(soccer)} selected: {len(soccer)} files")
    ids = page.get_by_label("A CSV of ids")
    text = f"market_id\n{soccer[0].market.market_id}\n1.9\n".encode()
    ids.set_input_files({"name": "ids.csv", "mimeType": "text/csv", "buffer": text})
    expect(page.get_by_role("button", name="Select this file")).to_be_visible()
    expect(page.locator(".ch-content-panel")).to_contain_text("2 ids, 1 in no file here: 1.9")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Choose by content")).to_be_visible()

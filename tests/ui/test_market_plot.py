"""The interactive plot of a market in a real browser: what is drawn, read off, zoomed and switched."""

from __future__ import annotations

import re

from playwright.sync_api import expect

RACE = """
import chimera_nb as ch, pandas as pd
rows = [
    (0, 1, "OPEN", False, 3.0, 10.0), (0, 2, "OPEN", False, 2.0, 5.0), (60, 1, "SUSPENDED", False, 4.0, 10.0),
    (70, 1, "OPEN", True, 5.0, 30.0), (100, 2, "OPEN", True, 1.01, 25.0), (110, 2, "CLOSED", True, None, 0.0),
]
frame = pd.DataFrame(rows, columns=["second", "selection_id", "status", "inplay", "ltp", "tv"])
frame["pt"] = pd.Timestamp("2020-01-01 12:00", tz="UTC") + pd.to_timedelta(frame["second"], unit="s")
display(ch.plot_market(frame.assign(market_id="1.1", handicap=0.0), names={1: "<b>Echo"}, interactive=True))
"""
# How many pixels are of a colour, about: a line of a runner or what marks a state.
COUNT = """(canvas, [red, green, blue]) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    const far = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue);
    if (data[at + 3] > 200 && far < 24) found += 1;
  }
  return found;
}"""
ECHO = (0xE0, 0x7B, 0x00)


def test_a_market_is_explored_in_the_page_alone(voila):
    page = voila(RACE)
    plot, told = page.locator(".ch-market-plot"), page.locator(".ch-market-told")
    canvas = plot.locator("canvas")
    echo = page.get_by_role("button", name=re.compile("Echo"))
    expect(page.locator(".ch-market .ch-title")).to_have_text("Market 1.1")
    expect(echo).to_have_text("<b>Echo5")
    expect(told).to_have_text("last prices")
    assert canvas.evaluate(COUNT, ECHO) > 100

    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    expect(told).to_have_text(re.compile(r"^2020-01-01 12:00:2\d$"))
    expect(echo).to_have_text("<b>Echo3")
    expect(page.locator(".ch-market-pointer")).to_be_visible()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 50)
    expect(told).to_have_text(re.compile("in play$"))

    echo.click()
    expect(echo).to_have_attribute("aria-pressed", "false")
    assert canvas.evaluate(COUNT, ECHO) == 0
    echo.click()

    plot.focus()
    page.keyboard.press("+")  # about the middle: the beginning is out of sight
    page.mouse.move(box["x"] + 54, box["y"] + 50)
    expect(told).to_have_text(re.compile(r"12:00:1\d$"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], box["y"] + 50)
    page.mouse.up()
    page.mouse.move(box["x"] + 54, box["y"] + 50)
    expect(told).to_have_text(re.compile(r"12:00:00$"))
    page.get_by_role("button", name="Show all").click()
    page.mouse.wheel(0, -100)
    assert canvas.evaluate(COUNT, ECHO) > 100

"""Choosing files by content in the browser, as its front end asks for it."""

from __future__ import annotations

import asyncio

import pytest

from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.widgets import BucketBrowser
from chimera_nb.widgets.browser import content
from tests.fixtures.made_markets import made_markets
from tests.fixtures.waiting import until_async
from tests.fixtures.widgets import ask

MADE = list(made_markets(40))
SOCCER = [one for one in MADE if one.market.event_type == "1"]


@pytest.fixture
def folder(tmp_path):
    for one in MADE:
        path = tmp_path / "in" / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    return tmp_path / "in"


@pytest.fixture
def browser(folder, tmp_path):
    return BucketBrowser(str(folder), Session(Settings(data_dir=tmp_path / ".chimera")))


def run(work):
    asyncio.run(asyncio.wait_for(work, 100))


async def opened(browser):
    ask(browser, "chooseContent")
    assert browser._content["running"]
    await until_async(lambda: not browser._content["running"])


def facet(browser, name):
    (found,) = [one for one in browser._content["facets"] if one["name"] == name]
    return {value: (label, rows, chosen) for value, label, rows, chosen in found["values"]}


def test_the_facets_of_the_folder_are_chosen_from_and_their_files_become_the_selection(browser, folder):
    async def work():
        await opened(browser)
        assert browser._content["files"] == browser._content["matching"] == len(MADE)
        assert facet(browser, "event_type_id")["1"] == ("Soccer", len(SOCCER), False)
        ask(browser, "chooseValue", facet="event_type_id", value="1", on=True)
        await until_async(lambda: browser._content["rows"] == len(SOCCER))
        assert facet(browser, "event_type_id")["1"] == ("Soccer", len(SOCCER), True)
        assert len(facet(browser, "event_type_id")) > 1  # the others can still be taken in
        assert sum(rows for _, rows, _ in facet(browser, "market_type").values()) == len(SOCCER)
        ask(browser, "selectContent")
        assert sorted(browser.selected) == sorted(f"{folder}/{one.name}" for one in SOCCER)
        assert browser.total == {
            "files": len(SOCCER),
            "bytes": sum(len(one.data) for one in SOCCER),
            "more": False,
            "counting": False,
        }
        ask(browser, "chooseValue", facet="event_type_id", value="1", on=False)
        await until_async(lambda: browser._content["rows"] == len(MADE))
        ask(browser, "leaveContent")
        assert browser._content == {}

    run(work())


def test_days_and_a_csv_of_ids_choose_too(browser):
    async def work():
        await opened(browser)
        assert browser._content["hasDays"]
        day = str(MADE[0].expected["date"])
        ask(browser, "chooseDays", since=day, until=day)
        on_the_day = [one for one in MADE if str(one.expected["date"]) == day]
        await until_async(lambda: browser._content["rows"] == len(on_the_day))
        assert browser._content["since"] == browser._content["until"] == day
        ask(browser, "chooseIds", name="ids.csv", text=f"market_id\n{MADE[0].market.market_id}\n1.9\n")
        await until_async(lambda: browser._content["ids"])
        assert browser._content["ids"] == "2 ids, 1 in no file here: 1.9"
        assert browser._content["rows"] == 1
        ask(browser, "chooseIds", name="", text="")
        await until_async(lambda: browser._content["rows"] == len(on_the_day))

    run(work())


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("chooseValue", {"facet": "colour", "value": "red", "on": True}, "no facet is named 'colour'"),
        ("chooseDays", {"since": "soon", "until": ""}, "'soon' is no day"),
        ("chooseIds", {"name": "x.csv", "text": "a,b\n"}, "x.csv has no column market_id"),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(browser, kind, fields, told):
    async def work():
        await opened(browser)
        before = browser._content
        ask(browser, kind, **fields)
        await asyncio.sleep(0.1)
        assert told in browser.error
        assert browser._content == before

    run(work())


def test_a_folder_without_such_files_says_so(browser, tmp_path):
    (tmp_path / "in/empty").mkdir()

    async def work():
        browser.path = f"{tmp_path}/in/empty/"
        await opened(browser)
        assert "no file matches" in browser._content["error"]
        ask(browser, "selectContent")
        assert "no file is chosen" in browser.error

    run(work())


def test_stopped_it_says_so_and_what_was_read_is_kept(browser, monkeypatch):
    from chimera_nb.data.catalogue import units

    monkeypatch.setattr(units, "_FILES", 1)

    async def work():
        ask(browser, "chooseContent")
        ask(browser, "stopContent")
        await until_async(lambda: not browser._content["running"])
        assert "cancelled" in browser._content["error"]
        await opened(browser)
        assert browser._content["matching"] == len(MADE)

    run(work())


def test_of_many_values_the_first_are_shown_and_all_that_are_chosen(browser, monkeypatch):
    monkeypatch.setattr(content, "VALUES_SHOWN", 1)

    async def work():
        await opened(browser)
        values = facet(browser, "market_type")
        assert len(values) == 1
        (found,) = [one for one in browser._content["facets"] if one["name"] == "market_type"]
        assert found["more"] > 0
        rare = next(one.market.market_type for one in MADE if one.market.market_type not in values)
        ask(browser, "chooseValue", facet="market_type", value=rare, on=True)
        await until_async(lambda: rare in facet(browser, "market_type"))

    run(work())


def test_what_a_pattern_matches_is_listed_for_who_asks(browser, folder):
    told = []
    browser.post = told.append

    async def work():
        ask(browser, "listMatch", text="**/*.bz2", view="v")
        await until_async(lambda: told)

    run(work())
    (message,) = told
    assert sorted(message.files) == sorted((f"{folder}/{one.name}", len(one.data)) for one in MADE)
    assert (message.view, message.more, message.error) == ("v", False, "")
    ask(browser, "listMatch", text="[oops", view="v")
    assert "is not closed" in browser.error


def test_the_list_of_buckets_has_no_content():
    browser = BucketBrowser()
    ask(browser, "chooseContent")
    assert "open a bucket first" in browser.error
    assert browser._content == {}

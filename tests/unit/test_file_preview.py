from __future__ import annotations

import asyncio
import base64
import bz2
import json
import threading

import pytest

from chimera_nb.data.view import views_for
from chimera_nb.local.demo.market import make_market
from chimera_nb.widgets.preview import widget as file_preview
from chimera_nb.widgets.preview.widget import FilePreview
from pipeline.storage import PlainStore
from tests.fixtures.waiting import until_async
from tests.fixtures.widgets import ask

STORE = PlainStore()


@pytest.fixture
def sent(monkeypatch):
    """What widgets send to their front ends."""
    messages = []
    monkeypatch.setattr(FilePreview, "send", lambda _, message: messages.append(message))
    return messages


@pytest.fixture
def files(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.ndjson").write_text(f'{{"name":"{name}"}}\n' * 3)
    return tmp_path


def run(work) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_nothing_is_read_before_the_widget_is_on_screen(sent, files, monkeypatch):
    reads = []
    read = STORE.open_read
    monkeypatch.setattr(
        PlainStore,
        "open_read",
        staticmethod(lambda uri, **how: (reads.append((uri, how)), read(uri, **how))[1]),
    )

    async def work():
        widget = FilePreview(str(files / "a.ndjson"))
        widget.uri = str(files / "b.ndjson")
        await asyncio.sleep(0)
        assert (reads, sent) == ([], [])
        ask(widget, "hello")
        await until_async(lambda: sent and sent[-1]["state"] == "shown")
        assert reads == [(str(files / "b.ndjson"), {"first_bytes": 256_000, "generation": None})]
        assert sent[-1]["uri"] == str(files / "b.ndjson")
        assert sent[-1]["facts"]["linesRead"] == 3

    run(work())


def test_a_slow_answer_about_a_file_that_was_left_is_dropped(sent, files, monkeypatch):
    held = threading.Event()
    real = file_preview._preview

    def slow(store, uri):
        if uri.endswith("a.ndjson"):
            held.wait(10)
        return real(store, uri)

    monkeypatch.setattr(file_preview, "_preview", slow)

    async def work():
        widget = FilePreview(str(files / "a.ndjson"))
        ask(widget, "hello")
        await asyncio.sleep(0.02)
        for name in "bc":
            widget.uri = str(files / f"{name}.ndjson")
        await until_async(lambda: sent[-1]["state"] == "shown")
        held.set()
        await until_async(lambda: widget._reading == 0)
        shown = [message["uri"][-8:] for message in sent if message["state"] == "shown"]
        assert shown == ["c.ndjson"]
        assert widget.error == ""

    run(work())


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("none.ndjson", "none.ndjson"),
        ("", "is a folder; choose a file"),
        ("*.ndjson", "is a glob, and one file is looked at here; give the first that it matches: "),
    ],
)
def test_what_cannot_be_looked_into_is_said_and_the_next_file_is_shown(sent, files, name, error):
    async def work():
        widget = FilePreview(f"{files}/{name}")
        ask(widget, "hello")
        await until_async(lambda: sent[-1]["state"] == "failed")
        assert error in widget.error
        widget.uri = str(files / "a.ndjson")
        await until_async(lambda: sent[-1]["state"] == "shown")
        assert widget.error == ""

    run(work())


def test_a_line_the_tree_and_the_table_are_sent_when_they_are_asked_for(sent, files):
    async def work():
        widget = FilePreview(str(files / "a.ndjson"))
        ask(widget, "hello")
        await until_async(lambda: sent[-1]["state"] == "shown")
        generation = sent[-1]["generation"]
        for kind in ("line", "tree"):
            ask(widget, kind, generation=generation, n=2)
            await until_async(lambda kind=kind: sent[-1]["kind"] == kind)
        line, tree = sent[-2:]
        ask(widget, "look", view="v", subject=str(files / "a.ndjson"), look=1)
        await until_async(lambda: sent[-1]["kind"] == "table")
        assert line["text"] == '{"name":"a"}'
        assert tree["nodes"] == [[0, "name", '"a"', 0]]
        assert sent[-1]["rows"] == [["a"]] * 3
        assert (sent[-1]["matched"], sent[-1]["total"], sent[-1]["state"]) == (3, 3, "done")

    run(work())


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "line", "n": 3},
        {"kind": "line", "n": -1},
        {"kind": "tree", "n": "0"},
        {"kind": "tree", "n": True},
        {"kind": "tree", "n": None},
        {"kind": "line"},
        {"kind": "line", "n": 0, "generation": 10_000},
        {"kind": "look", "view": "v", "subject": "/etc/passwd", "look": 1},
        {"kind": "saveFile", "view": "v", "subject": "/etc/passwd", "saving": 1},
        {"kind": "moreRows", "view": "w", "begin": 5},
        {"kind": "uri", "uri": "/etc/passwd"},
        {},
    ],
)
def test_a_message_that_makes_no_sense_does_nothing(sent, files, message):
    async def work():
        widget = FilePreview(str(files / "a.ndjson"))
        ask(widget, "hello")
        await until_async(lambda: sent[-1]["state"] == "shown")
        before = list(sent)
        widget._on_message(widget, {"generation": sent[-1]["generation"], **message}, [])
        await asyncio.sleep(0.01)
        assert [each for each in sent if each["kind"] != "refused"] == before

    run(work())


def test_a_front_end_cannot_choose_the_file():
    widget = FilePreview()
    widget.set_state({"uri": "/etc/passwd"})
    assert widget.uri == ""


def test_a_file_of_a_source_with_views_is_shown_as_one(sent, tmp_path):
    path = tmp_path / "1.1.bz2"
    path.write_bytes(bz2.compress(make_market(1, 60)))

    async def work():
        widget = FilePreview(str(path))
        ask(widget, "hello")
        await until_async(lambda: sent and sent[-1]["state"] == "shown")
        shown = sent[-1]
        assert [view for source, view in shown["views"] if source == "betfair"] == [
            "catalogue",
            "runners",
            "prices",
        ]
        ask(widget, "look", view="v", subject=str(path), look=1, shows="betfair/runners")
        await until_async(lambda: sent[-1]["kind"] == "table")
        table = sent[-1]
        assert table["columns"][0] == ["market_id", "text", True]
        assert {row[0] for row in table["rows"]} == {
            json.loads(make_market(1, 60).split(b"\n")[0])["mc"][0]["id"]
        }
        assert table["error"] == ""

    run(work())


def test_a_file_that_a_view_does_not_read_says_why(sent, tmp_path):
    path = tmp_path / "1.2.bz2"
    path.write_bytes(bz2.compress(b'{"no": "market"}\n'))

    async def work():
        widget = FilePreview(str(path))
        ask(widget, "hello")
        await until_async(lambda: sent and sent[-1]["state"] == "shown")
        ask(widget, "look", view="v", subject=str(path), look=1, shows="betfair/runners")
        await until_async(lambda: sent[-1]["kind"] == "table")
        assert "holds no market changes" in sent[-1]["error"]
        assert (sent[-1]["state"], sent[-1]["rows"]) == ("failed", [])

    run(work())


def test_a_file_is_saved_as_it_is_stored_and_a_table_of_it(sent, tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"n": 1, "t": "=1+1"}\n' * 100_000)

    async def saved(widget, kind, number, **content) -> bytes:
        parts = []
        while not parts or parts[-1]:
            sent.clear()
            if parts:
                ask(widget, "nextChunk", saving=number)
            else:
                ask(widget, kind, subject=str(path), saving=number, **content)
            await until_async(lambda: sent and sent[-1]["kind"] == "chunk")
            parts.append(base64.b64decode(sent[-1]["data"]))
        return b"".join(parts)

    async def work():
        widget = FilePreview(str(path))
        ask(widget, "hello")
        await until_async(lambda: sent[-1]["state"] == "shown")
        assert await saved(widget, "saveFile", 1) == path.read_bytes()
        assert sent[-1]["name"] == "a.ndjson"
        rows = await saved(widget, "saveTable", 2, format="csv", sort="n", columns=["t"])
        assert rows.splitlines() == [b'"t"', *[b'"\'=1+1"'] * 200]
        assert sent[-1]["note"] == "200 rows"
        ask(widget, "saveTable", subject=str(path), saving=3, format="csv", conditions=[["n", "least", "x"]])
        await until_async(lambda: sent[-1]["kind"] == "saving")
        assert "no number" in sent[-1]["error"]
        ask(widget, "saveFile", subject=str(path), saving=4)
        ask(widget, "stopSaving")
        before = len(sent)
        await asyncio.sleep(0.1)
        assert [each for each in sent[before:] if each["kind"] == "chunk"] == []
        assert widget._savings == {}
        widget.close()

    run(work())


def test_a_source_offers_its_views_for_the_names_that_it_takes(files):
    assert [view for source, view in views_for(str(files / "a.ndjson")) if source == "betfair"] == []

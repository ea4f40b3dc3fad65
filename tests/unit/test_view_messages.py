from __future__ import annotations

import logging
import re

import pytest

from chimera_nb.widgets.base.widget import View


class Counting(View):
    """A widget with a handler that has a bug."""

    _esm = "export default {}"

    def _asked_divide(self, content) -> None:
        self.error = str(1 / len(content["text"]))

    def _asked_add(self, content) -> None:
        self.error = content["text"] + 1

    def _asked_reach(self, content) -> None:
        self.error = self.no_such_part.text


@pytest.fixture
def widget():
    made = Counting()
    yield made
    made.close()


def send(widget, **content) -> None:
    widget._on_message(widget, content, [])


def test_where_a_handler_failed_is_in_the_log_and_the_widget_goes_on(widget, caplog):
    with caplog.at_level(logging.WARNING):
        send(widget, kind="add", text="2")
    (logged,) = caplog.records
    said = logged.getMessage()
    assert said.startswith("Counting could not do {'kind': 'add', 'text': '2'}: TypeError(")
    assert 'can only concatenate str (not "int") to str' in said
    assert re.search(r" in _asked_add, test_view_messages\.py:\d+$", said)
    send(widget, kind="divide", text="ab")
    assert widget.error == "0.5"


def test_a_fault_of_a_handler_is_shown_to_whoever_asked_and_logged(widget, caplog):
    with caplog.at_level(logging.WARNING):
        send(widget, kind="reach")
        send(widget, kind="divide", text="")
    assert ["AttributeError(" in caplog.messages[0], "ZeroDivisionError(" in caplog.messages[1]] == [
        True,
        True,
    ]
    assert widget.error == "this did not work, and was not foreseen (ZeroDivisionError); the log says more"


@pytest.mark.parametrize(
    "content", [{}, {"kind": "reach"}, {"kind": "divide"}, {"kind": "add", "text": "x" * 10_000}]
)
def test_a_visitor_cannot_fill_the_log(widget, caplog, content):
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            send(widget, **content)
        for n in range(1000):
            send(widget, **{**content, "kind": {"n": n}})
    assert 1 <= len(caplog.records) <= 300
    assert max(len(record.getMessage()) for record in caplog.records) < 500

"""Requests of a page at the edge of the kernel: what fits is done, what does not is answered, and a fault is told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import pytest
import traitlets

from chimera_nb.widgets.base import presence
from chimera_nb.widgets.base.messages import Message, Request
from chimera_nb.widgets.base.widget import ChimeraWidget, existing
from pipeline.errors import RefusedError


@dataclass(frozen=True)
class Divide(Request):
    text: str
    how: Literal["down", "up"] = "down"


@dataclass(frozen=True)
class AddAll(Request):
    numbers: tuple[int, ...]
    generation: int


@dataclass(frozen=True)
class Refuse(Request):
    pass


@dataclass(frozen=True)
class Look(Request):
    name: str


@dataclass(frozen=True)
class SumMessage(Message):
    the_sum: int


class Counting(ChimeraWidget):
    """A widget with handlers, one of which has a bug."""

    _esm = "export default {}"
    divisor = traitlets.Int(1).tag(sync=True)

    @traitlets.observe("divisor")
    def _on_divisor(self, change: dict[str, int]) -> None:
        self.error = str(1 / change["new"])

    def _asked_divide(self, request: Divide) -> None:
        self.error = str(1 / len(request.text))

    def _asked_add_all(self, request: AddAll) -> None:
        self.post(SumMessage(sum(request.numbers)))

    def _asked_refuse(self, _: Refuse) -> None:
        raise RefusedError("that is not for you")

    def _asked_look(self, request: Look) -> None:
        with existing("drawer"):
            self.error = {"top": "socks"}[request.name]


@pytest.fixture
def widget(monkeypatch):
    made = Counting()
    made.sent = []
    monkeypatch.setattr(Counting, "send", lambda self, message: self.sent.append(message))
    yield made
    made.close()


def send(widget, **content) -> None:
    widget._on_message(widget, content, [])


def test_what_fits_is_done(widget):
    send(widget, kind="divide", text="ab", beside=1)
    assert widget.error == "0.5"
    send(widget, kind="addAll", numbers=[1, 2], generation=0)
    assert widget.sent == [{"kind": "sum", "theSum": 3}]


def test_what_is_of_something_that_is_not_shown_any_more_is_left(widget):
    widget._generation.renew()
    send(widget, kind="addAll", numbers=[1], generation=0)
    assert (widget.sent, widget.error) == ([], "")
    send(widget, kind="addAll", numbers=[1], generation=1)
    assert widget.sent == [{"kind": "sum", "theSum": 1}]


@pytest.mark.parametrize(
    ("content", "code", "field", "reason"),
    [
        ({}, "unknown-kind", "kind", "there is no request None"),
        ({"kind": "divde", "text": "a"}, "unknown-kind", "kind", "there is no request 'divde'"),
        ({"kind": ["divide"]}, "unknown-kind", "kind", "there is no request ['divide']"),
        ({"kind": "__init__"}, "unknown-kind", "kind", "there is no request '__init__'"),
        ({"kind": "divide"}, "missing", "text", "text is missing"),
        ({"kind": "divide", "text": None}, "wrong-type", "text", "text is not a text: None"),
        (
            {"kind": "divide", "text": "a", "how": "in"},
            "wrong-type",
            "how",
            "how is not one of down, up: 'in'",
        ),
        (
            {"kind": "addAll", "numbers": [1, True], "generation": 0},
            "wrong-type",
            "numbers",
            "numbers is not a list, each a whole number: [1, True]",
        ),
        (
            {"kind": "addAll", "numbers": [], "generation": 1e99},
            "wrong-type",
            "generation",
            "generation is not a whole number: 1e+99",
        ),
        ({"kind": "hello"}, "missing", "view", "view is missing"),
        ("hello", "wrong-type", "", "a request is an object"),
    ],
)
def test_what_does_not_fit_is_answered_and_logged(widget, caplog, content, code, field, reason):
    with caplog.at_level(logging.WARNING):
        widget._on_message(widget, content, [])
    kind = content.get("kind") if isinstance(content, dict) else None
    request = kind if isinstance(kind, str) else ""
    assert widget.sent == [
        {"kind": "refused", "request": request, "code": code, "field": field, "reason": reason}
    ]
    (logged,) = caplog.records
    assert logged.getMessage() == f"Counting was asked for {content!r}: {reason}"
    assert widget.error == ""


def test_a_fault_of_a_handler_is_logged_with_its_traceback_and_shown(widget, caplog):
    with caplog.at_level(logging.WARNING):
        send(widget, kind="divide", text="")
    (logged,) = caplog.records
    assert logged.getMessage() == "Counting could not do Divide(text='', how='down')"
    assert "_asked_divide" in logging.Formatter().formatException(logged.exc_info)
    assert "ZeroDivisionError" in widget.error
    assert widget.sent == []
    send(widget, kind="divide", text="ab")
    assert widget.error == "0.5"


def test_a_fault_of_an_observer_of_what_a_page_sets_is_logged_with_its_traceback_and_shown(widget, caplog):
    with caplog.at_level(logging.WARNING):
        widget.set_state({"divisor": 0})
    (logged,) = caplog.records
    assert "_on_divisor" in logging.Formatter().formatException(logged.exc_info)
    assert "ZeroDivisionError" in widget.error
    widget.set_state({"divisor": "x"})
    assert "expected an int" in widget.error
    widget.set_state({"divisor": 4})
    assert widget.error == "0.25"


def test_what_a_handler_refuses_is_shown_in_its_words(widget, caplog):
    send(widget, kind="refuse")
    assert widget.error == "that is not for you"
    send(widget, kind="look", name="bottom")
    assert widget.error == "there is no such drawer; it may have been there before"
    assert caplog.records == []


@pytest.mark.parametrize("content", [{}, {"kind": "divide"}, {"kind": "divide", "text": ""}])
def test_a_visitor_cannot_fill_the_log(widget, caplog, content):
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            send(widget, **content, beside="x" * 10_000)
        for n in range(1000):
            send(widget, **{**content, "kind": f"kind {n}"})
    assert 1 <= len(caplog.records) <= 300
    assert max(len(record.getMessage()) for record in caplog.records) < 500


def test_who_is_on_screen_is_known_until_they_say_goodbye_or_nothing_for_long(widget, monkeypatch):
    assert not widget._presence.was_seen
    send(widget, kind="hello", view="one")
    send(widget, kind="hello", view="two")
    send(widget, kind="bye", view="one")
    assert widget._presence.is_seen
    send(widget, kind="bye", view="two")
    assert (widget._presence.is_seen, widget._presence.was_seen) == (False, True)
    send(widget, kind="here", view="two")
    assert widget._presence.is_seen
    monkeypatch.setattr(presence, "LASTS_SECONDS", 0.0)
    assert not widget._presence.is_seen

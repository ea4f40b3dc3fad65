"""The messages of each widget: what the page knows of them is what the kernel has, and both have the same traits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import pytest

from chimera_nb.widgets.base.messages import Bye, Hello, Here, Message, Request, camel, to_wire
from chimera_nb.widgets.browser.widget import BucketBrowser
from chimera_nb.widgets.dashboard.header import Steps
from chimera_nb.widgets.job_form.widget import JobForm
from chimera_nb.widgets.job_history.widget import JobHistory
from chimera_nb.widgets.job_monitor.widget import JobMonitor
from chimera_nb.widgets.preview.widget import FilePreview
from tests.front_end import typescript

WIDGETS = {
    "browser": BucketBrowser,
    "dashboard": Steps,
    "job_form": JobForm,
    "job_history": JobHistory,
    "job_monitor": JobMonitor,
    "preview": FilePreview,
}
FILES = typescript.message_files()


def module_of(path):
    return {name: each for name, each in vars(typescript.module_of(path)).items() if isinstance(each, type)}


def test_every_widget_has_its_messages():
    assert [path.parent.name for path in FILES] == sorted(WIDGETS)


def test_the_pages_types_are_in_step():
    made = typescript.all_types()
    assert {path: path.read_text("utf-8") for path in made} == made, "run make messages"
    assert set(typescript.WIDGETS.glob("*/*.d.ts")) == {*made, typescript.WIDGETS / "base" / "model.d.ts"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_every_request_has_a_handler_and_every_handler_a_request(path):
    own = module_of(path).values()
    asked = {
        each
        for each in own
        if issubclass(each, Request) and typescript.is_own(each, typescript.module_of(path))
    }
    assert set(WIDGETS[path.parent.name]._handlers) == asked | {Hello, Here, Bye}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_page_knows_the_traits_that_it_has(path):
    (traits,) = [each for name, each in module_of(path).items() if name.endswith("Traits")]
    widget = WIDGETS[path.parent.name]
    synced = {name for name in widget.class_trait_names(sync=True) if name not in typescript.OF_EVERY_WIDGET}
    assert {each.name for each in fields(traits)} == synced


class Pair(NamedTuple):
    is_one: int
    two: str | None


@dataclass(frozen=True)
class TheStateMessage(Message):
    first_pair: Pair
    by_name: dict[str, bool]
    rest: tuple[Pair, ...]


def test_names_of_fields_change_their_case_and_keys_of_a_mapping_do_not():
    message = TheStateMessage(Pair(1, None), {"max_ratio": True}, (Pair(2, "x"),))
    assert to_wire(message) == {
        "kind": "theState",
        "firstPair": [1, None],
        "byName": {"max_ratio": True},
        "rest": [[2, "x"]],
    }
    assert [camel(name) for name in ("n", "raw_bytes", "_match", "a_b_c")] == [
        "n",
        "rawBytes",
        "_match",
        "aBC",
    ]

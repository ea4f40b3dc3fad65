"""Views of a source by name, and one of them made with its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pytest

from pipeline.errors import ChimeraError, OptionRefusedError, RefusedError, UnknownNameError
from pipeline.job_options import JobOptions
from pipeline.sources import get_source
from pipeline.sources.base import SourcePlugin
from pipeline.sources.view import View
from pipeline.sources.view_options import options_of, options_text, parse_options
from pipeline.sources.views import find_view, make_view, source_of_view, views_of
from tests.fixtures.weather import offer_weather


@pytest.fixture(autouse=True)
def weather(monkeypatch):
    offer_weather(monkeypatch)


class Ones(View):
    name = "ones"
    description = "ones"
    schema = pa.schema([("one", pa.int64()), ("day", pa.date32())])

    def rows(self, blocks, file):
        yield from ()


def source_with(*views):
    class Some(SourcePlugin):
        name = "some"
        description = "some"

        def build_patterns(self, bucket, paths):
            return []

        def get_decompressor_class(self):
            return "auto"

        def views(self):
            return views

    return Some()


def offered(**attributes):
    made = dataclass(frozen=True)(type("Made", (Ones,), attributes))
    return views_of(source_with(made))


def test_a_source_offers_its_views_and_their_options():
    views = views_of(get_source("weather"))
    assert list(views) == ["readings"]
    assert [option.text for option in options_of(views["readings"])] == [
        "unit: celsius or fahrenheit (celsius)",
        "least: a number (left open)",
    ]
    assert source_of_view("readings").name == "weather"
    with pytest.raises(UnknownNameError, match="no view is named 'races'"):
        source_of_view("races")


def test_options_come_as_text_or_as_values():
    text = make_view(get_source("weather"), "readings", "unit=fahrenheit, least = 4.5")
    assert text == make_view(get_source("weather"), "readings", {"unit": "fahrenheit", "least": 4.5})
    assert make_view(get_source("weather"), "readings", "least=none").least is None
    given = {"unit": "fahrenheit", "least": None}
    assert parse_options(options_text(given)) == {"unit": "fahrenheit", "least": "none"}
    assert options_text({}) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit=kelvin", r"unit is 'kelvin'; give unit: celsius or fahrenheit \(celsius\)"),
        ("least=much", "least is 'much'; give least: a number"),
        ("off=last", "no option of view readings is named 'off'; there are: least, unit"),
        ("unit", "view options have 'unit'; write name=value"),
        ("unit=celsius,unit=celsius", "view options have unit twice"),
    ],
)
def test_an_option_that_does_not_do_is_refused(text, said):
    with pytest.raises(OptionRefusedError, match=said) as caught:
        make_view(get_source("weather"), "readings", text)
    assert caught.value.option == "view_options"


def test_a_views_own_check_is_a_refusal():
    @dataclass(frozen=True)
    class Checked(Ones):
        step: int = 1

        def __post_init__(self):
            if self.step < 1:
                raise ValueError(f"step is {self.step}; give 1 or more")

    with pytest.raises(OptionRefusedError, match="view ones: step is 0; give 1 or more"):
        make_view(source_with(Checked), "ones", "step=0")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"name": "raw"}, "must have a name"),
        ({"name": "Ones!"}, "must have a name"),
        ({"description": None}, "must have a description"),
        ({"schema": {"one": int}}, "must have a schema"),
        ({"schema": pa.schema([("a", pa.int8()), ("a", pa.int8())])}, "must have a schema"),
        ({"sorted_by": ("two",)}, "has 'two' in sorted_by"),
        ({"partitions": ("two",)}, "has 'two' in partitions"),
        ({"partitions": ("one", "day")}, "has no column that is no partition"),
        ({"schema": pa.schema([("x", pa.float64())]), "partitions": ("x",)}, "cannot be divided by 'x'"),
        ({"__annotations__": {"step": "list[int]"}, "step": None}, "has an option 'step' of a type"),
    ],
)
def test_a_faulty_view_is_named_with_its_source(attributes, said):
    with pytest.raises(ChimeraError, match=rf"source 'some' \(.*Some\): view Made {said}"):
        offered(**attributes)


def test_a_view_that_is_no_frozen_dataclass_or_no_view_is_refused():
    with pytest.raises(ChimeraError, match="must be a frozen dataclass"):
        views_of(source_with(Ones))
    with pytest.raises(ChimeraError, match="for a view; it must be a class derived from View"):
        views_of(source_with(int))
    one = dataclass(frozen=True)(type("Made", (Ones,), {}))
    with pytest.raises(ChimeraError, match="gave two views named 'ones'"):
        views_of(source_with(one, one))


def test_true_and_false_and_numbers_are_read_from_text():
    @dataclass(frozen=True)
    class Typed(Ones):
        whole: int = 1
        on: bool = False
        kind: Literal["a", "b"] | None = None

    made = make_view(source_with(Typed), "ones", "whole=3, on=yes, kind=b")
    assert (made.whole, made.on, made.kind) == (3, True, "b")
    for text in ("whole=1.5", "on=maybe", "kind=c"):
        with pytest.raises(OptionRefusedError):
            make_view(source_with(Typed), "ones", text)
    with pytest.raises(OptionRefusedError):
        make_view(source_with(Typed), "ones", {"whole": True})


@pytest.mark.parametrize(
    ("given", "option", "said"),
    [
        ({"format": "parquet"}, "format", "raw lines are written as they are"),
        ({"partition_by": "date"}, "partition_by", "is of a view"),
        ({"max_bad_lines": 3}, "max_bad_lines", "is of a view"),
        ({"view_options": "a=b"}, "view_options", "is of a view"),
        ({"view": "readings", "format": "csv", "shards": 3}, "shards", "not to be had of format csv"),
        ({"view": "readings", "partition_by": "date"}, "partition_by", "ask for parquet"),
        (
            {"view": "readings", "format": "parquet", "partition_by": "line"},
            "partition_by",
            "no partition of view readings is named 'line'; there are: date, station",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_option(given, option, said):
    with pytest.raises(OptionRefusedError, match=said) as caught:
        find_view(JobOptions(source="weather", **given))
    assert caught.value.option == option


def test_raw_lines_have_no_view_and_another_sources_view_is_refused():
    assert find_view(JobOptions()) is None
    with pytest.raises(RefusedError, match="no view of source ndjson is named 'readings'; there are: raw"):
        find_view(JobOptions(view="readings"))

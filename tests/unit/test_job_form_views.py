"""The views and formats that a form offers, and what it says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chimera_nb.widgets.job_form.choices import Choices
from chimera_nb.widgets.job_form.model import Fields, check
from chimera_nb.widgets.job_form.selected import selection
from chimera_nb.widgets.job_form.view_choice import offered_views, view_problems
from chimera_nb.widgets.job_form.widget import JobForm
from chimera_nb.widgets.job_form.words import hints
from tests.fixtures.weather import offer_weather

CHOSEN = selection(["gs://history/2026/"])


@pytest.fixture(autouse=True)
def weather(monkeypatch):
    offer_weather(monkeypatch)


def checked(**fields):
    form = replace(Fields(bucket="results", source="weather"), **fields)
    return check(form, CHOSEN, ("weather", "ndjson")).job


def test_the_views_of_each_source_are_offered():
    views = offered_views(["ndjson", "weather", "of a package that is gone"])
    (readings,) = views["weather"]
    assert (readings.name, readings.description, readings.partitions) == (
        "readings",
        "one row a reading",
        ("station", "date"),
    )
    assert "unit: celsius or fahrenheit (celsius)" in readings.options
    shown = Choices(sources={"weather": "some"}, views=views).shown()
    assert shown.views == {"weather": (("readings", "readings: one row a reading"),)}
    assert shown.formats == ("ndjson", "parquet", "csv", "xlsx")
    assert "ndjson" not in views


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, None),
        ({"view": "readings", "format": "parquet", "partition_by": "date", "view_options": "least=3"}, None),
        ({"view": "races"}, "view"),
        ({"view": "readings", "view_options": "unit=kelvin"}, "view_options"),
        ({"view": "readings", "format": "csv", "partition_by": "date"}, "partition_by"),
        ({"view": "readings", "format": "parquet", "shards": "3"}, "shards"),
        ({"source": "ndjson", "view": "readings"}, "view"),
    ],
)
def test_what_does_not_do_is_said_at_its_field(fields, problem):
    assert list(view_problems(checked(**fields))) == ([problem] if problem else [])


def test_what_was_of_the_view_before_is_left_open_once_another_is_chosen():
    form = Fields(
        view="readings", view_options="a=b", partition_by="date", format="parquet", max_bad_lines="3"
    )
    assert form.rechosen("bucket") == form
    other = replace(form, view="others").rechosen("view")
    assert (other.view_options, other.partition_by, other.format, other.max_bad_lines) == (
        "",
        "",
        "parquet",
        "3",
    )
    raw = replace(form, view="").rechosen("view")
    assert (raw.format, raw.max_bad_lines) == ("", "")
    assert replace(form, source="ndjson").rechosen("source").view == ""


def test_the_options_of_a_view_are_said_under_their_field():
    views = Choices(views=offered_views(["weather"]))
    form = Fields(source="weather", view="readings")
    said = hints(form, {}, None, {}, view=views.view("weather", "readings"))
    assert said["view"].text == "One row a reading."
    assert "unit: celsius or fahrenheit (celsius)" in said["view_options"].text
    assert said["partition_by"].text == "Parquet by station, date."
    assert "as they are" in hints(Fields(), {}, None, {})["view"].text


def test_a_form_may_begin_with_a_view():
    form = JobForm(["gs://history/"], target="gs://r/x", source="weather", view="readings", format="parquet")
    values = form._fields["values"]
    assert (values["view"], values["format"]) == ("readings", "parquet")
    assert "--view readings" in form._code["command"]
    assert "format='parquet'" in form._code["cell"]

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from rich.text import Text

from chimera_nb.cli import display, job_display
from chimera_nb.cli.table import Column, print_hanging, print_table
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.transitions import Change, advance
from pipeline.spec import JobSpec
from pipeline.storage import Entry

URI = "gs://betfair-history-archive/horse-racing/ADVANCED/2016/Jan/1/27636936/1.122738720.bz2"


def console(*, width: int, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system=None,
        highlight=False,
        soft_wrap=True,
    )


@pytest.fixture(params=[(80, False), (80, True), (140, True), (20, True)], ids=lambda p: f"{p[0]}-{p[1]}")
def printed(request, monkeypatch):
    """What is printed on stdout and on stderr, in a pipe or on a terminal of that width."""
    width, terminal = request.param
    out, err = console(width=width, terminal=terminal), console(width=width, terminal=terminal)
    monkeypatch.setattr(display, "out", out)
    monkeypatch.setattr(display, "err", err)
    return lambda: (out.file.getvalue(), err.file.getvalue(), width, terminal)


def record(lines: int) -> JobRecord:
    spec = JobSpec(
        ("gs://in/a/",), f"gs://results/{'deep/' * 12}out", "2026-01-31-1a2b3c4d", source="betfair"
    )
    progress = {"filesComplete": 12_345_678, "filesFailed": 1_234, "lines": lines}
    return advance(
        JobRecord.from_spec(spec, runner="direct"), Change(progress=progress), "2026-02-01T00:00:00.000Z"
    )


def test_a_uri_is_never_cut(printed):
    objects = [Entry(URI, 70_000, 1, updated="2026-01-01T00:00:00.000Z"), Entry(URI + "2", 5, 1)]
    display.print_listing(["gs://betfair-history-archive/a folder/"], objects)
    said, _, _, terminal = printed()
    lines = said.splitlines()
    assert len(lines) == 3
    assert [line.split("\t" if not terminal else "  ")[-1].strip() for line in lines[1:]] == [URI, URI + "2"]
    assert "70.0 kB" in lines[1]
    assert "…" not in said


def test_numbers_and_ids_of_jobs_are_never_cut(printed):
    made = record(4_000_000_000)
    job_display.print_jobs((made,))
    said, told, width, terminal = printed()
    head, line = said.splitlines()
    for whole in ("2026-01-31-1a2b3c4d", "1,234", "4,000,000,000", made.spec["target"]):
        assert whole in line
    if terminal and width == 80:
        assert told == "left out at 80 columns: created, source, files (--json has them)\n"
        assert "created" not in head
    elif not terminal or width == 140:
        assert told == ""
        assert "12,346,912" in line  # files that failed are among them
    assert head.split() == [
        name for name in head.split() if name in {c.name for c in job_display._JOB_COLUMNS}
    ]


def test_a_job_that_was_asked_to_end_is_listed_as_cancelling(printed):
    asked = Change(cancel_requested_at="2026-02-01T00:00:01.000Z")
    made = advance(record(1), asked, "2026-02-01T00:00:01.000Z")
    job_display.print_jobs((made,))
    assert "cancelling" in printed()[0]
    assert job_display.headline(made) == "cancelling"


def test_a_pipe_gets_one_record_a_line_with_tabs_between_whole_values():
    out = console(width=10, terminal=False)
    columns = (Column("a"), Column("b", right=True))
    print_table(out, out, columns, [(Text("x" * 50), Text("1")), (Text(""), Text("y" * 50))], header=True)
    assert out.file.getvalue() == f"a\tb\n{'x' * 50}\t1\n\t{'y' * 50}\n"


def test_columns_are_aligned_by_what_a_terminal_shows():
    out = console(width=60, terminal=True)
    columns = (Column("n", right=True), Column("name"), Column("uri"))
    rows = [(Text("5"), Text("日本"), Text("u")), (Text("1,000"), Text("abc"), Text("v"))]
    print_table(out, out, columns, rows, header=False)
    assert out.file.getvalue().splitlines() == ["    5  日本  u", "1,000  abc   v"]


def test_what_goes_on_has_printed_its_document_by_then(monkeypatch):
    """`chimera dash --json` in a pipe: whoever started it waits for the address."""
    pipe = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(pipe))
    display.print_json({"url": "http://localhost:1/"})
    assert json.loads(pipe.getvalue()) == {"url": "http://localhost:1/"}


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_long_line_goes_on_below_where_it_began_and_no_word_of_it_is_broken(width):
    said = f"dataflow  project betfair-archive-prod  temp_location {URI}  max_workers 20"
    on_terminal, in_pipe = console(width=width, terminal=True), console(width=width, terminal=False)
    for out in (on_terminal, in_pipe):
        print_hanging(out, Text("  runner    "), said, 12)
    assert in_pipe.file.getvalue() == f"  runner    {said}\n"
    first, *rest = on_terminal.file.getvalue().splitlines()
    assert first.startswith("  runner    dataflow")
    assert all(line.startswith(" " * 12) and line[12] != " " for line in rest)
    assert bool(rest) == (width < 12 + len(said))
    assert " ".join([first, *rest]).split() == ["runner", *said.split()]
    assert all(len(line) <= max(width, 36) or URI in line for line in (first, *rest))

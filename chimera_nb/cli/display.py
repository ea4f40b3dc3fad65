"""What the command line prints, for a person's eyes: texts, listings, progress, and JSON.

Text from outside is never read as rich's markup, and says nothing to the terminal: all of it goes through `text`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from chimera_nb.cli.table import Column, print_table
from chimera_nb.job_progress import colour_of, lines_on, terminal_bar
from chimera_nb.jobs.document import brief
from chimera_nb.jobs.record import JobRecord
from chimera_nb.units import size
from pipeline.printable import printable
from pipeline.storage import Entry

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def text(said: str, style: str = "") -> Text:
    """What is printed, on one line, as it is meant to be seen (`pipeline.printable`)."""
    return Text(printable(said), style=style)


def print_json(document: Any) -> None:
    """One JSON document on stdout, there at once: a command that goes on may be read through a pipe."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def when(stamp: str | None) -> str:
    """A time of the record in this machine's zone; a text that is no time as it is, cut short."""
    try:
        return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M:%S}" if stamp else "-"
    except (ValueError, OverflowError):
        return brief(stamp)


def status_text(record: JobRecord) -> Text:
    return Text(record.status_word, style=colour_of(record))


def print_listing(folders: Sequence[str], objects: Sequence[Entry]) -> None:
    columns = (Column("size", right=True), Column("updated"), Column("uri"))
    rows = [(Text(), Text(), text(folder)) for folder in folders]
    rows += [(Text(size(entry.size)), Text(when(entry.updated)), text(entry.uri)) for entry in objects]
    print_table(out, err, columns, rows, header=False)


@contextmanager
def job_progress(*, quiet: bool) -> Iterator[Callable[[JobRecord], None]]:
    """A function to call with each new state of a job: a live bar on a terminal, a line at each step elsewhere."""
    if quiet:
        yield lambda _: None
    elif err.is_terminal:
        with terminal_bar(err) as show:
            yield show
    else:
        yield lines_on(err)

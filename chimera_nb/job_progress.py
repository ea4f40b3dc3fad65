"""The progress of a job for whoever waits for it: a bar in a notebook, a bar on a terminal, lines elsewhere.

Each gives a function that is called with every new state of the job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.standing import file_counts, fraction_done, lines_of, unit_of
from chimera_nb.machine.kernel import cell_bar, in_kernel
from chimera_nb.units import plural, size
from pipeline.printable import printable

STATUS_COLOURS = {
    Status.PENDING: "yellow",
    Status.RUNNING: "cyan",
    Status.COMPLETE: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "magenta",
}
_PARTIAL = "dark_orange"  # complete, but for files that failed
Show = Callable[[JobRecord], None]


def colour_of(record: JobRecord) -> str:
    """What a record's status is written in on a terminal."""
    return _PARTIAL if record.shade == "partial" else STATUS_COLOURS[record.status]


@contextmanager
def bar_where_one_shows() -> Iterator[Show]:
    """A bar under the cell in a kernel, on stderr where that is a terminal; elsewhere nothing is shown."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if in_kernel():
        with notebook_bar() as show:
            yield show
    elif console.is_terminal:
        with terminal_bar(console) as show:
            yield show
    else:
        yield lambda _: None


@contextmanager
def notebook_bar() -> Iterator[Show]:
    """A bar under the cell, which goes when the waiting is over."""
    with cell_bar() as show:
        yield lambda record: show(*files_of(record), printable(in_words(record)))


@contextmanager
def terminal_bar(console: Console) -> Iterator[Show]:
    """A bar that stays where it was when the waiting is over."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as shown:
        task = shown.add_task("pending", total=None, text="")

        def show(record: JobRecord) -> None:
            done, listed = files_of(record)
            fraction = fraction_done(record)
            shown.update(
                task,
                description=f"[{colour_of(record)}]{escape(record.status_word)}[/]",
                completed=fraction or 0,
                total=None if fraction is None else 1.0,
                text=f"{done:,} of {plural(listed, 'file')}  {_numbers(record)}",
            )

        yield show


def lines_on(console: Console) -> Show:
    """A line for each quarter of the files and for each status."""
    said: set[tuple[str, int]] = set()

    def show(record: JobRecord) -> None:
        done, listed = files_of(record)
        step = (record.status_word, done * 4 // listed if listed else 0)
        if step not in said:
            said.add(step)
            console.print(Text(printable(in_words(record))))

    return show


def files_of(record: JobRecord) -> tuple[int, int]:
    """How many files are done, failed and skipped ones among them, and how many there are as far as they are listed."""
    counts = file_counts(record)
    return counts.done, counts.listed or 0


def in_words(record: JobRecord) -> str:
    """How the job stands, on one line."""
    done, listed = files_of(record)
    return f"{record.status_word}: {done:,} of {plural(listed, 'file')}  {_numbers(record)}"


def _numbers(record: JobRecord) -> str:
    numbers, counts = record.progress, file_counts(record)
    failed = f"{counts.failed:,} failed  " if counts.failed else ""
    skipped = f"{counts.skipped:,} skipped  " if counts.skipped else ""
    in_all = numbers.get("bytesListed")
    stored = f"{size(numbers.get('compressedBytes'))} of {size(in_all)} read  " if in_all else ""
    speed = size(numbers.get("rawBytesPerSecond"))
    lines = lines_of(record)
    wrote = "" if lines is None else f"  {plural(lines, unit_of(record))}"
    return f"{failed}{skipped}{stored}{size(numbers.get('rawBytes'))} raw  {speed}/s{wrote}"

"""catalogue."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir, UserProject
from chimera_nb.session import connect
from chimera_nb.units import plural, size
from pipeline.errors import RefusedError
from pipeline.inputs.path_list import as_lines

if TYPE_CHECKING:
    from chimera_nb.data.catalogue.catalogue import Catalogue
    from chimera_nb.data.catalogue.make import CatalogueProgress

_SHOWN = 20  # of what is missing or failed


def register(app: typer.Typer) -> None:
    app.command()(catalogue)


def catalogue(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Folders, archives, objects or globs: gs:// or local."),
    ],
    *,
    source: Annotated[
        str | None,
        typer.Option(help="The source whose files they are; left out, the first that has any there."),
    ] = None,
    sport: Annotated[
        list[str] | None, typer.Option(help="Only these: an event type's id or name. May be repeated.")
    ] = None,
    country: Annotated[list[str] | None, typer.Option(help="Only these countries.")] = None,
    market_type: Annotated[list[str] | None, typer.Option(help="Only these market types.")] = None,
    venue: Annotated[list[str] | None, typer.Option(help="Only these venues.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Only events of these names.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACET=VALUE", help="Only this value of a facet; none after the = for no value."
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="From this day on: 2020-01-31.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Up to this day, and on it.")] = None,
    ids: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Only these ids, in a column market_id or the first."),
    ] = None,
    values: Annotated[int, typer.Option(min=1, help="How many values of a facet are shown.")] = 10,
    as_list: Annotated[
        bool,
        typer.Option(
            "--list", help="Print the matching files, one a line: what submit takes by --paths-from."
        ),
    ] = False,
    user_project: UserProject = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what is in files, and choose files by it; only what is new is read.

    Values of one facet are alternatives. The catalogue is kept in the data folder, for the next time.
    """
    from chimera_nb.data.catalogue.catalogue import catalogue as made

    session = connect(paths, data_dir=data_dir)
    named = {"event_type_id": sport, "country": country, "market_type": market_type}
    asked = _asked(where, {**named, "venue": venue, "event_name": event})
    store = session.store.billed_to(user_project)
    with _progress() as show:
        found = made(paths, source=source, on_progress=show, store=store, session=session)
    found = found.filter(since=since, until=until, **asked)
    if ids is not None:
        found = found.of_ids(ids)
    if as_json:
        display.print_json(_document(found))
    elif as_list:
        lines = "".join(f"{line}\n" for line in as_lines(found.uris))
        sys.stdout.buffer.write(lines.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    else:
        _print_counts(found, values)
    if not as_json:
        _print_problems(found)


def _asked(where: list[str] | None, named: dict[str, list[str] | None]) -> dict[str, list[str | None]]:
    asked: dict[str, list[str | None]] = defaultdict(list)
    for name, given in named.items():
        if given:
            asked[name] += given
    for one in where or ():
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise RefusedError(f"--where {one!r} is no condition; write it as country=GB")
        asked[name].append(value or None)
    return dict(asked)


@contextmanager
def _progress() -> Iterator[Callable[[CatalogueProgress], None]]:
    """How far it is, on a terminal."""
    if not sys.stderr.isatty():  # rich takes a pipe for a terminal where FORCE_COLOR is set
        yield lambda _: None
        return
    with display.err.status("listing") as status:
        yield lambda progress: status.update(progress.text)


def _document(found: Catalogue) -> dict[str, Any]:
    return {
        "files": found.files,
        "rows": len(found),
        "bytes": found.size,
        "facets": {
            facet: [
                {"value": value, "name": found.word(facet, value), "count": count}
                for value, count in counts.items()
            ]
            for facet, counts in found.counts().items()
        },
        "uris": found.uris,
        "failed": [{"uri": uri, "error": error} for uri, error in found.failed.items()],
        "missing": list(found.missing),
    }


def _print_counts(found: Catalogue, values: int) -> None:
    for facet, counts in found.counts().items():
        display.out.print(display.text(f"{facet}: {plural(len(counts), 'value')}"))
        for value, count in list(counts.items())[:values]:
            word = found.word(facet, value)
            shown = word if value is None or word == value else f"{value} {word}"
            display.out.print(display.text(f"    {count:>9,}  {shown}"))
        if len(counts) > values:
            display.out.print(display.text(f"               and {len(counts) - values:,} more (--values)"))
    matching = plural(len(found.uris), "file")
    display.out.print(
        display.text(f"{matching} of {found.files:,} match, {size(found.size)}; --list prints them")
    )


def _print_problems(found: Catalogue) -> None:
    failed = found.failed
    if failed:
        display.err.print(display.text(f"{plural(len(failed), 'file')} cannot be read:"))
        for uri, error in list(failed.items())[:_SHOWN]:
            display.err.print(display.text(f"    {uri}: {error}"))
        if len(failed) > _SHOWN:
            display.err.print(display.text(f"    and {len(failed) - _SHOWN:,} more (--json has all)"))
    if found.missing:
        few = ", ".join(found.missing[:_SHOWN])
        more = f" and {len(found.missing) - _SHOWN:,} more" if len(found.missing) > _SHOWN else ""
        are = "is" if len(found.missing) == 1 else "are"
        said = f"{plural(len(found.missing), 'id')} of the list {are} in no file: {few}{more}"
        display.err.print(display.text(said))

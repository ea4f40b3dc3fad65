"""peek, views."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir
from chimera_nb.session import connect


def register(app: typer.Typer) -> None:
    app.command()(peek)
    app.command()(views)


def peek(
    uri: Annotated[str, typer.Argument(metavar="URI", help="One file: gs:// or local.")],
    n: Annotated[int, typer.Option("-n", min=1, help="How many records, or rows of a view.")] = 10,
    view: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Show the rows of this view; `chimera views` lists them."),
    ] = None,
    view_options: Annotated[
        str | None, typer.Option(metavar="NAME=VALUE,...", help="The view's own options.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="The source whose view it is, where several have one of the name."),
    ] = None,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the first records of a file, or the first rows that a view makes of it."""
    from chimera_nb.data.sampling.sample import peek as first_of

    session = connect([uri], data_dir=data_dir)
    frame = first_of(uri, n, view=view, view_options=view_options, source=source, session=session)
    if as_json:
        text = frame.to_json(orient="records", date_format="iso", default_handler=str)
        display.print_json({"uri": uri, "view": view, "rows": json.loads(text)})
    else:
        display.out.print(display.text(frame.to_string(index=False, max_colwidth=40)))


def views(
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help="Only those of this source.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the views of the sources: what a row is, the options, and by what the output may be divided."""
    from pipeline.sources import get_source, source_names
    from pipeline.sources.view_options import options_of
    from pipeline.sources.views import views_of

    found: list[dict[str, Any]] = [
        {
            "source": name,
            "view": view.name,
            "description": view.description,
            "options": [option.text for option in options_of(view)],
            "sortedBy": list(view.sorted_by),
            "partitions": list(view.partitions),
            "columns": [{"name": field.name, "type": str(field.type)} for field in view.schema],
        }
        for name in ([source] if source else source_names())
        for view in views_of(get_source(name)).values()
    ]
    if as_json:
        display.print_json(found)
        return
    if not found:
        display.out.print(display.text(f"{source or 'no source here'} offers no view"))
    for one in found:
        display.out.print(display.text(f"{one['source']} {one['view']}: {one['description']}"))
        for text in one["options"]:
            display.out.print(display.text(f"    option {text}"))
        if one["partitions"]:
            display.out.print(display.text(f"    may be divided by {', '.join(one['partitions'])}"))
        names = ", ".join(column["name"] for column in one["columns"])
        display.out.print(display.text(f"    columns {names}"))

"""doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir
from chimera_nb.cli.table import print_hanging
from chimera_nb.doctor.examine import SECONDS, examine
from chimera_nb.doctor.finding import Finding, State
from chimera_nb.units import plural
from pipeline.printable import printable

_WIDTH = 16  # of the checks' names; one of a bucket or an index may be longer
_COLOURS = {State.OK: "green", State.OFF: "dim", State.FAULT: "red"}


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    buckets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="gs://BUCKET...",
            help="Buckets to be read, besides those of the settings.",
            show_default=False,
        ),
    ] = None,
    *,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="gs://BUCKET", help="A bucket to be written; may be repeated.", show_default=False
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long to wait for answers.")] = SECONDS,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Look at what is installed, found and reachable, and say what to do where something is not in order.

    Changes nothing. Exit 0 all is in order, 1 something needs its remedy, 2 the input was refused.
    """
    findings = examine(data_dir, read=buckets or (), write=target or (), seconds=seconds)
    faults = [finding for finding in findings if finding.state is State.FAULT]
    if as_json:
        display.print_json({"ok": not faults, "findings": [finding.to_json() for finding in findings]})
    else:
        for finding in findings:
            _print(finding)
        said = f"{plural(len(faults), 'thing')} to mend" if faults else "all in order"
        display.out.print(display.text(said, "bold"))
    if faults:
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    head = display.text("").append(f"{finding.state.value:<5}", style=_COLOURS[finding.state])
    head.append(printable(f"  {finding.check:<{_WIDTH}}  "))
    print_hanging(display.out, head, printable(finding.says), 5 + 2 + _WIDTH + 2)
    if finding.remedy:
        before = "remedy" if finding.state is State.FAULT else "to use it"
        display.out.print(display.text(f"       {before}: {finding.remedy}"))

"""demo: the main job, on data made for it, and then the dashboard over it, as a newcomer sees it first."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from chimera_nb.cli import display, job_display
from chimera_nb.cli.dash_command import check_home, serve_dashboard
from chimera_nb.cli.job_commands import failures_of, skipped_of
from chimera_nb.cli.options import DataDir
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.local import stack
from chimera_nb.local.demo.bucket import BUCKET, RESULTS, put_demo
from chimera_nb.session import connect
from chimera_nb.settings import load_settings
from chimera_nb.units import size
from pipeline.storage import Store
from pipeline.target.results import output_lines

_LINES_SHOWN = 3
_LINE_WIDTH = 160


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the job, and stop the stack if it was started.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Run the main job on the local stack, over a few hundred markets made for it, some of them broken.

    Then serve the dashboard, until Ctrl-C stops it and the stack.
    """
    if not once:
        check_home()
    folder = load_settings(data_dir).folder
    ran_before = stack.find(folder) is not None
    running = stack.start(folder)
    try:
        _say(f"local stack   {running.storage_endpoint}, its data in {running.data_dir}")
        # The demo is of its own stack, whatever store a shell has been led to.
        settings = replace(load_settings(folder), storage_endpoint=running.storage_endpoint)
        session = connect([f"gs://{BUCKET}/"], settings=settings)
        made = put_demo(session.store)
        _say(f"demo data     {made.files:,} markets, {size(made.bytes)}, in {made.inputs}")
        record = _run(session.service)
        if not once:
            _say("")
            _say(f'Lead another shell to the stack with:  eval "$(chimera env --data-dir {folder})"')
            _serve(running)
    finally:
        if not ran_before:
            stack.stop(folder)
    if record.status is not Status.COMPLETE:
        raise typer.Exit(1)


def _run(service: JobService) -> JobRecord:
    record = service.submit(
        [f"gs://{BUCKET}/"], f"gs://{RESULTS}/{_next_target(service.store)}", source="betfair"
    )
    _say(f"job           {record.job_id}")
    with display.job_progress(quiet=False) as show:
        record = service.wait(record.job_id, show)
    _say(job_display.headline(record))
    job_display.print_left_out(record, skipped_of(service, record))
    job_display.print_failures(failures_of(service, record))
    if record.status is Status.COMPLETE:
        target = f"gs://{record.target_bucket}/{record.output_prefix}"
        _say(f"  the first {_LINES_SHOWN} lines of {target}/output/")
        for line in output_lines(service.store, target, _LINES_SHOWN):
            text = line.decode("utf-8", "replace")
            _say(f"    {text[:_LINE_WIDTH]}{'...' if len(text) > _LINE_WIDTH else ''}")
    return record


def _serve(running: stack.Stack) -> None:
    from chimera_nb.server.options import DashboardOptions

    options = DashboardOptions(environment=running.exports())
    serve_dashboard(options, browser=sys.stdout.isatty())


def _next_target(store: Store) -> str:
    taken = {
        folder.rstrip("/").rpartition("/")[2]
        for page in store.list_folder(f"gs://{RESULTS}/")
        for folder in page.folders
    }
    return next(name for number in range(1, 1_000_000) if (name := f"run-{number:03d}") not in taken)


def _say(text: str) -> None:
    display.out.print(display.text(text))

"""demo: the main job, on data made for it, as a newcomer sees it first."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer
from rich.text import Text

from chimera_nb.cli import display
from chimera_nb.cli.job_commands import failures_of
from chimera_nb.cli.places import DataDir
from chimera_nb.connect import connect
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.local import stack
from chimera_nb.local.demo_data import demo_files
from chimera_nb.settings import load_settings
from pipeline import storage
from pipeline.results import output_lines

BUCKET, RESULTS = "chimera-demo", "chimera-demo-results"
_UPLOADS = 8  # at a time
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
    """Run the main job on the local stack, over a few hundred markets made for it, some of them broken."""
    folder = load_settings(data_dir).folder
    ran_before = stack.find(folder) is not None
    running = stack.start(folder)
    try:
        os.environ.update(running.exports())
        _say(f"local stack   {running.storage_endpoint}, its data in {running.data_dir}")
        _say(f"demo data     {_upload()}")
        record = _run(JobService(connect(data_dir=folder)))
    finally:
        if once and not ran_before:
            stack.stop(folder)
    if not once:
        _say(f'\nThe stack stays up. Lead a shell to it with:  eval "$(chimera env --data-dir {folder})"')
        _say(f"Look at the job:  chimera jobs show {record.job_id}     Stop the stack:  chimera down")
    if record.status is not Status.COMPLETE:
        raise typer.Exit(1)


def _upload() -> str:
    """Put the demo's files where they are not yet; what is there now, in words."""
    for bucket in (BUCKET, RESULTS):
        if not storage.bucket_exists(bucket):
            storage.make_bucket(bucket)
    there = {entry.uri: entry.size for entry in storage.list_objects(f"gs://{BUCKET}/")}

    def put(uri: str, data: bytes) -> int:
        if there.get(uri) != len(data):
            storage.write_bytes(uri, data)
        return len(data)

    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="put-demo") as pool:
        sizes = [pool.submit(put, f"gs://{BUCKET}/{file.name}", file.data) for file in demo_files()]
        total = sum(size.result() for size in sizes)
    return f"{len(sizes):,} markets, {display.size(total)}, in gs://{BUCKET}/"


def _run(service: JobService) -> JobRecord:
    record = service.submit([f"gs://{BUCKET}/"], f"gs://{RESULTS}/{_next_target()}", source="betfair")
    _say(f"job           {record.job_id}")
    with display.job_progress(quiet=False) as show:
        record = service.wait(record.job_id, show)
    _say(display.headline(record))
    display.print_failures(failures_of(record))
    if record.status is Status.COMPLETE:
        target = f"gs://{record.target_bucket}/{record.output_prefix}"
        _say(f"  the first {_LINES_SHOWN} lines of {target}/output/")
        for line in output_lines(target, _LINES_SHOWN):
            text = line.decode("utf-8", "replace")
            _say(f"    {text[:_LINE_WIDTH]}{'...' if len(text) > _LINE_WIDTH else ''}")
    return record


def _next_target() -> str:
    taken = {
        folder.rstrip("/").rpartition("/")[2]
        for page in storage.list_folder(f"gs://{RESULTS}/")
        for folder in page.folders
    }
    return next(name for number in range(1, 1_000_000) if (name := f"run-{number:03d}") not in taken)


def _say(text: str) -> None:
    display.out.print(Text(text))

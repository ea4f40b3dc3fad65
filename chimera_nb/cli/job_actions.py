"""jobs cancel, retry, clone, sync."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from chimera_nb.cli import display, job_display, plan_display
from chimera_nb.cli.dry_run import plan_of
from chimera_nb.cli.job_commands import follow, jobs
from chimera_nb.cli.options import AsJson, DataDir, Overwrite
from chimera_nb.jobs.record import Status
from chimera_nb.session import connect

JobId = Annotated[str, typer.Argument(metavar="ID", help="As `chimera jobs list` shows it.")]
Target = Annotated[
    str | None, typer.Option(help="Where to. Left out: a folder beside the first job's.", show_default=False)
]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until the job has ended, and show its progress.")]
_CANCELS_WITHIN = 60.0  # seconds


@jobs.command("cancel")
def cancel(job_id: JobId, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """End a job; nothing of its output stays. Waits until it has ended."""
    service = connect(data_dir=data_dir).service
    service.cancel(job_id)
    record = service.wait(job_id, seconds=_CANCELS_WITHIN)
    if as_json:
        display.print_json(job_display.document_of(record))
    else:
        still = "" if record.status.is_final else f"; see when it has ended with: chimera jobs show {job_id}"
        display.out.print(display.text(f"job {job_id} is {record.status_word}{still}"))
    if record.status is not Status.CANCELLED:
        raise typer.Exit(1)


@jobs.command("retry")
def retry(
    job_id: JobId,
    *,
    target: Target = None,
    overwrite: Overwrite = False,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Submit a new job over just the files of this one that failed."""
    service = connect(data_dir=data_dir).service
    if not as_json and (told := service.retry_outlook(job_id).text):
        display.err.print(display.text(told))
    record = service.retry(job_id, target, overwrite=overwrite)
    follow(service, record, wait=wait, as_json=as_json)


@jobs.command("clone")
def clone(
    job_id: JobId,
    *,
    target: Target = None,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the job would read and what not, and submit nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; only a terminal is asked.")] = False,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Submit the same job again, with every parameter of it but the target. What will run is shown before it does."""
    session = connect(data_dir=data_dir)
    service = session.service
    again = service.copy_of(job_id, target, overwrite=overwrite)
    if not as_json:
        plan_display.print_again(job_id, again)
    if dry_run:
        plan_display.print_plan(plan_of(session, again.inputs, again.target, again.options), as_json=as_json)
        return
    if not (yes or as_json) and sys.stdin and sys.stdin.isatty() and display.err.is_terminal:
        typer.confirm("Run it?", default=True, err=True, abort=True)
    record = service.clone(job_id, again.target, overwrite=overwrite)
    follow(service, record, wait=wait, as_json=as_json)


@jobs.command("sync")
def sync(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Bring every job that has not ended up to date: with Dataflow, and with the processes of this machine."""
    service = connect(data_dir=data_dir).service
    ended = service.sync()
    if as_json:
        display.print_json({"ended": [job_display.document_of(record) for record in ended]})
    else:
        for record in ended:
            display.out.print(display.text(f"{record.job_id} {job_display.headline(record)}"))
        display.err.print(f"{len(ended):,} jobs have ended")

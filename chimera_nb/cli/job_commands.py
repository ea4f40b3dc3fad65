"""submit, sources, jobs list, jobs show."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from chimera_nb.cli import display, job_display, plan_display
from chimera_nb.cli.dry_run import plan_of
from chimera_nb.cli.option_parameters import expanded
from chimera_nb.cli.options import AsJson, DataDir
from chimera_nb.cli.schedule import schedule_of
from chimera_nb.cli.slow_files import slowness_of
from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.failures import Failures
from chimera_nb.jobs.failures import failures_of as failed_of
from chimera_nb.jobs.left_out import left_out
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.session import connect
from chimera_nb.widgets.job_form.foretold import foretold
from pipeline.errors import NothingNewError, RefusedError, StorageError
from pipeline.inputs.path_list import parse_paths
from pipeline.job_options import LAST, JobOptions
from pipeline.ledger import FileRecord
from pipeline.spec import JobSpec
from pipeline.target.results import ledger_records

jobs = typer.Typer(help="Look at the jobs on record.", no_args_is_help=True)
_SKIPPED_SHOWN = 5
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def register(app: typer.Typer) -> None:
    app.command()(submit)
    app.command()(sources)
    app.add_typer(jobs, name="jobs")


@expanded(job=JobOptions, how=DataflowOptions)
def submit(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...", help="Folders, objects or globs: gs:// or local.", show_default=False
        ),
    ] = None,
    *,
    target: Annotated[str, typer.Option(help="The folder that takes output/, ledger/ and summary.json.")],
    paths_from: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(metavar="FILE", help="More paths, one a line; - is standard input.", show_default=False),
    ] = None,
    job: dict[str, Any],
    runner: Annotated[
        str,
        typer.Option(
            help="direct: a process of its own on this machine. dataflow: Google Dataflow, or its local double."
        ),
    ] = "direct",
    how: dict[str, Any],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the job would read and what not, and submit nothing.")
    ] = False,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="INTERVAL",
            help="Print what runs the job so often (30m, 6h, 1d, 1w), each time for what is new, and submit nothing.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until the job has ended, and show its progress.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Turn compressed files into sharded NDJSON.

    The job goes on when this command is interrupted. Exit 0 done, or nothing new to be done; 1 the job failed, 2 the
    input was refused.
    """
    inputs = [*(paths or ()), *(parse_paths(paths_from.read(), paths_from.name) if paths_from else ())]
    options = {name: value for name, value in how.items() if value}
    if every is not None:
        spec = JobSpec(tuple(inputs), target, "any", **{**job, "since": job["since"] or LAST})
        plan_display.print_schedule(schedule_of(every, spec, runner, options, data_dir), as_json=as_json)
        return
    session = connect((*inputs[:1], target), data_dir=data_dir)
    if dry_run:
        plan_display.print_plan(
            plan_of(session, inputs, target, job, runner=runner, options=options), as_json=as_json
        )
        return
    service = session.service
    told = foretold(session, inputs, target, job, runner=runner, runner_options=options)
    try:
        record = service.submit(inputs, target, runner=runner, runner_options=options, forecast=told, **job)
    except NothingNewError as e:
        plan_display.print_nothing_new(e, as_json=as_json)
        return
    follow(service, record, wait=wait, as_json=as_json)


def follow(service: JobService, record: JobRecord, *, wait: bool, as_json: bool) -> None:
    """What every command does with a job it has just submitted. Exits with 1 for one that was waited for and failed."""
    if wait:
        if not as_json:
            display.err.print(display.text(f"job {record.job_id}"))
        try:
            with display.job_progress(quiet=as_json) as show:
                record = service.wait(record.job_id, show)
        except KeyboardInterrupt:
            goes_on = f"job {record.job_id} goes on; see it with: chimera jobs show {record.job_id}"
            ends = f"end it with: chimera jobs cancel {record.job_id}"
            display.err.print(display.text(f"{goes_on}, {ends}"))
            raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        display.print_json(job_display.document_of(record))
    elif wait:
        display.out.print(display.text(job_display.headline(record)))
        job_display.print_left_out(record, skipped_of(service, record))
        job_display.print_failures(failures_of(service, record))
    else:
        text = f"job {record.job_id} is {record.status_word}; see it with: chimera jobs show {record.job_id}"
        display.out.print(display.text(text))
    if wait and record.status is not Status.COMPLETE:
        raise typer.Exit(1)


@jobs.command("list")
def list_jobs(
    *,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only jobs of this status; may be repeated.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only jobs of this source.")] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Only jobs with this in their id, paths, target, person, name, note or tags."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Only jobs of this person.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only your own jobs.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    page: Annotated[
        str | None, typer.Option(help="The token of a next page, as printed by the one before.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List jobs, newest first."""
    service = connect(data_dir=data_dir).service
    found = service.list(
        statuses=tuple(status or ()),
        source=source,
        text=text,
        created_by=service.user if mine else by,
        limit=limit,
        page_token=page,
    )
    if as_json:
        display.print_json(job_display.page_of(found))
    elif not found.entries:
        display.out.print(
            "no jobs yet; `chimera submit PATH... --target URI` makes one" if not page else "no more jobs"
        )
    else:
        job_display.print_jobs(found.entries)
        if found.next_page_token:
            display.err.print(display.text(f"more: chimera jobs list --page {found.next_page_token}"))


@jobs.command("show")
def show_job(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="As `chimera jobs list` shows it.")],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show one job: how it stands, its numbers, where its time went, the files that failed, its log."""
    service = connect(data_dir=data_dir).service
    record = service.get(job_id)
    slowness = slowness_of(service, record)
    if as_json:
        slow = {"slowness": slowness.to_json()} if slowness else {}
        display.print_json({**job_display.document_of(record), **slow})
    else:
        job_display.print_job(record, failures_of(service, record), skipped_of(service, record), slowness)


@jobs.command("label")
def label_job(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="As `chimera jobs list` shows it.")],
    *,
    name: Annotated[str | None, typer.Option(help='A name; "" takes it away.', show_default=False)] = None,
    note: Annotated[str | None, typer.Option(help='A note; "" takes it away.', show_default=False)] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            help='A tag, in place of all there are; may be repeated. "" for none.', show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Name a job, note something of it, tag it: `jobs list --text` and the page's search find it by that."""
    record = connect(data_dir=data_dir).service.describe(job_id, name=name, note=note, tags=tag or None)
    if as_json:
        display.print_json(job_display.document_of(record))
    else:
        display.out.print(
            display.text(" ".join([record.name or record.job_id, *(f"#{t}" for t in record.tags)]))
        )


def sources(*, as_json: AsJson = False) -> None:
    """List the source plugins."""
    from pipeline.sources import describe_sources

    described = describe_sources()
    if as_json:
        display.print_json(described)
    else:
        for name, description in described.items():
            display.out.print(display.text(f"{name:<12} {description}"))


def failures_of(service: JobService, record: JobRecord) -> Failures:
    """The failed files of a finished job by cause, as far as its ledger can be had."""
    if not record.status.is_final:
        return Failures()
    try:
        return failed_of(
            service.store.billed_to(record.spec.get("userProject")), record.target, record.job_id
        )
    except (StorageError, RefusedError) as e:
        display.err.print(display.text(f"the ledger cannot be read: {e}"))
        return Failures()


def skipped_of(service: JobService, record: JobRecord) -> list[FileRecord]:
    """The first files that a finished job passed over, as far as its ledger can be had."""
    return _first(service, record, "skipped", _SKIPPED_SHOWN) if left_out(record).skipped else []


def _first(service: JobService, record: JobRecord, status: str, limit: int) -> list[FileRecord]:
    if not record.status.is_final:
        return []
    try:
        store = service.store.billed_to(record.spec.get("userProject"))
        found = ledger_records(store, record.target, status=status, job_id=record.job_id)
        return list(islice(found, limit))
    except StorageError as e:
        display.err.print(display.text(f"the ledger cannot be read: {e}"))
        return []

"""verify, extract."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir
from chimera_nb.data.proof import extract as extract_lines
from chimera_nb.data.proof import verify as verify_output
from chimera_nb.session import Session
from chimera_nb.units import size
from pipeline.errors import ChimeraError, RefusedError
from pipeline.proof import Finding, Verdict

_SHOWN = 20  # of each kind

What = Annotated[str, typer.Argument(metavar="JOB|TARGET", help="A job's id, or the folder that it wrote.")]


def register(app: typer.Typer) -> None:
    app.command()(verify)
    app.command()(extract)


def verify(
    job_or_target: What,
    *,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Read and decode every file again, and compare its lines with the output."
        ),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Prove that an output is whole and of the files that are there, or say which files and shards differ.

    Exit 0 proved, 1 something differs, 2 there is no such output.
    """
    with Session(data_dir=data_dir) as session:
        verdict = verify_output(job_or_target, deep=deep, session=session)
    if as_json:
        display.print_json(verdict.to_json())
    else:
        _print(verdict)
    if not verdict.proved:
        raise typer.Exit(1)


def extract(
    job_or_target: What,
    uri: Annotated[str, typer.Argument(metavar="URI", help="The input file, or the end of its URI.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to. Left out: standard output.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Take one file's lines out of an output, checked against what was written."""
    with Session(data_dir=data_dir) as session:
        record, blocks = extract_lines(job_or_target, uri, session=session)
    if output is None:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    else:
        _write(output, blocks)
    note = f"; it failed, and these came before its fault: {record.error}" if record.error else ""
    display.err.print(display.text(f"{record.lines:,} lines of {record.uri}{note}"))


def _write(path: Path, blocks: Iterator[bytes]) -> None:
    """The name appears when the lines have proved to be those that were written."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        try:
            with part.open("wb") as file:
                file.writelines(blocks)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as e:
        if isinstance(e, ChimeraError):
            raise
        raise RefusedError(f"{path} cannot be written: {e.strerror or e}") from e


def _print(verdict: Verdict) -> None:
    checked = verdict.checked
    of_job = f" of job {verdict.job_id}" if verdict.job_id else ""
    if verdict.proved:
        display.out.print(display.text(f"proved: {verdict.target} is the whole output{of_job}", "green"))
    else:
        differences = "1 difference" if verdict.differences == 1 else f"{verdict.differences:,} differences"
        display.out.print(display.text(f"refuted: {differences} at {verdict.target}{of_job}", "red"))
    rows = {
        "files": f"{checked.get('files', 0):,} looked for, {checked.get('records', 0):,} on record",
        "shards": f"{checked.get('shards', 0):,}, {checked.get('lines', 0):,} lines, "
        f"{size(checked.get('bytes', 0))}",
        "decoded": f"{checked.get('filesCompared', 0):,} files, line by line"
        if verdict.deep
        else "none (--deep)",
    }
    for name, value in rows.items():
        display.out.print(display.text(f"  {name:<9} {value}"))
    for heading, refutes in (("differences", True), ("notes", False)):
        _print_findings(heading, [f for f in verdict.findings if f.refutes is refutes], verdict)


def _print_findings(heading: str, findings: list[Finding], verdict: Verdict) -> None:
    if not findings:
        return
    display.out.print(display.text(f"  {heading}", "bold"))
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    for kind, found in kinds.items():
        for finding in found[:_SHOWN]:
            display.out.print(display.text(f"    {kind}: {finding.uri} {finding.text}"))
        more = verdict.counts[kind] - _SHOWN
        if more > 0:
            display.out.print(display.text(f"    {kind}: and {more:,} more"))

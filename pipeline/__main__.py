"""The bare pipeline on any Beam runner: `python -m pipeline --input PATH --target URI [Beam's own options]`.

No job log and no notebook side: for data engineers, and for whatever schedules jobs already. Without --runner it
runs in this process. Exit 0 done, or nothing is new since an earlier job; 1 the job failed, 2 the input was refused;
143 and 130 ended by SIGTERM and SIGINT, with the target given back, unless its output was whole by then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from pipeline.admit import admit
from pipeline.archives.index import forget_all
from pipeline.archives.store import store_of_archives
from pipeline.beam_work import pickles_as_they_are
from pipeline.errors import ChimeraError, NothingNewError, RefusedError, StorageError
from pipeline.failure_cause import cause_of
from pipeline.imports import import_arrow, import_beam
from pipeline.inputs.since import onto_earlier
from pipeline.interruption import Interrupted, Interruptions, interruptions
from pipeline.job_options import RAW, JobOptions
from pipeline.options import Option, table
from pipeline.own_temporary import own_temporary_folder
from pipeline.printable import guard_terminal, printable
from pipeline.release import give_back
from pipeline.sources import describe_sources, is_built_in
from pipeline.spec import JobSpec
from pipeline.storage import PERSON, Patience, PlainStore, Store, bounded
from pipeline.storage.access_policy import AccessLists
from pipeline.target.lifecycle import abandon_target, begin_target, lost


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job; its summary goes to stdout as JSON."""
    spec, beam_options = _parse(arguments)
    with interruptions() as signals:
        try:
            signals.heed()
            try:
                plain = PlainStore(Patience.of_job(), user_project=spec.user_project)
                store = store_of_archives(bounded(plain, AccessLists.from_environment()))
                spec = onto_earlier(store, spec)
            except ChimeraError as e:
                return _refused(e)
            return _ended(store, spec, beam_options, signals)
        except Interrupted as e:
            print(e, file=sys.stderr)  # noqa: T201
            give_back(spec, e.exit_code)


def _refused(error: ChimeraError) -> int:
    """Say why a job is not run; the exit code."""
    if isinstance(error, NothingNewError):
        print(printable(str(error)), file=sys.stderr)  # noqa: T201
        print(json.dumps({"jobId": None, "since": error.since}, indent=2))  # noqa: T201
        return 0
    is_refused = isinstance(error, RefusedError)
    print(printable(f"{'refused' if is_refused else 'failed'}: {error}"), file=sys.stderr)  # noqa: T201
    return 2 if is_refused else 1


def _ended(store: Store, spec: JobSpec, beam_options: Sequence[str], signals: Interruptions) -> int:
    """Run the job to its end; its exit code. A signal raises Interrupted, and then nothing is given back yet."""
    try:
        patterns = admit(store, spec, lambda _: None)
    except ChimeraError as e:
        return _refused(e)
    forget_all()  # reading goes by packets, of which each has its members
    try:
        run(store, spec, patterns, beam_options)
    except Interrupted:
        raise
    except Exception as e:  # whatever the runner raises: the job came to nothing, and says why
        if signals.number is not None:  # Beam made an exception of its own of it
            raise Interrupted(signals.number) from e
        signals.hold()
        print(printable(f"failed: {cause_of(e)}"), file=sys.stderr)  # noqa: T201
        _abandon(store, spec)
        return 1
    except BaseException:
        signals.hold()
        _abandon(store, spec)
        raise
    signals.hold()
    try:
        summary = abandon_target(store, spec)  # there is nothing to abandon, unless the target was lost
        if summary is None:
            raise lost(store, spec)
    except ChimeraError as e:
        print(printable(f"failed: {e}"), file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(summary, indent=2))  # noqa: T201
    return 0


def _abandon(store: Store, spec: JobSpec) -> None:
    """Tidy up after a job that failed, if the store is there to be tidied: its patience has been spent before."""
    try:
        abandon_target(store.with_patience(PERSON), spec)
    except StorageError as e:
        text = f"left behind: what job {spec.job_id} wrote at {spec.target} ({e})"
        print(printable(text), file=sys.stderr)  # noqa: T201


def run(store: Store, spec: JobSpec, patterns: Sequence[str], beam_options: Sequence[str] = ()) -> None:
    """Run an admitted job to its end, in this process unless Beam's options name a runner.

    Its first act is to delete the result that it replaces. Raises TargetError when the target is this job's no more.
    """
    import_beam()
    import apache_beam as beam
    from apache_beam.options.pipeline_options import DirectOptions

    from pipeline.beam_options import Options
    from pipeline.graph.build import build

    options = Options(list(beam_options))
    named = any(option.split("=")[0] == "--runner" for option in beam_options)
    runner = None
    if not named:
        # Named, since Beam's DirectRunner first tries to download another one.
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner

        runner = FnApiRunner()
    begin_target(store, spec)
    with contextlib.ExitStack() as during:
        during.enter_context(own_temporary_folder(spec.job_id))
        if runner and options.view_as(DirectOptions).direct_running_mode == "in_memory":
            during.enter_context(pickles_as_they_are())
        if runner and spec.view != RAW:
            if is_built_in(spec.source):  # another may make its rows of frames
                import_arrow()
            from pipeline.read.row_makers import row_makers  # with Arrow, which lines do without

            during.enter_context(row_makers())
        root = beam.Pipeline(runner=runner, options=options)
        try:
            with root:
                build(root, store, spec, patterns)
        except Interrupted:
            # Another service's job would go on by itself. Runners that have no way to end one raise what they like.
            if (result := getattr(root, "result", None)) is not None:
                with contextlib.suppress(Exception):
                    result.cancel()
            raise


def _parse(arguments: Sequence[str] | None) -> tuple[JobSpec, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Compressed files to sharded NDJSON on any Beam runner. Options not listed here are Beam's.",
        epilog="sources: " + "; ".join(f"{name}: {text}" for name, text in describe_sources().items()),
        allow_abbrev=False,
    )
    parser.add_argument(
        "--input",
        action="append",
        required=True,
        dest="inputs",
        metavar="PATH",
        help="A folder, an object or a glob: gs://bucket/path or local. May be repeated.",
    )
    parser.add_argument(
        "--target", required=True, help="The folder that takes output/, ledger/ and summary.json."
    )
    for option in table(JobOptions):
        _add(parser, option)
    parser.add_argument("--job-id", help="Letters, digits and '-'. Left out: one is made up.")
    ours, beams = parser.parse_known_args(arguments)
    values = vars(ours)
    values["job_id"] = values["job_id"] or f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(4)}"
    try:
        return JobSpec(**{**values, "inputs": tuple(values["inputs"])}), beams
    except RefusedError as e:
        parser.exit(2, f"{printable(f'refused: {e}')}\n")


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    words = option.text.replace("%", "%%")
    if option.kind is bool:
        parser.add_argument(f"--{option.flag}", action="store_true", help=words)
        return
    parser.add_argument(
        f"--{option.flag}",
        type=option.kind,
        metavar=option.metavar or None,
        default=os.environ.get(option.variable) or option.default,
        help=f"{words} (default: {option.shown_default})" if option.shown_default else words,
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    guard_terminal()
    code = main()
    if code:
        # Threads that still wait for the store would hold the process back, and what they bring is not wanted.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

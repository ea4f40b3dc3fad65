"""A drawing as a Beam pipeline on InteractiveRunner, in this process: it wires, `lines` and `run` compute.

    CreateFiles -> DrawLines -> KeepLowest

Nothing is displayed and nothing asks a network but the reading of the files. Beam takes the types of elements
from the annotations, so they are not made strings here.
"""

import logging
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import apache_beam as beam
from apache_beam import pipeline as beam_pipeline
from apache_beam.runners.interactive import interactive_environment
from apache_beam.runners.interactive.interactive_runner import InteractiveRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from chimera_nb.data.sampling.lines import Line, Lowest
from chimera_nb.data.sampling.run import Run, SampleCancelledError
from pipeline.beam_options import Options
from pipeline.beam_work import pickles_as_they_are, spare
from pipeline.read.pool import LOCAL_THREADS, REMOTE_THREADS
from pipeline.storage import Entry

_INTERACTIVE = "apache_beam.runners.interactive"
_GROUP = 128  # files an element: their threads are shared, and a bundle has several
_runs: dict[str, Run] = {}  # by token: an element's DoFn is a copy, and a run has events and locks
_one_at_a_time = threading.Lock()  # Interactive Beam keeps its state in the process


class DrawLines(beam.DoFn):
    """A group of files -> their lines that may be in the sample. Files of a group are read side by side."""

    def __init__(self, token: str) -> None:
        self._token = token

    def process(self, group: list[Entry]) -> Iterator[Line]:
        run = _runs[self._token]
        threads = REMOTE_THREADS if group[0].uri.startswith("gs://") else LOCAL_THREADS
        pool = ThreadPoolExecutor(threads, thread_name_prefix="draw-lines")
        with (
            suppress(SampleCancelledError),
            pool,
        ):  # `take_sample` raises it again: here Beam would log a traceback
            run.check_not_cancelled()
            for lines in pool.map(run.take_sample, group):
                yield from lines


class KeepLowest(beam.CombineFn):
    """Lines -> the lowest `n` of them, in order."""

    def __init__(self, n: int) -> None:
        self._n = n

    def create_accumulator(self) -> list[Line]:
        return []

    def add_input(self, lines: list[Line], line: Line) -> list[Line]:
        lines.append(line)
        return lines if len(lines) < 2 * self._n else self._lowest(lines)

    def merge_accumulators(self, several: Iterable[list[Line]]) -> list[Line]:
        return self._lowest(line for lines in several for line in lines)

    def extract_output(self, lines: list[Line]) -> list[Line]:
        return self._lowest(lines)

    def _lowest(self, lines: Iterable[Line]) -> list[Line]:
        lowest = Lowest(self._n)
        for line in lines:
            lowest.add(line)
        return lowest.lines()


def take_sample(run: Run, files: Sequence[Entry]) -> list[Line]:
    """The sample of these files' lines, in the order of their numbers.

    Raises SampleCancelledError soon after `run.stop()`, from whatever thread; then nothing of it goes on.
    """
    while not _one_at_a_time.acquire(timeout=0.1):
        run.check_not_cancelled()
    try:
        _runs[run.token] = run
        spare()
        with (
            run.one_pass(files) as ordered,
            _leaving_no_folder(),
            pickles_as_they_are(),
            _interactive() as environment,
        ):
            groups = [list(ordered[at : at + _GROUP]) for at in range(0, len(ordered), _GROUP)]
            # Named, since Beam's DirectRunner first tries to download another one.
            runner = InteractiveRunner(underlying_runner=FnApiRunner())
            options = Options([])  # a kernel's own arguments are not Beam's
            pipeline = beam.Pipeline(runner, options=options)
            kept = (
                pipeline
                | "CreateFiles" >> beam.Create(groups, reshuffle=False)
                | "DrawLines" >> beam.ParDo(DrawLines(run.token))
                | "KeepLowest" >> beam.CombineGlobally(KeepLowest(run.n))
            )
            with _watched(environment, pipeline, kept):
                # What `collect` does, without its spinner, which asks a CDN for its looks.
                (lines,) = pipeline.run().get(kept)
        run.check_not_cancelled()  # cut short, it is no sample
        return [tuple(line) for line in lines]
    except Exception:
        run.check_not_cancelled()  # Beam has made another exception of ours
        raise
    finally:
        _runs.pop(run.token, None)
        _one_at_a_time.release()


class _Folders:
    """`tempfile` as Beam's pipelines know it while a sample is drawn: those of its thread make theirs in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder, self._thread = folder, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        return getattr(tempfile, name)

    def mkdtemp(self, suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:  # noqa: A002
        is_ours = dir is None and threading.get_ident() == self._thread
        return tempfile.mkdtemp(suffix, prefix, self._folder if is_ours else dir)


@contextmanager
def _leaving_no_folder() -> Iterator[None]:
    """Remove what pipelines leave in the temporary folder.

    Each makes a folder, and Interactive Beam makes four pipelines of ours, which it forgets. Others in this process
    are left alone, so `tempfile` itself is as it was.
    """
    with tempfile.TemporaryDirectory(prefix="chimera-sample-", ignore_cleanup_errors=True) as folder:
        beam_pipeline.tempfile = _Folders(folder)
        try:
            yield
        finally:
            beam_pipeline.tempfile = tempfile


@contextmanager
def _watched(environment: Any, pipeline: Any, kept: Any) -> Iterator[None]:
    """Have Interactive Beam keep the result, and forget pipeline and result afterwards."""
    names = {"sample": kept, "pipeline": pipeline}
    environment.watch(names)
    try:
        yield
    finally:
        names.clear()  # it is held on to for good
        environment.cleanup(pipeline)


@contextmanager
def _interactive() -> Iterator[Any]:
    """Interactive Beam's environment of this process, made if it is not there, with what it has to say kept back.

    In a notebook its log is HTML that asks a CDN for its looks.
    """
    logs = [logging.getLogger(name) for name in (_INTERACTIVE, interactive_environment.__name__)]
    levels = [log.level for log in logs]
    try:
        for log in logs:
            log.setLevel(logging.ERROR)
        # Asking for it would make it.
        if interactive_environment._interactive_beam_env is None:  # noqa: SLF001
            interactive_environment._interactive_beam_env = _QuietEnvironment()  # noqa: SLF001
            logs[0].setLevel(logging.ERROR)  # it has set another
        yield interactive_environment.current_env()
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


class _QuietEnvironment(interactive_environment.InteractiveEnvironment):
    """The environment without the scripts that it has a notebook fetch from a CDN when it is made."""

    def load_jquery_with_datatable(self) -> None:
        pass

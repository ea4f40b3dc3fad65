"""A job's own process: `python -m chimera_nb.local.dataflow.run_job FOLDER SLOT SLOTS`.

Fetches what was staged, installs it for the workers, starts them and runs the pipeline; metrics and messages go
to the job's folder. Of all jobs that may run at once, this is number SLOT of SLOTS. Exit 0 done, 1 failed and
the messages say why.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from chimera_nb.local.dataflow import staging
from chimera_nb.local.dataflow.job import Job
from chimera_nb.local.dataflow.store import SITE, STAGED, add_message, add_scaling, read_job, write_whole
from chimera_nb.local.dataflow.worker import Worker, end_with_parent
from pipeline.cores import usable_cores
from pipeline.errors import ChimeraError
from pipeline.imports import import_beam
from pipeline.storage import Cloud, PlainStore

_EVERY = 0.5  # seconds between two looks at the counters
_UNASKED = 4  # workers for a job that does not say how many, where there are cores for them
_SAID = 2_000  # characters of a dead worker's log that go into the message


def main(folder: Path, slot: int, slots: int) -> int:
    pipe = end_with_parent()
    try:
        _run(folder, _Workers(folder, slot, slots, pipe))
    except ChimeraError as e:
        add_message(folder, "ERROR", f"Workflow failed. Causes: {e}")
        return 1
    except Exception as e:  # noqa: BLE001 - whatever it is, the job has failed and says why
        _report(folder, e)
        return 1
    add_message(folder, "BASIC", "Worker pool stopped.")
    return 0


def _run(folder: Path, workers: _Workers) -> None:
    job = read_job(folder)
    options = pipeline_options(job)
    store = PlainStore(
        cloud=Cloud(google=False)
    )  # it stands for Dataflow itself, which no list of a user bounds
    staged = staging.read_pinned(store, options["pipelineUrl"], str(options["pipelineProtoHash"]))
    import_beam()  # it takes seconds: what is wrong before that is said at once
    from chimera_nb.local.dataflow.engine import Counters, Pipeline

    pipeline = Pipeline(staged)
    files = staging.fetch(store, pipeline.artifacts(), folder / STAGED)
    installed = staging.install(files, folder / SITE)
    write_whole(folder / "options.json", json.dumps({"options": options}))
    requested, cores = requested_workers(job), workers.cores
    count = min(requested or _UNASKED, len(cores))
    if requested > count:
        add_message(
            folder,
            "WARNING",
            f"The job asks for {requested} workers; there is one for each of {count} cores.",
        )
    add_message(
        folder,
        "BASIC",
        f"Starting {count} worker{'s' * (count > 1)} on this machine, of one core each, with "
        f"{', '.join(installed) or 'no staged package'}. What they log is in {folder}.",
    )
    add_scaling(folder, count)
    workers.make(count * pipeline.environments)
    counters = Counters()
    with _reported(counters, folder):
        pipeline.run(workers.start, workers.died, count, counters)


def requested_workers(job: Job) -> int:
    """How many workers the job asks for, at the most; 0 where it leaves that open."""
    pools = job.request.get("environment", {}).get("workerPools", [])
    pool = pools[0] if pools else {}
    return max(
        int(pool.get("numWorkers") or 0), int(pool.get("autoscalingSettings", {}).get("maxNumWorkers") or 0)
    )


def pipeline_options(job: Job) -> dict[str, Any]:
    """The job's options. A Struct knows no integers, and workers refuse `2.0` where one is due."""
    options: dict[str, Any] = _integers(job.request["environment"]["sdkPipelineOptions"]["options"])
    return options


def _integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Workers:
    """Starts the job's workers, each with one core of its own, as Dataflow's smallest machine has."""

    def __init__(self, folder: Path, slot: int, slots: int, pipe: int) -> None:
        self._folder, self._pipe = folder, pipe
        self.cores = _cores(slot, slots)
        self._waiting: list[Worker] = []
        self._started = 0

    def make(self, count: int) -> None:
        """Make the processes, with what was staged for them installed."""
        # What a source registers is its author's project, installed here for the submitter's sake.
        sources = {e.module.split(".")[0] for e in entry_points(group="chimera.sources")}
        self._waiting = [Worker(self._path(), {"chimera_nb", *sources}, self._pipe) for _ in range(count)]

    def start(self, worker_id: str, service: Mapping[str, str]) -> Worker:
        environment = {
            **service,
            "PYTHONPATH": os.pathsep.join(self._path()),
            "PIPELINE_OPTIONS_FILE": str(self._folder / "options.json"),
            "SEMI_PERSISTENT_DIRECTORY": str(self._folder),
        }
        core = self.cores[self._started % len(self.cores)]
        self._started += 1
        worker = self._waiting.pop()
        worker.start(environment, self._log(worker_id), core)
        return worker

    def died(self, worker_id: str, code: int) -> None:
        """End this process: a worker has died, and its bundle with it."""
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        said = self._log(worker_id).read_text(errors="replace")[-_SAID:].strip()
        add_message(
            self._folder, "ERROR", f"Workflow failed. Causes: {worker_id} {how} while it was needed. {said}"
        )
        os._exit(1)

    def _path(self) -> list[str]:
        """Where a worker's modules are: the standard library, what is beside Beam, and first what was staged."""
        library = [p for p in sys.path if p.startswith((sys.base_prefix, sys.base_exec_prefix))]
        packages = [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]
        return list(dict.fromkeys((str(self._folder / SITE), *library, *packages)))

    def _log(self, worker_id: str) -> Path:
        return self._folder / f"{worker_id.replace('_', '-')}.log"


def _cores(slot: int, slots: int) -> list[int]:
    """The machine's cores, those first that are this slot's share when all slots are taken."""
    cores = usable_cores()
    first = slot * max(1, len(cores) // slots) % len(cores)
    return cores[first:] + cores[:first]


class _reported:  # noqa: N801 - a context manager
    """Writes the counters down while the block runs, and once more at its end."""

    def __init__(self, counters: Any, folder: Path) -> None:
        self._counters, self._path = counters, folder / "metrics.json"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, name="report metrics", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _report(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(_EVERY)
            write_whole(self._path, json.dumps(self._counters.to_metrics()))


def _report(folder: Path, error: Exception) -> None:
    """An error as Dataflow words it: the worker's traceback, then that the job has failed for it."""
    told = str(error)
    if "Traceback" not in told:  # not a worker's: ours, with where it was
        told = "".join(traceback.format_exception(error))
    add_message(folder, "ERROR", told.strip())
    add_message(
        folder,
        "ERROR",
        "Workflow failed. Causes: a work item has failed; the error before this one says how.",
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    code = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    logging.shutdown()
    os._exit(code)  # gRPC's threads would hold it back

"""A local stack of a lane's own, the input on it, and what is done to it: kills, outages, clocks that step."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.service import JobService
from chimera_nb.local import stack
from chimera_nb.settings import Settings
from pipeline.errors import ChimeraError, StorageError
from pipeline.storage import PlainStore
from tests.chaos.oracle import input_files

BUCKET, RESULTS = "chaos-input", "chaos-results"
LATENCY_MS = 15  # so that a job has moments to be caught in
_LOOK_EVERY = 0.02


@dataclass
class Ground:
    """Where the rounds of one lane happen."""

    running: stack.Stack
    service: JobService
    numbers: random.Random
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)  # by target: id -> series of its input

    @property
    def store(self) -> PlainStore:
        return self.service.store

    def target(self, name: str) -> str:
        return f"gs://{RESULTS}/{name}"

    def faults(self, **wanted: object) -> None:
        """Have the storage make these, beside the latency that it always has (`chimera_nb.local.storage.faults`)."""
        body = json.dumps({"latency_ms": LATENCY_MS, **wanted}).encode()
        request = urllib.request.Request(
            f"{self.running.storage_endpoint}/_chimera/faults", body, method="POST"
        )
        urllib.request.urlopen(request).close()

    def submit(self, target: str, series: str = "a", **options: object) -> JobRecord:
        options.setdefault("shards", self.numbers.choice([None, 8, 40]))
        job = self.service.submit([f"gs://{BUCKET}/{series}/"], target, **options)
        self.jobs.setdefault(target, {})[job.job_id] = series
        return job

    def ended(self, job_id: str, seconds: float = 900) -> JobRecord:
        """The record once it is final. While the store is away nothing is concluded, and it is looked at again.

        A job whose submitter died in the moment of asking Dataflow is waited for, for ten minutes.
        """
        give_up = time.monotonic() + seconds
        while True:
            with contextlib.suppress(StorageError):
                record = self.service.wait(job_id, seconds=5)
                if record.status.is_final:
                    return record
            if time.monotonic() > give_up:
                return self.service.log.get(job_id)

    def until(self, holds: Callable[[], object], seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            with contextlib.suppress(ChimeraError):
                if holds():
                    return True
            time.sleep(_LOOK_EVERY)
        return False

    def until_publishing(self, job: JobRecord, target: str) -> bool:
        """Wait for the first shard of the job to have its final name; False where the job was quicker."""

        def seen() -> bool:
            if any(True for _ in self.store.list_objects(f"{target}/output/")):
                return True
            return self.service.log.get(job.job_id).status.is_final

        return self.until(seen, 60) and not self.service.log.get(job.job_id).status.is_final

    def processes_of(self, job: JobRecord) -> list[psutil.Process]:
        """The living processes of a job: its own, and at a local Dataflow the job's there and its workers."""
        found = []
        if job.worker and psutil.pid_exists(int(job.worker["pid"])):
            found.append(int(job.worker["pid"]))
        latest = self.service.log.get(job.job_id)
        if latest.dataflow_job_id:
            folder = str(self.running.data_dir / "dataflow" / latest.dataflow_job_id)
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == folder:
                        found.append(process.pid)
        living = []
        for pid in found:
            with contextlib.suppress(psutil.Error):
                living.append(psutil.Process(pid))
        return living

    def kill(self, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def opened(folder: Path, seed: str) -> Iterator[Ground]:
    """A stack in this folder with both series of input on it; stopped at the end."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # not among the user's own stacks
    running = stack.start(folder)
    os.environ.update(running.exports())
    settings = Settings(data_dir=running.data_dir, dataflow_endpoint=running.dataflow_endpoint)
    service = JobService(settings)
    try:
        for bucket in (BUCKET, RESULTS):
            service.store.make_bucket(bucket)
        for series in ("a", "b"):
            for name, data in input_files(series).items():
                service.store.write_bytes(f"gs://{BUCKET}/{name}", data)
        ground = Ground(running, service, random.Random(seed))
        ground.faults()
        yield ground
    finally:
        service.log.close()
        stack.stop(folder)

"""The rounds: each does one thing to a job at a random moment and gives what was found afterwards.

A round of the same scenario aims at the same target as the one before, so that each next job looks at what the last
one left there.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from chimera_nb.jobs.record import JobRecord, Status
from pipeline.errors import RefusedError
from tests.chaos.clock import environment, stepping
from tests.chaos.ground import Ground
from tests.chaos.oracle import Verdict, judge

_RUNS_FOR = 7.0  # seconds: about what a direct job takes here with both lanes busy
_DATAFLOW_FOR = 25.0


def kill_direct(ground: Ground, number: int) -> Verdict:
    """SIGKILL the process of a direct job: half of the times anywhere, half of the times while it publishes."""
    target = ground.target("kill-direct")
    job = ground.submit(target, overwrite=True)
    if number % 2:
        ground.until_publishing(job, target)
        time.sleep(ground.numbers.uniform(0, 1.0))
    else:
        time.sleep(ground.numbers.uniform(0, _RUNS_FOR))
    for process in ground.processes_of(job):
        ground.kill(process)
    return _judged(ground, target)


def kill_dataflow(ground: Ground, number: int) -> Verdict:
    """SIGKILL one process of a Dataflow job: a worker, the job's own, or the one that submits it."""
    target = ground.target("kill-dataflow")
    job = ground.submit(target, overwrite=True, runner="dataflow", runner_options={"num_workers": 2})
    if number % 2:
        ground.until_publishing(job, target)
        time.sleep(ground.numbers.uniform(0, 1.0))
    else:
        time.sleep(ground.numbers.uniform(0, _DATAFLOW_FOR))
    if processes := ground.processes_of(job):
        ground.kill(ground.numbers.choice(processes))
    return _judged(ground, target)


def outage(ground: Ground, _: int) -> Verdict:
    """The store is away, or worse, for a while that a job's patience outlasts: then the job has to come through."""
    target = ground.target("outage")
    kind, status = ground.numbers.choice(
        [
            ("refuse", 503),
            ("refuse", 429),
            ("refuse", 0),
            ("lose", 503),
            ("cut", 503),
            ("flip", 503),
            ("drip", 503),
        ]
    )
    job = ground.submit(target, overwrite=True)
    time.sleep(ground.numbers.uniform(0, _RUNS_FOR))
    # Drips cost a request its whole deadline, so they are few.
    every = 4 if kind == "drip" else ground.numbers.choice([1, 1, 2, 5])
    ground.faults(
        kind=kind, status=status, outage_ms=ground.numbers.uniform(200, 12_000), every=every, drip_ms=1000
    )
    job = ground.ended(job.job_id)
    ground.faults()
    return _came_through(_judged(ground, target), job, f"an outage ({kind}) shorter than the patience")


def clock_step(ground: Ground, _: int) -> Verdict:
    """The clock of the job's process and the one of a viewer step, each by its own, while the job runs."""
    target = ground.target("clock")
    with stepping(ground) as clock:
        job = ground.submit(target, overwrite=True)
        for _look in range(3):
            time.sleep(ground.numbers.uniform(0.2, 2.0))
            clock.step(ground.numbers.choice([-3, 3, 30, -30, 3600, -3600, 86_400]))
            _view(ground, ground.numbers.choice([-3, 3, 61, -61, 7200, -7200]))
        job = ground.ended(job.job_id)
    return _came_through(_judged(ground, target), job, "a clock that stepped")


def pair(ground: Ground, _: int) -> Verdict:
    """Two jobs of different inputs at one target, nearly at once; some die on the way."""
    target = ground.target("pair")
    before = len(ground.jobs.get(target, ()))

    def one(series: str, after: float, dies: float | None) -> None:
        time.sleep(after)
        try:
            job = ground.submit(target, series, overwrite=True)
        except RefusedError:
            return  # the other one was there
        if dies is not None:
            time.sleep(dies)
            for process in ground.processes_of(job):
                ground.kill(process)

    numbers = ground.numbers
    threads = [
        threading.Thread(
            target=one,
            args=(series, numbers.uniform(0, 3), numbers.choice([None, None, numbers.uniform(0, _RUNS_FOR)])),
        )
        for series in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _judged(ground, target, len(ground.jobs[target]) - before)


def cancel_publishing(ground: Ground, number: int) -> Verdict:
    """Cancelled while shards get their final names, by two viewers at once every other time."""
    target = ground.target("cancel")
    job = ground.submit(target, overwrite=True, shards=40)
    ground.until_publishing(job, target)
    time.sleep(ground.numbers.uniform(0, 0.6))
    threads = [threading.Thread(target=_cancel, args=(ground, job)) for _ in range(1 + number % 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _judged(ground, target)


def _cancel(ground: Ground, job: JobRecord) -> None:
    with contextlib.suppress(RefusedError):  # it has ended meanwhile
        ground.service.cancel(job.job_id)


def _view(ground: Ground, seconds: int) -> None:
    """Bring all jobs up to date, as somebody whose clock is off by so much."""
    subprocess.run(
        [sys.executable, "-m", "chimera_nb", "jobs", "sync", "--data-dir", str(ground.running.data_dir)],
        env={**os.environ, **environment(FAKETIME=f"{seconds:+d}s")},
        capture_output=True,
        check=False,
        timeout=120,
    )


def _came_through(verdict: Verdict, job: JobRecord, what: str) -> Verdict:
    """The verdict, which a job that had to come through and did not has against it."""
    if job.status is Status.COMPLETE:
        return verdict
    said = f"{what} ended the job as {job.status.value}: {job.error}"
    return replace(verdict, false=(*verdict.false, said))


def _judged(ground: Ground, target: str, latest: int = 1) -> Verdict:
    """What is found once all jobs at the target have ended; the `latest` so many are those of this round."""
    jobs = ground.jobs[target]
    for job_id in list(jobs)[-latest:]:
        ground.ended(job_id)
    return judge(ground.service, target, jobs, latest)


SCENARIOS: dict[str, tuple[Callable[[Ground, int], Verdict], int]] = {
    "kill of a direct job": (kill_direct, 100),
    "kill of a Dataflow worker or job process": (kill_dataflow, 100),
    "outage of the store": (outage, 50),
    "clock step": (clock_step, 20),
    "two jobs at one target": (pair, 50),
    "cancel while publishing": (cancel_publishing, 20),
}

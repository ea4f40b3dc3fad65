"""Takes jobs, runs some of them at once, each in a process group of its own, and queues the rest.

A job's process ends when the pipe on its standard input closes: with this process, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chimera_nb.local.dataflow.job import JOB_STATES, JOB_TYPES, Job, State, enum_name
from chimera_nb.local.dataflow.store import JobStore, add_message

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RUN_JOB = "chimera_nb.local.dataflow.run_job"
_SAID = 2_000  # characters of a process's log that go into a message
_log = logging.getLogger(__name__)


class ApiError(Exception):
    """A request that gets an error; status is HTTP's, reason is the API's word for it."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(message)


class Dispatcher:
    """All jobs, and those that run. Lives on one event loop."""

    def __init__(self, store: JobStore, environment: Mapping[str, str], jobs_at_once: int) -> None:
        self.store = store
        self._environment = dict(environment)
        self._free = list(range(jobs_at_once))  # a running job has a slot, and with it its share of the cores
        self._slots = jobs_at_once
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def resume(self) -> None:
        """Take up what an earlier service has left: its running jobs have failed, those that waited are run."""
        for job in self.store.load():
            self._jobs[job.id] = job
            if job.state is State.RUNNING:
                cause = "the local Dataflow was stopped while the job was running; submit it again"
                add_message(self.store.folder(job.id), "ERROR", f"Workflow failed. Causes: {cause}")
                self._set(job, State.FAILED)
            elif job.state is State.CANCELLING:
                self._set(job, State.CANCELLED)
            if self._jobs[job.id].state.is_final:
                self.store.sweep(job.id)
        self._fill()

    async def stop(self) -> None:
        """Kill what runs. It stays on record as running, so that the next service finds that it was cut off."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def jobs(self) -> list[Job]:
        return list(self._jobs.values())

    def get(self, project: str, location: str | None, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None or job.project != project or location not in {None, job.location}:
            raise ApiError(
                404,
                "NOT_FOUND",
                f"Information about job {job_id} could not be found in our system: project {project} has none of "
                f"this id{f' in region {location}' if location else ''}. Please double check the id is correct.",
            )
        return job

    def create(self, project: str, location: str, request: dict[str, Any]) -> Job:
        """Take a job: it runs now or waits. A request that was sent twice gives the job of the first."""
        name = str(request.get("name", ""))
        _check(name, request)
        active = (job for job in self._jobs.values() if not job.state.is_final)
        same = next(
            (job for job in active if (job.project, job.location, job.name) == (project, location, name)),
            None,
        )
        if same is not None:
            if same.request_id and same.request_id == request.get("clientRequestId"):
                return same
            raise ApiError(
                409,
                "ALREADY_EXISTS",
                f"There is already an active job named {name} with id: {same.id}. If you want to submit a second "
                "job, try again by setting a different name.",
            )
        job = Job.new(project, location, name, request)
        self._jobs[job.id] = job
        self.store.save(job)
        _log.info("job %s (%s) was submitted", job.id, name)
        self._fill()
        if self._jobs[job.id].state is State.QUEUED:
            ahead = f"{self._slots} {'job runs' if self._slots == 1 else 'jobs run'} at once on this machine"
            add_message(self.store.folder(job.id), "BASIC", f"Waiting for its turn: {ahead}.")
        return self._jobs[job.id]

    def request(self, job: Job, requested: Any) -> Job:
        """Do what a client asks of a job: to cancel it is all there is."""
        state = enum_name(requested, JOB_STATES, "requestedState")
        if state != State.CANCELLED:
            raise ApiError(
                400, "INVALID_ARGUMENT", f"a batch job can be asked to be {State.CANCELLED}, not {state}"
            )
        if job.state.is_final:
            raise ApiError(
                400, "FAILED_PRECONDITION", f"job {job.id} cannot be cancelled: it has ended with {job.state}"
            )
        if job.state is State.QUEUED:
            return self._set(job, State.CANCELLED)
        if job.state is State.RUNNING:
            job = self._set(job, State.CANCELLING)
            if process := self._processes.get(job.id):
                _kill(process)
        return job

    def _fill(self) -> None:
        """Start the oldest of the waiting jobs while there is room."""
        waiting = sorted(
            (job.create_time, job.id) for job in self._jobs.values() if job.state is State.QUEUED
        )
        for (_, job_id), slot in zip(waiting, list(self._free), strict=False):
            self._free.remove(slot)
            job = self._set(self._jobs[job_id], State.RUNNING)
            self._running[job_id] = asyncio.create_task(self._run(job, slot), name=f"run {job_id}")

    async def _run(self, job: Job, slot: int) -> None:
        stopped = False
        try:
            code = await self._run_process(job, slot)
            self._end(self._jobs[job.id], code)
        except asyncio.CancelledError:
            stopped = True
            raise
        except OSError as e:
            add_message(
                self.store.folder(job.id), "ERROR", f"Workflow failed. Causes: no process for the job: {e}"
            )
            self._set(self._jobs[job.id], State.FAILED)
        finally:
            self.store.sweep(job.id)
            self._running.pop(job.id, None)
            self._free.append(slot)
            if not stopped:
                self._fill()

    async def _run_process(self, job: Job, slot: int) -> int:
        """Run the job's process to its end; its exit code, negative for a signal. Nothing of it is left."""
        process = self._process(self.store.folder(job.id), slot)
        self._processes[job.id] = process
        try:
            if self._jobs[job.id].state is State.CANCELLING:  # while the process was being made
                _kill(process)
            return await asyncio.to_thread(process.wait)
        finally:
            _kill(process)  # its workers, and whatever they have started
            await asyncio.to_thread(process.wait)
            with process:  # its pipe is closed
                del self._processes[job.id]

    def _process(self, folder: Path, slot: int) -> subprocess.Popen[bytes]:
        with (folder / "job.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", _RUN_JOB, str(folder), str(slot), str(self._slots)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder,
                env=self._environment,
            )

    def _end(self, job: Job, code: int) -> None:
        folder = self.store.folder(job.id)
        if code == 0:
            self._set(job, State.DONE)
        elif job.state is State.CANCELLING:
            add_message(folder, "BASIC", "The job was cancelled.")
            self._set(job, State.CANCELLED)
        else:
            if code != 1:  # with 1 it has said why
                how = (
                    f"was killed by {signal.Signals(-code).name}"
                    if code < 0
                    else f"ended with exit code {code}"
                )
                said = (folder / "job.log").read_text(errors="replace")[-_SAID:].strip()
                add_message(
                    folder,
                    "ERROR",
                    f"Workflow failed. Causes: the job's process {how}. {said or 'It said nothing.'}",
                )
            self._set(job, State.FAILED)

    def _set(self, job: Job, state: State) -> Job:
        job = job.to(state)
        self._jobs[job.id] = job
        self.store.save(job)
        _log.info("job %s (%s): %s", job.id, job.name, state)
        return job


def _check(name: str, request: Mapping[str, Any]) -> None:
    def refuse(message: str) -> ApiError:
        return ApiError(400, "INVALID_ARGUMENT", message)

    if not _NAME.fullmatch(name):
        raise refuse(
            f"the job name {name!r} is invalid: it must consist of only the characters [-a-z0-9], starting with a "
            "letter and ending with a letter or number"
        )
    if enum_name(request.get("type", 1), JOB_TYPES, "type") != "JOB_TYPE_BATCH":
        raise refuse(f"job {name} is a streaming job; the local Dataflow runs batch jobs")
    if request.get("replaceJobId"):
        raise refuse(
            f"job {name} is to replace {request['replaceJobId']}; the local Dataflow updates no running job"
        )
    options = request.get("environment", {}).get("sdkPipelineOptions", {}).get("options", {})
    if not options.get("pipelineUrl"):
        raise refuse(
            f"job {name} names no staged pipeline (environment.sdkPipelineOptions.options.pipelineUrl)"
        )
    if not _SHA256.fullmatch(str(options.get("pipelineProtoHash"))):
        raise refuse(
            f"job {name} does not say the SHA-256 of its staged pipeline (…options.pipelineProtoHash), as Beam does"
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started; may be repeated."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

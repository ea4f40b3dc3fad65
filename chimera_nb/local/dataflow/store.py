"""The jobs on disk: what a restart of the service finds again.

    <data_dir>/dataflow/<job id>/job.json         the job and its state; written by the service alone
                                 messages.jsonl   one message a line, by the service and by the job's process
                                 scaling.jsonl    a line for each change in the number of workers, by the same
                                 metrics.json     the latest metrics, by the job's process
                                 job.log          what the job's process says
                                 worker-<n>.log   what a worker says, its own log lines included
                                 staged/, site/   while it runs: what was staged, and installed for its workers
                                 sockets/         while it runs: how its process and its workers talk

Files are replaced or appended to as a whole, so a reader never sees half a line of what is final.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chimera_nb.local.dataflow.job import Job, now

SITE = "site"
SOCKETS = "sockets"
STAGED = "staged"  # a name that Beam knows: its worker looks there for a pickled main session


class JobStore:
    """The jobs of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def folder(self, job_id: str) -> Path:
        return self._folder / job_id

    def load(self) -> Iterator[Job]:
        """Every job there is, from the oldest; a folder without a job that can be read is passed over."""
        for path in sorted(self._folder.glob("*/job.json")):
            try:
                yield Job.from_json(json.loads(path.read_text()))
            except (ValueError, KeyError, TypeError):
                continue

    def save(self, job: Job) -> None:
        self.folder(job.id).mkdir(exist_ok=True)
        write_whole(self.folder(job.id) / "job.json", json.dumps(job.to_json()))

    def messages(self, job_id: str) -> list[dict[str, Any]]:
        """The job's messages, from the oldest."""
        return sorted(_lines(self.folder(job_id) / "messages.jsonl"), key=lambda message: message["time"])

    def scaling(self, job_id: str) -> list[dict[str, Any]]:
        """The changes in the number of the job's workers, from the oldest."""
        return list(_lines(self.folder(job_id) / "scaling.jsonl"))

    def metrics(self, job_id: str) -> list[dict[str, Any]]:
        """The latest metrics; none before the first."""
        try:
            found: list[dict[str, Any]] = json.loads((self.folder(job_id) / "metrics.json").read_text())
        except FileNotFoundError:
            return []
        return found

    def sweep(self, job_id: str) -> None:
        """Delete what only a running job needs."""
        for name in (SITE, STAGED, SOCKETS):
            shutil.rmtree(self.folder(job_id) / name, ignore_errors=True)


def read_job(folder: Path) -> Job:
    return Job.from_json(json.loads((folder / "job.json").read_text()))


def add_message(folder: Path, importance: str, text: str) -> None:
    """Add to a job's messages, from any process; importance is BASIC, WARNING or ERROR."""
    message = {
        "id": secrets.token_hex(8),
        "time": now(),
        "messageImportance": f"JOB_MESSAGE_{importance}",
        "messageText": text,
    }
    _append(folder / "messages.jsonl", message)


def add_scaling(folder: Path, workers: int) -> None:
    """Note how many workers the job has from now on."""
    event = {"currentNumWorkers": str(workers), "targetNumWorkers": str(workers)}
    _append(folder / "scaling.jsonl", {**event, "eventType": "CURRENT_NUM_WORKERS_CHANGED", "time": now()})


def write_whole(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)


def _append(path: Path, document: dict[str, Any]) -> None:
    # One write to a file opened for appending: two processes' lines do not mix.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, json.dumps(document).encode() + b"\n")
    finally:
        os.close(file)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the last one of a process that was killed
            continue

"""A job's work on a machine -> what it comes to. Pure; no clock, no service.

A job starts, lists, reads and publishes, one after the other. While it reads, each file takes what a request and a
ledger record take of a core, and each raw byte what its codec takes. What Python does itself is done by one core of a
process at a time, but rows of views, which are made by a process a core. The constants are measured on one machine
(`python -m benchmarks --only model` holds them against jobs that are run), and `pace` is what others are to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chimera_nb.jobs.forecast.machine import Machine
from chimera_nb.prices import Prices

# Seconds of a core for a file: listed, read from a local disk or from a bucket, and on record.
LIST_SECONDS = {"local": 25e-6, "remote": 30e-6}
FILE_SECONDS = {"local": 205e-6, "remote": 1.2e-3}
BESIDE_SECONDS = 60e-6  # of a file, what the system does for it, on another core where there is one
INVENTORY_SECONDS = 6e-6  # the same of a row of an inventory report
RECORD_SECONDS = 30e-6
START_CORE_SECONDS = 0.95  # Beam's imports and the graph
# Raw bytes a second of a core.
DECODES = {"bz2": 45e6, "gzip": 220e6, "zstd": 450e6, "xz": 130e6, "zip": 220e6, "plain": 700e6}
SHARD_BYTES = 125e6  # of lines that are copied from parts into so many shards as were asked for
ROW_BYTES = 30e6  # of a view: 30 of runners and prices, 58 of the catalogue
REQUEST_SECONDS = 0.03  # until a bucket answers
WIRE_BYTES = 100e6  # a second, of a worker
AT_ONCE = 24  # requests of a process
PAGE = 1000  # objects of a listing
PAGES_AT_ONCE = 16  # of a worker
LONG_PAGES = 32  # beyond which a listing is all workers'
RENAMES = 1000  # a second, under one prefix of a bucket
PART_BYTES = 256e6  # of output, about as much as a bundle writes
SHUFFLED_BYTES = 1000  # of a file: its name and its record, as they go between stages
STAGES = ("start", "listing", "reading", "publishing")


@dataclass(frozen=True)
class Work:
    """What is to be read: files and their bytes, as stored and as they are decoded; where, and how compressed.

    `codec` is that of most files; `view` whether rows are made of the lines; `decodes` raw bytes a second of a core, as
    it was measured on some of the files here; `inventory` whether a report is read in place of a listing.
    """

    files: int
    bytes: int
    raw_bytes: int
    remote: bool = True
    codec: str = "bz2"
    view: bool = False
    shards: int | None = None
    decodes: float | None = None
    inventory: bool = False


@dataclass(frozen=True)
class Forecast:
    """What a job comes to; None where nothing can be said.

    stages        seconds of each of STAGES; their sum is `seconds`
    core_seconds  of all cores, at work
    limit         what takes the most of it: start, listing, wire, codec, files (what each takes beside its bytes),
                  publishing
    operations    requests to buckets: class A (write, list) and B (read)
    scale         what the times were multiplied by, as jobs before have taught
    money         in `currency`; `with_flexrs` where the job may wait for cheap hours, None where that is no choice
    """

    work: Work
    stages: Mapping[str, float]
    seconds: float | None
    worker_hours: float
    core_seconds: float
    limit: str
    operations: Mapping[str, int]
    money: float
    currency: str
    with_flexrs: float | None = None
    scale: float = 1.0

    def scaled(self, by: float) -> Forecast:
        """The same where a core is slower by that factor than the model takes it for."""
        return replace(
            self,
            stages={name: value * by for name, value in self.stages.items()},
            seconds=None if self.seconds is None else self.seconds * by,
            worker_hours=self.worker_hours * by,
            core_seconds=self.core_seconds * by,
            scale=self.scale * by,
        )

    def to_json(self) -> dict[str, Any]:
        """As a job's record has it."""
        return {
            "files": self.work.files,
            "compressedBytes": self.work.bytes,
            "rawBytes": self.work.raw_bytes,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "workerHours": round(self.worker_hours, 5),
            "coreSeconds": round(self.core_seconds, 2),
            "plainCoreSeconds": round(self.core_seconds / self.scale, 2),
            "stages": {name: round(value, 2) for name, value in self.stages.items()},
            "limit": self.limit,
            "operations": dict(self.operations),
            "money": round(self.money, 4),
            "moneyWithFlexrs": None if self.with_flexrs is None else round(self.with_flexrs, 4),
            "currency": self.currency,
        }


def forecast(work: Work, on: Machine, prices: Prices | None = None) -> Forecast:
    """What a job comes to on a machine."""
    prices = prices or Prices()
    where = "remote" if work.remote else "local"
    workers = on.workers or 1
    decoding = work.raw_bytes / (work.decodes or DECODES.get(work.codec, DECODES["bz2"]))
    making = work.raw_bytes / ROW_BYTES if work.view else 0.0
    each = work.files * (FILE_SECONDS[where] + RECORD_SECONDS)
    listing = work.files * (INVENTORY_SECONDS if work.inventory else LIST_SECONDS[where])
    beside = work.files * BESIDE_SECONDS
    copying = work.raw_bytes / SHARD_BYTES if work.shards else 0.0
    core = START_CORE_SECONDS + (listing + each + beside + decoding + making + copying) / on.pace
    # One process a worker on this machine, one for each core at Dataflow, which each have their own interpreter.
    processes = workers if not on.is_paid else workers * on.cores
    busy = max(1, min(workers * on.cores, work.files))
    spent = {
        "files": each / on.pace / min(processes, max(1, work.files)),
        "codec": (each + beside + making + decoding) / on.pace / busy,
        "wire": (
            max(work.files * REQUEST_SECONDS / (AT_ONCE * processes), work.bytes / (WIRE_BYTES * workers))
            if work.remote
            else 0.0
        ),
    }
    parts = work.shards or max(processes, math.ceil(work.raw_bytes / PART_BYTES))
    publishing = parts / RENAMES if work.remote else parts / 10_000
    publishing += (work.files * RECORD_SECONDS + copying) / on.pace / workers
    pages = math.ceil(work.files / PAGE) if work.remote and not work.inventory else 0
    listers = processes if work.inventory or pages > LONG_PAGES else 1
    stages = {
        "start": on.start / (on.pace if not on.is_paid else 1.0),
        "listing": pages * REQUEST_SECONDS / min(max(1, pages), PAGES_AT_ONCE * listers)
        + listing / on.pace / listers,
        "reading": max(spent.values()),
        "publishing": publishing,
    }
    longest = max(stages, key=lambda name: stages[name])
    limit = max(spent, key=lambda name: spent[name]) if longest == "reading" else longest
    seconds = sum(stages.values())
    hours = seconds * workers / 3600 if on.workers else core / on.cores / 3600
    operations = {
        "classA": pages + 4 * parts,
        "classB": work.files if work.remote else 0,
    }
    paid = 0.0
    if on.is_paid:
        hourly = on.cores * prices.vcpu_hour + on.gb * prices.gb_hour
        paid = hours * hourly + work.files * SHUFFLED_BYTES / 1e9 * prices.shuffle_gb
    asked = operations["classA"] / 1000 * prices.class_a + operations["classB"] / 1000 * prices.class_b
    money = paid * (prices.flexrs if on.flexrs else 1.0) + (asked if work.remote else 0.0)
    cheap = paid * prices.flexrs + asked if on.is_paid and not on.flexrs else None
    return Forecast(
        work,
        stages,
        seconds if on.workers else None,
        hours,
        core,
        limit,
        operations,
        money,
        prices.currency,
        cheap,
    )

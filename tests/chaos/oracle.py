"""What a target must hold, whatever happened to the job that wrote there."""

from __future__ import annotations

import bz2
import random
from collections import Counter
from dataclasses import dataclass
from functools import cache

from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from pipeline.proof import verify
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import output_shards

FILES, LINES = 24, 1500


@dataclass(frozen=True)
class Verdict:
    """What was found at a target after a round.

    lost, doubled   lines, against the input of the job whose summary stands
    false           sentences: what looks whole and is not, or is told and not so
    whole           a summary stands
    """

    lost: int = 0
    doubled: int = 0
    false: tuple[str, ...] = ()
    whole: bool = False


@cache
def input_files(series: str) -> dict[str, bytes]:
    """Names and contents of one series of input files; no line of one series is in another."""
    numbers = random.Random(series)
    return {
        f"{series}/{n:02d}.ndjson.bz2": bz2.compress(
            b"".join(
                b'{"series":"%s","file":%d,"line":%d,"x":%d}\n'
                % (series.encode(), n, i, numbers.getrandbits(200))
                for i in range(LINES)
            )
        )
        for n in range(FILES)
    }


@cache
def expected(series: str) -> Counter[bytes]:
    return Counter(
        line
        for data in input_files(series).values()
        for line in bz2.decompress(data).splitlines(keepends=True)
    )


def judge(service: JobService, target: str, jobs: dict[str, str], latest: int) -> Verdict:
    """Look at the target and at the records. `jobs` are all that ever aimed at it, in order: id -> series.

    Whatever they were told, what stands there is compared with the oracle, line by line, and verified as anybody can.
    A result that a later job was to replace may be gone, by consent; what the `latest` so many were told has to be so.
    """
    store = service.store
    records = [service.get(job_id) for job_id in jobs]
    false = [f"job {r.job_id} is still {r.status.value}" for r in records if not r.status.is_final]
    summary = read_summary(store, target)
    shards = output_shards(store, target)
    complete = [r.job_id for r in records[len(records) - latest :] if r.status is Status.COMPLETE]
    if summary is None:
        if shards:
            false.append(f"{len(shards)} shards stand without a summary: {shards[0]}")
        if complete and len(complete) == latest:  # else one that came to nothing may have begun to replace it
            false.append(f"job {complete[0]} is told complete, and no summary stands")
        return Verdict(false=tuple(false))
    owner = next((record for record in records if record.job_id == summary["jobId"]), None)
    if owner is None:
        said = f"the summary is of job {summary['jobId']}, which is none of these"
        return Verdict(false=(*false, said), whole=True)
    if owner.status is not Status.COMPLETE:
        false.append(f"job {owner.job_id} is told {owner.status.value}, and its summary stands")
    if complete and owner.job_id not in complete:
        false.append(
            f"job {complete[0]} is told complete, and the summary is of job {owner.job_id}, from before"
        )
    if len(shards) != summary["shards"]:
        false.append(f"{len(shards)} shards stand where the summary tells of {summary['shards']}")
    found: Counter[bytes] = Counter()
    for uri in shards:
        found.update(store.read_bytes(uri).splitlines(keepends=True))
    wanted = expected(jobs[owner.job_id])
    false += refuted(service, target)
    return Verdict((wanted - found).total(), (found - wanted).total(), tuple(false), whole=True)


def refuted(service: JobService, target: str) -> list[str]:
    """What `chimera verify --deep` has against the output."""
    verdict = verify(service.store, target, deep=True)
    return [f"verify: {f.kind}: {f.uri}: {f.text}" for f in verdict.findings if f.refutes]

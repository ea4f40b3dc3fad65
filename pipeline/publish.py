"""The end of a job: reconcile, give files their final names, and say in the summary that the output is whole.

One worker does it, for all files: a bucket takes about a thousand renames a second under one prefix, whoever
asks. Each step may be repeated, since a runner may run it again after it was done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pipeline.ledger import Part, Totals, judge, reconcile
from pipeline.spec import JobSpec
from pipeline.storage import Store, join
from pipeline.target import check_held, release_target, shard_uri, summary_uri

_RENAMES = 32  # at a time
PATTERNS_SHOWN = 1000  # in the summary


@dataclass(frozen=True)
class Move:
    """One part, and the name it is published under."""

    part: Part
    uri: str


def plan_moves(parts: Sequence[Part], target: str, kind: str) -> list[Move]:
    """The parts in the order of their names, numbered; kind is "output" or "ledger"."""
    parts = sorted(parts)
    return [Move(part, shard_uri(target, kind, i, len(parts))) for i, part in enumerate(parts)]


def finish_job(
    store: Store,
    spec: JobSpec,
    about: Mapping[str, Any],
    *,
    listed: int,
    totals: Totals,
    output: Sequence[Part],
    ledger: Sequence[Part],
) -> dict[str, Any]:
    """Publish the ledger, then the output, then the summary; give the summary.

    Raises ReconciliationError or TargetError before anything is published, and TooManyFailuresError after the
    ledger is: it has the reason for each failed file.
    """
    reconcile(listed, totals, output, ledger, spec.target)
    check_held(store, spec)
    publish(store, plan_moves(ledger, spec.target, "ledger"))
    judge(totals, spec.max_failures, join(spec.target, "ledger/"))
    publish(store, plan_moves(output, spec.target, "output"))
    summary = summarise(spec, about, totals, output)
    write_summary(store, spec.target, summary)
    release_target(store, spec)
    return summary


def publish(store: Store, moves: Sequence[Move]) -> None:
    """Give parts their final names. Raises StorageError for one that is not what was written."""
    with ThreadPoolExecutor(_RENAMES, thread_name_prefix="publish-part") as pool:
        for _ in pool.map(partial(_publish_one, store), moves):
            pass


def _publish_one(store: Store, move: Move) -> None:
    store.rename(move.part.uri, move.uri, size=move.part.size, crc32c=move.part.crc32c)


def summarise(
    spec: JobSpec, about: Mapping[str, Any], totals: Totals, output: Sequence[Part]
) -> dict[str, Any]:
    """The document of summary.json: totals that reconcile with the ledger and the shards.

    `about` is what else it says of the job: startedAt, patterns, patternsTotal.
    """
    return {
        "jobId": spec.job_id,
        "source": spec.source,
        "target": spec.target,
        "keepPartial": spec.keep_partial,
        **about,
        "finishedAt": now(),
        "files": {
            "listed": totals.complete + totals.failed,
            "complete": totals.complete,
            "failed": totals.failed,
            "noted": totals.noted,
        },
        "compressedBytes": totals.size,
        "rawBytes": totals.raw_bytes,
        "outputBytes": sum(part.size for part in output),
        "lines": sum(part.lines for part in output),
        "shards": len(output),
    }


def write_summary(store: Store, target: str, summary: dict[str, Any]) -> None:
    """Write summary.json, the last of a job's files."""
    store.write_bytes(summary_uri(target), json.dumps(summary, indent=2).encode() + b"\n")


def now() -> str:
    """The time in RFC 3339, to the millisecond, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

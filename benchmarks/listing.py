"""How fast a long listing is planned, to the bare iterator of google-cloud-storage's client."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from apache_beam.pvalue import TaggedOutput

from benchmarks.row import BenchmarkError, Context, Goal, Row
from benchmarks.slow_objects import name_of
from benchmarks.small_objects import slow_bucket
from pipeline.graph.archive_stages import LookedFor
from pipeline.graph.elements import FILES, listed_files
from pipeline.graph.list_stages import LISTED_PAGES, ListGCSFiles, RangeOfListing
from pipeline.inputs.listing import Listing, listings
from pipeline.storage.name_ranges import NameRange

_WORKERS = 2


def rows(context: Context) -> list[Row]:
    count = 50_000 if context.quick else 1_000_000
    with slow_bucket(count) as endpoint:

        def measured(who: str) -> dict[str, float]:
            command = [sys.executable, "-m", "benchmarks.listing", endpoint, who, str(count)]
            done = subprocess.run(command, cwd=context.root, capture_output=True, text=True, check=False)
            if done.returncode:
                raise BenchmarkError(f"{who} came to nothing: {done.stderr[-1000:]}")
            found: dict[str, float] = json.loads(done.stdout)
            print(f"  {who}: {found}", file=sys.stderr)
            return found

        peer, ours, workers = measured("peer"), measured("ours"), measured("workers")
    what = f"{count:,} objects listed, matched and packed at 30 ms a page"
    return [
        Row(
            what=what,
            ours=count / ours["seconds"],
            unit="objects/s",
            goal=Goal(at_least=5),
            peer_name="client.list_blobs",
            peer=count / peer["seconds"],
            ratio=peer["seconds"] / ours["seconds"],
        ),
        Row(
            what=f"{what}: CPU for 1,000 objects",
            ours=ours["cpu_us"],
            unit="ms",
            goal=Goal(under=4),
            peer_name="client.list_blobs, not matched",
            peer=peer["cpu_us"],
            ratio=peer["cpu_us"] / ours["cpu_us"],
        ),
        Row(
            what=f"{what}, by {_WORKERS} workers",
            ours=count / workers["seconds"],
            unit="objects/s",
            goal=Goal(at_least=5),
            peer_name="client.list_blobs",
            peer=count / peer["seconds"],
            ratio=peer["seconds"] / workers["seconds"],
        ),
    ]


def _stage(endpoint: str, pages: int | None = None) -> tuple[ListGCSFiles, Listing]:
    """The stage that lists a folder, and the listing that it is given."""
    from pipeline.storage import Cloud, PlainStore

    store = PlainStore(cloud=Cloud(endpoint))
    looked_for = ["gs://bucket/in/**/*.bz2", "gs://bucket/in/**/*.gz", "gs://bucket/in/"]
    stage = ListGCSFiles(store, "gs://bucket/out", LookedFor(store, looked_for, ""), pages)
    stage.start_bundle()
    (listing,) = listings(looked_for)
    return stage, listing


def _worker(
    endpoint: str, pages: int | None, ranges: Sequence[NameRange]
) -> tuple[int, float, list[NameRange]]:
    """What a worker makes of ranges of the listing: how many files, its CPU seconds, and the ranges that it left.

    Of no ranges it is the first, which is given all of it.
    """
    cpu = time.process_time()
    stage, listing = _stage(endpoint, pages)
    elements = [RangeOfListing(listing, names) for names in ranges] or [listing]
    given = [
        *(one for element in elements for one in stage.process(element)),
        *map(_value, stage.finish_bundle()),
    ]
    given = [one.value if isinstance(one, TaggedOutput) else one for one in given]
    left = [one.names for one in given if isinstance(one, RangeOfListing)]
    return _files_in(given), time.process_time() - cpu, left


def _value(windowed: Any) -> Any:
    """Of what a bundle gives at its end."""
    if isinstance(windowed, TaggedOutput):
        return TaggedOutput(windowed.tag, windowed.value.value)
    return windowed.value


def _files_in(given: list[Any]) -> int:
    packets = (one for one in given if isinstance(one, bytes) and one.startswith(FILES))
    return sum(1 for one in packets for _ in listed_files(one))


def _by_workers(endpoint: str) -> tuple[float, float, int]:
    """Seconds, CPU seconds, and files: as a runner hands on what is left of a listing, to processes that are there."""
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(_worker, [endpoint] * _WORKERS, [1] * _WORKERS, [[NameRange("x", "y")]] * _WORKERS))
        began = time.perf_counter()
        shares: list[list[NameRange]] = [[]]
        found, cpu = 0, 0.0
        for pages in LISTED_PAGES:
            some = [pool.submit(_worker, endpoint, pages, ranges) for ranges in shares]
            left: list[NameRange] = []
            for files, seconds, more in (one.result() for one in some):
                found, cpu, left = found + files, cpu + seconds, left + more
            shares = [some for at in range(_WORKERS) if (some := left[at::_WORKERS])]
        return time.perf_counter() - began, cpu, found


def _ours(endpoint: str) -> tuple[Callable[[], list[bytes]], Callable[[list[bytes]], int]]:
    """What the first stage of a job does with a folder, and how many files that gives."""
    stage, listing = _stage(endpoint)

    def listed() -> list[bytes]:
        return [*stage.process(listing), *(each.value for each in stage.finish_bundle())]

    return listed, _files_in


def _peer(endpoint: str) -> tuple[Callable[[], int], Callable[[int], int]]:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(
        project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint}
    )
    fields = "items(name,size,generation,crc32c),nextPageToken"
    return lambda: sum(1 for _ in client.list_blobs("bucket", prefix="in/", fields=fields)), int


def main(endpoint: str, who: str, count: int) -> None:
    if who == "workers":
        seconds, cpu, found = _by_workers(endpoint)
    else:
        call: Any
        call, how_many = _ours(endpoint) if who == "ours" else _peer(endpoint)
        began, cpu = time.perf_counter(), time.process_time()
        given = call()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        found = how_many(given)
    if found != count:
        raise BenchmarkError(f"{found:,} names came of {count:,}, the last of which is {name_of(count - 1)}")
    print(json.dumps({"seconds": round(seconds, 2), "cpu_us": round(1e6 * cpu / count, 2)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

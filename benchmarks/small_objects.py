"""How fast small objects come from a bucket, and at what CPU, to google-cloud-storage's own transfer_manager."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.row import BenchmarkError, Context, Goal, Row, median_ratio

_SIZE = 20_000
_SECONDS = 0.03  # a request
_PEER_THREADS = (16, 32, 64)


def rows(context: Context) -> list[Row]:
    count = 300 if context.quick else 2_000
    times = 1 if context.quick else 3
    with slow_bucket() as endpoint:

        def measured(who: str, threads: int = 0) -> dict[str, float]:
            command = [
                sys.executable,
                "-m",
                "benchmarks.small_objects",
                endpoint,
                who,
                str(count),
                str(threads),
            ]
            done = subprocess.run(command, cwd=context.root, capture_output=True, text=True, check=False)
            if done.returncode:
                raise BenchmarkError(f"{who} came to nothing: {done.stderr[-1000:]}")
            found: dict[str, float] = json.loads(done.stdout)
            print(f"  {who} {threads or ''}: {found}", file=sys.stderr)
            return found

        best = max(_PEER_THREADS, key=lambda threads: measured("peer", threads)["rate"])
        pairs = [(measured("ours"), measured("peer", best)) for _ in range(times)]
    ours, peers = zip(*pairs, strict=True)
    what = f"{count:,} objects of {_SIZE / 1000:.0f} kB at {1000 * _SECONDS:.0f} ms a request"
    return [
        Row(
            what=what,
            ours=median(one["rate"] for one in ours),
            unit="objects/s",
            goal=Goal(at_least=2),
            peer_name=f"transfer_manager, {best} threads",
            peer=median(one["rate"] for one in peers),
            ratio=median_ratio([one["rate"] for one in ours], [one["rate"] for one in peers]),
        ),
        Row(
            what=f"{what}: CPU an object, before it is decoded",
            ours=1000 * median(one["cpu_ms"] for one in ours),
            unit="us",
            goal=Goal(under=500),
            peer_name="transfer_manager",
            peer=1000 * median(one["cpu_ms"] for one in peers),
            ratio=median_ratio([one["cpu_ms"] for one in peers], [one["cpu_ms"] for one in ours]),
        ),
    ]


@contextmanager
def slow_bucket(count: int = 0) -> Iterator[str]:
    """The address of a server of objects of _SIZE, of which it lists so many; each answer takes _SECONDS."""
    command = [sys.executable, "-m", "benchmarks.slow_objects", str(_SIZE), str(_SECONDS), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def _ours(endpoint: str) -> Callable[[list[str]], int]:
    """Each is read whole and checked, by as many threads as a job's readers are."""
    from concurrent.futures import ThreadPoolExecutor

    from pipeline.read.pool import REMOTE_THREADS
    from pipeline.storage import Cloud, PlainStore

    store = PlainStore(cloud=Cloud(endpoint))
    pool = ThreadPoolExecutor(REMOTE_THREADS)

    def read(name: str) -> int:
        with store.open_read(f"gs://bucket/{name}", generation=7) as stream:
            return len(stream.read_whole())

    return lambda names: sum(pool.map(read, names))


def _peer(endpoint: str, threads: int) -> Callable[[list[str]], int]:
    import io

    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage
    from google.cloud.storage import transfer_manager

    client = storage.Client(
        project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint}
    )
    bucket = client.bucket("bucket")

    def read(names: list[str]) -> int:
        pairs = [(bucket.blob(name), io.BytesIO()) for name in names]
        transfer_manager.download_many(
            pairs, worker_type=transfer_manager.THREAD, max_workers=threads, raise_exception=True
        )
        return sum(len(body.getbuffer()) for _, body in pairs)

    return read


def main(endpoint: str, who: str, count: int, threads: int) -> None:
    import time

    read = _ours(endpoint) if who == "ours" else _peer(endpoint, threads)
    read([f"warm/{number}" for number in range(128)])
    began, cpu = time.perf_counter(), time.process_time()
    size = read([f"1.{number}" for number in range(count)])
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if size != count * _SIZE:
        raise BenchmarkError(f"{size:,} bytes came")
    print(json.dumps({"rate": round(count / seconds, 1), "cpu_ms": round(1000 * cpu / count, 3)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

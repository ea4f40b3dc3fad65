"""The demo's bucket on a local stack: a few hundred markets made for it, some of them broken, to try things on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chimera_nb.local.demo.files import demo_files
from pipeline.storage import Store

BUCKET, RESULTS = "chimera-demo", "chimera-demo-results"
_UPLOADS = 8  # at a time


@dataclass(frozen=True)
class DemoFiles:
    """Where the demo's files are, and where results of jobs over them may go. `bytes` are as stored."""

    inputs: str
    results: str
    files: int
    bytes: int


def put_demo(store: Store) -> DemoFiles:
    """Put the demo's files where they are not yet."""
    for bucket in (BUCKET, RESULTS):
        if not store.bucket_exists(bucket):
            store.make_bucket(bucket)
    there = {entry.uri: entry.size for entry in store.list_objects(f"gs://{BUCKET}/")}

    def put(uri: str, data: bytes) -> int:
        if there.get(uri) != len(data):
            store.write_bytes(uri, data)
        return len(data)

    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="put-demo") as pool:
        sizes = [pool.submit(put, f"gs://{BUCKET}/{file.name}", file.data) for file in demo_files()]
        return DemoFiles(
            f"gs://{BUCKET}/", f"gs://{RESULTS}/", len(sizes), sum(size.result() for size in sizes)
        )

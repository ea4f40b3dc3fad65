"""The demo's bucket on a local stack: a few hundred markets made for it, some of them broken, to try things on."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from chimera_nb.connect import connect
from chimera_nb.local import stack
from chimera_nb.local.demo.files import demo_files
from chimera_nb.settings import load_settings
from pipeline.storage import Store

BUCKET, RESULTS = "chimera-demo", "chimera-demo-results"
_UPLOADS = 8  # at a time


@dataclass(frozen=True)
class Demo:
    """Where the demo's files are, and where results of jobs over them may go. `bytes` are as stored."""

    inputs: str
    results: str
    files: int
    bytes: int


def open_demo(data_dir: Path | None = None) -> Demo:
    """A local stack with the demo's files on it; starts one when none runs, and `chimera down` stops it.

    `data_dir` is the stack's folder; left out, as everywhere: the nearest `.chimera` upward, or one right here.
    What is there already stays, so it may be called again. Raises StackError when the stack does not start.
    """
    running = stack.start(load_settings(data_dir).folder)
    os.environ["CHIMERA_DATA_DIR"] = str(running.data_dir)
    return put_demo(connect([f"gs://{BUCKET}/"]).store)


def put_demo(store: Store) -> Demo:
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
        return Demo(f"gs://{BUCKET}/", f"gs://{RESULTS}/", len(sizes), sum(size.result() for size in sizes))

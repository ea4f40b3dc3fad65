"""The demo's bucket on a local stack: a few hundred markets made for it, some of them broken, to try things on.

Those of one plan are there a second time, in one tar as Betfair's download is.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from chimera_nb.local.demo.files import DemoFile, demo_files
from pipeline.storage import Store

BUCKET, RESULTS, DOWNLOADS = "chimera-demo", "chimera-demo-results", "chimera-demo-downloads"
_ARCHIVE = f"gs://{DOWNLOADS}/data.tar"
_ARCHIVED = "ADVANCED/"
_UPLOADS = 8  # at a time


@dataclass(frozen=True)
class DemoFiles:
    """Where the demo's files are, and where results of jobs over them may go. `bytes` are as stored.

    `archive` is the tar, which is not among the inputs.
    """

    inputs: str
    results: str
    files: int
    bytes: int
    archive: str = field(repr=False)


def put_demo(store: Store) -> DemoFiles:
    """Put the demo's files where they are not yet."""
    for bucket in (BUCKET, RESULTS, DOWNLOADS):
        if not store.bucket_exists(bucket):
            store.make_bucket(bucket)
    there = {
        entry.uri: entry.size
        for place in (BUCKET, DOWNLOADS)
        for entry in store.list_objects(f"gs://{place}/")
    }

    def put(uri: str, data: bytes) -> int:
        if there.get(uri) != len(data):
            store.write_bytes(uri, data)
        return len(data)

    files = list(demo_files())
    put(_ARCHIVE, _tar_of(file for file in files if file.name.startswith(_ARCHIVED)))
    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="put-demo") as pool:
        sizes = list(pool.map(lambda file: put(f"gs://{BUCKET}/{file.name}", file.data), files))
    return DemoFiles(f"gs://{BUCKET}/", f"gs://{RESULTS}/", len(sizes), sum(sizes), _ARCHIVE)


def _tar_of(files: Iterable[DemoFile]) -> bytes:
    """The same bytes of the same files: members have no time and no owner."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for file in files:
            member = tarfile.TarInfo(file.name)
            member.size = len(file.data)
            tar.addfile(member, io.BytesIO(file.data))
    return made.getvalue()

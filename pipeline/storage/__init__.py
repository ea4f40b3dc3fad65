"""Buckets and local folders behind one object: list, stat, read, write, swap, move, delete.

store.py           Store: what everything else holds on to and hands on
entries.py         what a listing gives, and what a stream is
gcs.py             gs:// through google-cloud-storage
gcs_client.py      its client: one for a process, and its errors as ours
gcs_versions.py    changes there that hold only for what was seen: swap, move, delete
local.py           local paths through the operating system
local_streams.py   its streams, and its errors as ours
local_versions.py  such changes of local files
checksum.py        CRC-32C as Google Cloud Storage shows it
"""

from pipeline.storage.entries import Entry, Page, ReadStream, Version, WriteStream
from pipeline.storage.store import Store, join

__all__ = ["Entry", "Page", "ReadStream", "Store", "Version", "WriteStream", "join"]

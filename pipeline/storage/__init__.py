"""Buckets and local folders behind one object: list, stat, read, write, rename, delete.

store.py       Store: what everything else holds on to and hands on
entries.py     what a listing gives, and what a stream is
gcs.py         gs:// through google-cloud-storage
gcs_client.py  its client: one for a process, and its errors as ours
exchange.py    replace a small object that still holds what was seen there
local.py       local paths through the operating system
checksum.py    CRC-32C as Google Cloud Storage shows it
"""

from pipeline.storage.entries import Entry, Page, ReadStream, WriteStream
from pipeline.storage.store import Store, join

__all__ = ["Entry", "Page", "ReadStream", "Store", "WriteStream", "join"]

"""Buckets and local folders behind one object: list, stat, read, write, swap, move, delete.

store.py           Store: what everything else holds on to and hands on
plain.py           the one that asks buckets and local folders
bounded.py         a store within lists of what may be read and written (access_policy.py)
backends.py        what buckets and local files both are to it
entries.py         what a listing gives, and what a stream is
gcs.py             gs:// through google-cloud-storage: listing, writing, deleting
gcs_read.py        bodies of objects, each proved to be what the bucket keeps
gcs_write.py       objects written, also where an answer is lost
gcs_versions.py    changes there that hold only for what was seen: swap, move, delete
gcs_client.py      the pool of its clients, on what terms they are asked, what is tried again
gcs_faults.py      what a bucket means when it says no: reason and remedy
gcs_answers.py     its own words for it
cloud.py           which service gs:// is
patience.py        how long a store that fails is asked again, and how slow it may be
deadline.py        a bound on a whole request
name_ranges.py     a long listing by ranges of names, and the share of it that one worker lists
local.py           local paths through the operating system
local_streams.py   its streams, and its errors as ours
local_versions.py  such changes of local files
checksum.py        CRC-32C as Google Cloud Storage shows it
"""

from pipeline.storage.bounded import BoundedStore, bounded
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Entry, ListingPage, ReadStream, Version, WriteStream
from pipeline.storage.patience import PERSON, Patience
from pipeline.storage.plain import PlainStore
from pipeline.storage.store import Store, join

__all__ = [
    "PERSON",
    "BoundedStore",
    "Cloud",
    "Entry",
    "ListingPage",
    "Patience",
    "PlainStore",
    "ReadStream",
    "Store",
    "Version",
    "WriteStream",
    "bounded",
    "join",
]

"""What a ledger has of each file's time; of a million files in some seconds."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pipeline.errors import StorageError
from pipeline.ledger import FileRecord
from pipeline.storage import Store
from pipeline.target.contents import published
from pipeline.target.results import lines_of


class FileSeconds(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of a ledger's record (`pipeline.ledger`) that tell of time; those of before they were there are 0."""

    uri: str
    status: str
    size: int = 0
    codec: str | None = None
    raw_bytes: int = 0
    seconds: float = 0.0
    wire_seconds: float = 0.0
    disk_seconds: float = 0.0
    job_id: str | None = None


_NAMES = FileSeconds.__struct_fields__
_decode = msgspec.json.Decoder(FileSeconds).decode


def file_seconds(store: Store, target: str, job_id: str) -> Iterator[FileSeconds]:
    """Of each file that a job read, or failed to. Raises StorageError for a ledger that cannot be read."""
    for uri in published(store, target, kinds=("ledger",)):
        for line in lines_of(store, uri):
            try:
                found = _decoded(line)
            except (msgspec.MsgspecError, ValueError, TypeError) as e:
                raise StorageError(uri, f"holds a line that is no ledger record ({e})") from e
            if found.status != "skipped" and found.job_id in (None, job_id):
                yield found


def _decoded(line: bytes) -> FileSeconds:
    try:
        return _decode(line)
    except msgspec.MsgspecError:
        if b"\\ud" not in line:
            raise
    record = FileRecord.from_line(line)  # a local name that is no UTF-8
    return FileSeconds(**{name: getattr(record, name) for name in _NAMES})

"""What is known of an object: its generation, checksums, content type, and the metadata that its author gave.

It is JSON in the extended attribute `user.metadata` of the object's file, as fake-gcs-server has it, whose data can be
read here and the other way round; where a file system has no such attributes, in <file>.metadata beside it.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_ATTRIBUTE = "user.metadata"
BESIDE = ".metadata"
_WITHOUT = {errno.ENOTSUP, errno.E2BIG, errno.ENOSPC, errno.EPERM}


@dataclass(frozen=True)
class Known:
    """What is known of an object. Times are RFC 3339, checksums base64 as Cloud Storage shows them.

    md5 is empty where nobody asked for it when the object was written.
    """

    size: int
    crc32c: str
    generation: int
    created: str
    updated: str
    md5: str = ""
    content_type: str = ""
    content_encoding: str = ""
    content_disposition: str = ""
    content_language: str = ""
    cache_control: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        document = {name: getattr(self, ours) for name, ours in _FIELDS.items()}
        return json.dumps({**document, "Etag": self.etag, "StorageClass": "STANDARD"}).encode()

    @property
    def etag(self) -> str:
        """Another for each version, and the same for as long as it stands."""
        return base64.b64encode(str(self.generation).encode()).decode()

    @classmethod
    def from_json(cls, text: bytes, size: int) -> Known:
        document = json.loads(text)
        return cls(
            size=size, **{ours: document[name] for name, ours in _FIELDS.items() if document.get(name)}
        )


_FIELDS = {  # as fake-gcs-server names them
    "Crc32c": "crc32c",
    "Md5Hash": "md5",
    "Generation": "generation",
    "Created": "created",
    "Updated": "updated",
    "ContentType": "content_type",
    "ContentEncoding": "content_encoding",
    "ContentDisposition": "content_disposition",
    "ContentLanguage": "content_language",
    "CacheControl": "cache_control",
    "Metadata": "metadata",
}


def is_described(path: Path) -> bool:
    """Whether a file is a part of an object: its bytes, or the file beside them with what is known of it."""
    if path.name.endswith(BESIDE):
        return path.with_name(path.name.removesuffix(BESIDE)).exists()
    return read_known(path) is not None


def read_known(path: Path) -> Known | None:
    """What is known of a file; None where that is no object."""
    try:
        file = os.open(path, os.O_RDONLY)  # one and the same, also when another takes its place meanwhile
        try:
            size, text = os.fstat(file).st_size, _attribute(file)
        finally:
            os.close(file)
        if text is None:
            text = path.with_name(path.name + BESIDE).read_bytes()
        return Known.from_json(text, size)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def _attribute(file: int) -> bytes | None:
    if sys.platform != "linux":
        return None
    try:
        return os.getxattr(file, _ATTRIBUTE)
    except OSError as e:
        if e.errno in {errno.ENODATA, errno.ENOTSUP}:
            return None
        raise


def describe(path: Path, known: Known) -> bool:
    """Write what is known of a file into its attribute; False where that cannot be."""
    if sys.platform != "linux":
        return False
    try:
        os.setxattr(path, _ATTRIBUTE, known.to_json())
    except OSError as e:
        if e.errno not in _WITHOUT:
            raise
        return False
    return True


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside and rename it, so that it is never seen half written."""
    new = path.with_name(f".{path.name}.new{BESIDE}")
    new.write_bytes(data)
    new.replace(path)


def now() -> str:
    """The time in RFC 3339, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

"""What a job published, file by file: <target>/shards.ndjson, so that anybody can hold the files against it later.

One JSON object a line, for each file of output/ and then each of ledger/, in the order of their numbers:

    name    "output/output-00003-of-00010.ndjson", below the target
    bytes   its size
    lines   its line ends; of a view its rows
    header  bytes at its beginning that are no file's, if there are any: those of a CSV
    crc32c  of its bytes, base64, as a bucket shows it
    jobId   the job that wrote it

The summary has this list's own size and checksum.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.errors import StorageError
from pipeline.ledger import Part
from pipeline.read.lines import joined
from pipeline.storage import Store, join
from pipeline.target.layout import shards_uri
from pipeline.target.results import lines_of
from pipeline.write.groups import GroupIndex, published_parts


@dataclass(frozen=True)
class PublishedFile:
    """One file under its final name; the module's docstring has the fields."""

    name: str
    size: int
    lines: int
    crc32c: str | None
    header: int = 0

    @property
    def kind(self) -> str:
        """The folder it stands in: output or ledger."""
        return self.name.partition("/")[0]

    @property
    def suffix(self) -> str:
        """What its bytes are: ndjson, parquet, csv or xlsx."""
        return self.name.rpartition(".")[2]

    @property
    def folder(self) -> str:
        """Its folder below output/ or ledger/, which ends in "/", of rows that are divided; else ""."""
        rest = self.name.partition("/")[2]
        return rest[: rest.rfind("/") + 1]


def write_shard_list(
    store: Store, output: Iterable[GroupIndex], ledger: Iterable[GroupIndex], job_id: str, folder: str
) -> Part:
    """Write the list under a temporary name in `folder`; its lines are as many as there are files."""
    files = 0

    def documents() -> Iterator[bytes]:
        nonlocal files
        for kind, indexes in (("output", output), ("ledger", ledger)):
            for name, part in published_parts(kind, indexes):
                document = {
                    "name": name,
                    "bytes": part.size,
                    "lines": part.lines,
                    "crc32c": part.crc32c,
                    "jobId": job_id,
                    **({"header": part.header} if part.header else {}),
                }
                files += 1
                yield json.dumps(document, separators=(",", ":")).encode() + b"\n"

    with store.open_write(join(folder, f"shards-{uuid.uuid4().hex}.ndjson"), owner=job_id) as out:
        for block in joined(documents()):
            out.write(block)
    return Part(out.uri, out.size, files, out.crc32c, out.generation)


def read_shard_list(store: Store, target: str) -> Iterator[PublishedFile]:
    """The list of what was published at a target. Raises StorageError for one that cannot be read."""
    uri = shards_uri(target)
    for line in lines_of(store, uri):
        try:
            document = json.loads(line)
            yield PublishedFile(
                str(document["name"]),
                int(document["bytes"]),
                int(document["lines"]),
                document["crc32c"],
                int(document.get("header", 0)),
            )
        except (ValueError, TypeError, KeyError) as e:
            raise StorageError(uri, f"holds a line that tells of no published file ({e})") from e

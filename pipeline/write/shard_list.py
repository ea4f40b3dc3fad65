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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import StorageError
from pipeline.ledger import Part
from pipeline.read.lines import joined
from pipeline.storage import Store, join
from pipeline.target.layout import shard_name, shards_uri
from pipeline.target.results import lines_of


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


def published_names(kind: str, parts: Sequence[Part]) -> list[str]:
    """The names below the target that parts are published under, in the order of the parts, which is that of names."""
    return [
        f"{kind}/{part.folder}{shard_name(kind, index, len(parts), part.suffix)}"
        for index, part in enumerate(parts)
    ]


def write_shard_list(
    store: Store, output: Sequence[Part], ledger: Sequence[Part], job_id: str, folder: str
) -> Part:
    """Write the list under a temporary name in `folder`; its lines are as many as there are files."""

    def documents() -> Iterator[bytes]:
        for kind, parts in (("output", output), ("ledger", ledger)):
            parts = sorted(parts)  # noqa: PLW2901
            for name, part in zip(published_names(kind, parts), parts, strict=True):
                document = {
                    "name": name,
                    "bytes": part.size,
                    "lines": part.lines,
                    "crc32c": part.crc32c,
                    "jobId": job_id,
                    **({"header": part.header} if part.header else {}),
                }
                yield json.dumps(document, separators=(",", ":")).encode() + b"\n"

    with store.open_write(join(folder, f"shards-{uuid.uuid4().hex}.ndjson"), owner=job_id) as out:
        for block in joined(documents()):
            out.write(block)
    return Part(out.uri, out.size, len(output) + len(ledger), out.crc32c, out.generation)


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

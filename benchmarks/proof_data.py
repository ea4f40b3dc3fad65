"""An output of many small files, whole in every account, made without running a job: what `verify` is measured on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.ledger import FileRecord, Part, Totals
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.storage.checksum import Crc32c
from pipeline.target.layout import shard_name, shards_uri, summary_uri
from pipeline.write.groups import GroupIndex, Numbering, group_of, index_of
from pipeline.write.publish import summarise
from pipeline.write.shard_list import write_shard_list

SHARDS = 10
_IN_A_FOLDER = 500


def many_sources(folder: Path, files: int) -> str:
    """Write `files` input files below the folder, a multiple of SHARDS, and the output of a job over them.

    Gives the job's target.
    """
    target = folder / "out"
    for kind in ("output", "ledger"):
        (target / kind).mkdir(parents=True)
    totals = Totals()
    parts = []
    with (target / "ledger" / shard_name("ledger", 0, 1)).open("wb") as ledger:
        for shard in range(SHARDS):
            name = shard_name("output", shard, SHARDS)
            data = bytearray()
            for number in range(shard * files // SHARDS, (shard + 1) * files // SHARDS):
                record = _write_source(folder, number, name, len(data))
                data += Path(record.uri).read_bytes()
                totals = totals.add(record)
                ledger.write(record.to_line())
            (target / "output" / name).write_bytes(data)
            parts.append(Part(name, len(data), data.count(b"\n"), _crc32c(data)))
    written = Path(ledger.name).read_bytes()
    ledgers = [Part("ledger", len(written), files, _crc32c(written))]
    store = PlainStore()
    spec = JobSpec((f"{folder}/in/",), str(target), "made")
    indexes = [_index(parts), _index(ledgers)]
    published = write_shard_list(store, *indexes, spec.job_id, str(folder))
    Path(published.uri).rename(shards_uri(spec.target))
    patterns = [f"{folder}/in/*", f"{folder}/in/**/*"]
    about = {"startedAt": "2024-01-19T00:00:00.000Z", "patterns": patterns, "patternsTotal": 2}
    output = Numbering.of("output", [index.totals for index in indexes[0]])
    summary = summarise(spec, about, totals, output, published)
    store.write_bytes(summary_uri(spec.target), json.dumps(summary).encode())
    return spec.target


def _index(parts: Iterable[Part]) -> list[GroupIndex]:
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(group_of(part.folder, part.name), []).append(part)
    return [index_of(key, group) for key, group in groups.items()]


def _write_source(folder: Path, number: int, shard: str, offset: int) -> FileRecord:
    path = folder / "in" / str(number // _IN_A_FOLDER) / f"1.{number:09d}.ndjson"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b'{"market":"1.%d"}\n' % number
    path.write_bytes(data)
    crc32c = _crc32c(data)
    return FileRecord(
        str(path),
        "complete",
        size=len(data),
        codec="plain",
        raw_bytes=len(data),
        lines=1,
        output_bytes=len(data),
        crc32c=crc32c,
        job_id="made",
        shard=shard,
        offset=offset,
        output_crc32c=crc32c,
    )


def _crc32c(data: bytes) -> str:
    crc = Crc32c()
    crc.update(bytes(data))
    return str(crc)

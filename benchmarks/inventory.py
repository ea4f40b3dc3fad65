"""How fast an inventory report of 10,000,000 objects is planned, on one core, and in what memory; with no request.

The peer is pyarrow's reading of the same columns of the same files.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.command import own_peak
from benchmarks.row import BenchmarkError, Context, Goal, Row
from benchmarks.slow_objects import name_of

_SHARD_ROWS = 1_000_000  # of which Google makes a shard
_PIECE = 100_000
_REPORTS = {"csv": 3_000_000, "parquet": 10_000_000}  # a shard is read at a time, whatever their number
_COLUMNS = ("bucket", "name", "size", "generation", "crc32c", "timeDeleted", "storageClass", "updated")


def rows(context: Context) -> list[Row]:
    found = []
    for form, whole in _REPORTS.items():
        count = 200_000 if context.quick else whole
        manifest = _report(context.data_dir / f"inventory-{count}-{form}", form, count)
        ours, peer = _measured(context, "ours", manifest, count), _measured(context, "peer", manifest, count)
        what = f"an inventory report of {count:,} objects planned, {form}"
        found += [
            Row(
                what=f"{what}: CPU for 1,000 objects",
                ours=ours["cpu_us"],
                unit="ms",
                goal=Goal(under=10),
                peer_name="pyarrow, not matched",
                peer=peer["cpu_us"],
                ratio=peer["cpu_us"] / ours["cpu_us"],
            ),
            Row(what=f"{what}: peak RSS", ours=ours["peak_mb"], unit="MB", goal=Goal(under=400)),
        ]
    return found


def _report(folder: Path, form: str, count: int) -> Path:
    """A report as Google writes it, made once; its manifest, which is written last."""
    manifest = folder / "c0ffee_2026-11-26T00:00_manifest.json"
    if manifest.exists():
        return manifest
    print(f"making {folder} ...", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for first in range(0, count, _SHARD_ROWS):
        names.append(f"c0ffee_2026-11-26T00:00_{first // _SHARD_ROWS}.{form}")
        _shard(folder / names[-1], form, range(first, min(count, first + _SHARD_ROWS)))
    options = {"metadata_fields": _COLUMNS, "storage_filters": {"bucket": "bucket"}}
    said = {
        "report_config": {
            "csv_options": {"delimiter": ",", "header_required": True},
            "object_metadata_report_options": options,
        },
        "records_processed": count,
        "snapshot_time": "2026-11-26T00:00:00Z",
        "shard_count": len(names),
        "report_shards_file_names": names,
    }
    manifest.write_text(json.dumps(said))
    return manifest


def _shard(path: Path, form: str, numbers: range) -> None:
    writer, out = None, path.open("w")
    with out:
        if form == "csv":
            out.write(",".join(_COLUMNS) + "\n")
        for first in range(numbers.start, numbers.stop, _PIECE):
            some = range(first, min(numbers.stop, first + _PIECE))
            made = [
                ("bucket", name_of(n), 2_000 + n % 977, 1_700_000_000_000_000 + 7919 * n, "AAAAAA==", None)
                for n in some
            ]
            if form == "csv":
                rest = ",STANDARD,2026-01-01T00:00:00Z\n"
                out.writelines(
                    f"{b},{name},{size},{generation},{crc},{rest}"
                    for b, name, size, generation, crc, _ in made
                )
                continue
            columns = [pa.array(column) for column in zip(*made, strict=True)]
            columns[5] = columns[5].cast(pa.string())
            columns += [pa.array([text] * len(made)) for text in ("STANDARD", "2026-01-01T00:00:00Z")]
            table = pa.table(columns, names=list(_COLUMNS))
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    if writer:
        writer.close()


def _measured(context: Context, who: str, manifest: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.inventory", who, str(manifest), str(count)]
    done = subprocess.run(command, cwd=context.root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{who} came to nothing: {done.stderr[-1000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    print(f"  {who} {manifest.parent.name}: {found}", file=sys.stderr)
    return found


def _ours(manifest: str) -> tuple[int, float]:
    """What the stages of a job do with a report; how many files that gives, and the seconds that counting them took."""
    from apache_beam.pvalue import TaggedOutput

    from pipeline.graph.archive_stages import LookedFor
    from pipeline.graph.elements import FILES, listed_files
    from pipeline.graph.inventory_stages import ReadManifest, ReadShards
    from pipeline.storage import PlainStore

    store = PlainStore()
    looked_for = ["gs://bucket/in/**/*.bz2", "gs://bucket/in/**/*.gz", "gs://bucket/in/"]
    stage = ReadShards(store, "gs://bucket/out", LookedFor(store, looked_for, ""))
    files, missing, counting = 0, 0, 0.0
    for shard in ReadManifest(store, "bucket").process(manifest):
        if isinstance(shard, TaggedOutput):
            missing += shard.value if shard.tag == "rows" else 0
            continue
        stage.start_bundle()
        for found in chain(stage.process(shard), stage.finish_bundle()):
            element = getattr(found, "value", found)
            if isinstance(found, TaggedOutput):
                missing += found.value
            elif element.startswith(FILES):
                began = time.process_time()
                files += sum(1 for _ in listed_files(element))
                counting += time.process_time() - began
    if missing:
        raise BenchmarkError(f"{missing:,} rows are missing")
    return files, counting


def _peer(manifest: str) -> tuple[int, float]:
    import pyarrow.csv

    columns, rows = ["name", "size", "generation", "crc32c", "timeDeleted"], 0
    for path in Path(manifest).parent.glob("*_[0-9]*.*"):
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                rows += sum(batch.num_rows for batch in file.iter_batches(16_384, columns=columns))
        elif path.suffix == ".csv":
            how = pyarrow.csv.ConvertOptions(include_columns=columns)
            rows += sum(batch.num_rows for batch in pyarrow.csv.open_csv(path, convert_options=how))
    return rows, 0.0


def main(who: str, manifest: str, count: int) -> None:
    cpu = time.process_time()
    found, counting = _ours(manifest) if who == "ours" else _peer(manifest)
    cpu = time.process_time() - cpu - counting
    if found != count:
        raise BenchmarkError(f"{found:,} came of {count:,}")
    print(json.dumps({"cpu_us": round(1e6 * cpu / count, 2), "peak_mb": round(own_peak())}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

"""The names at a target.

<target>/output/output-00000-of-000NN.ndjson     whole lines; with a view, its rows: .ndjson, .parquet, .csv or .xlsx,
                                                 in folders such as output/event_type_id=7/ where that was asked for
<target>/ledger/ledger-00000-of-000NN.ndjson     one record per input file
<target>/shards.ndjson                           size, lines and checksum of each of those files (`shard_list`)
<target>/summary.json                            comes last: its presence means complete
<target>/_chimera/claim.json                     the state of the target, while a job has it (`pipeline.target.claim`)
<target>/_chimera/<job id>/                      a job's files under temporary names; gone when it has ended
<target>/_chimera/inputs/<job id>.ndjson         what a job was asked to read, when that is a long list; it stays
<target>/_chimera/inputs/<job id>.joined.ndjson  the outputs that a job adds to (`pipeline.target.joined`); it stays
<target>/since/<job id>/                         the target of a job that adds to what stands at <target>
"""

from __future__ import annotations

import re

from pipeline.storage import join

SUMMARY = "summary.json"
SHARDS = "shards.ndjson"
CLAIM = "_chimera/claim.json"
INPUTS = "inputs"  # no job id, so no job's folder
_SHARD = re.compile(r"(output|ledger)-(\d{5,})-of-(\d{5,})\.(?:ndjson|parquet|csv|xlsx)")
_FOLDERS = re.compile(r"(?:[^/=]+=[^/]*/)*")  # of rows that are divided by the values of columns


def summary_uri(target: str) -> str:
    return join(target, SUMMARY)


def claim_uri(target: str) -> str:
    return join(target, CLAIM)


def shards_uri(target: str) -> str:
    """The list of the files that were published (`pipeline.write.shard_list`)."""
    return join(target, SHARDS)


def shard_name(kind: str, index: int, total: int, suffix: str = "ndjson") -> str:
    return f"{kind}-{index:05d}-of-{total:05d}.{suffix}"


def shard_uri(target: str, kind: str, index: int, total: int) -> str:
    """The name of a published file; kind is "output" or "ledger"."""
    return join(target, kind, shard_name(kind, index, total))


def shards_prefix(target: str, kind: str) -> str:
    """What the names of published files of one kind begin with; of kind "list" there is one."""
    if kind == "list":
        return shards_uri(target)
    return join(target, kind) + "/" if kind == "output" else join(target, kind, f"{kind}-")


def is_published(target: str, uri: str) -> bool:
    """Whether a file below the target has the name of a published one: not one of another target within this one."""
    kind, _, rest = uri.removeprefix(join(target) + "/").partition("/")
    if not rest:
        return kind == SHARDS
    found = _FOLDERS.match(rest)
    end = found.end() if found and kind == "output" else 0
    shard = _SHARD.fullmatch(rest, end)
    return shard is not None and shard[1] == kind


def read_shard_name(uri: str) -> tuple[str, int] | None:
    """The kind of a published file and how many there are to be of it; None for a file that is none."""
    if uri.endswith(f"/{SHARDS}"):
        return "list", 1
    found = _SHARD.fullmatch(uri.rpartition("/")[2])
    return (found[1], int(found[3])) if found else None


def shard_number(name: str) -> int | None:
    """The number in the name of a published file; None for a file that is none."""
    found = _SHARD.fullmatch(name.rpartition("/")[2])
    return int(found[2]) if found else None


def job_folders(target: str) -> str:
    """The folder of the jobs' folders."""
    return join(target, "_chimera") + "/"


def job_folder(target: str, job_id: str) -> str:
    """Where all of a job's temporary files stand."""
    return f"{job_folders(target)}{job_id}/"


def parts_folder(target: str, job_id: str, kind: str) -> str:
    """Where a job's files of one kind stand under temporary names."""
    return join(job_folder(target, job_id), kind)


def patterns_uri(target: str, job_id: str) -> str:
    """All patterns of a job (`pipeline.inputs.manifest`)."""
    return join(job_folder(target, job_id), "patterns.ndjson")


def joined_name(job_id: str) -> str:
    """The manifest of a job that adds to earlier outputs, below its target (`pipeline.target.joined`)."""
    return f"_chimera/{INPUTS}/{job_id}.joined.ndjson"


def additions(target: str) -> str:
    """The folder of the targets of jobs that add to what stands at a target."""
    return join(target, "since") + "/"


def inputs_uri(target: str, job_id: str) -> str:
    """All inputs of a job that has many (`pipeline.inputs.manifest`)."""
    return join(job_folders(target), INPUTS, f"{job_id}.ndjson")

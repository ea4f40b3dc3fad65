"""What limits a job, and what helps, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chimera_nb.units import size

_SMALL = 256 << 10  # bytes of a file, below which a request takes longer than what it brings
_SLOW_CODECS = {
    "bz2": "zstd decodes about ten times as fast as bz2",
    "xz": "zstd decodes about four times as fast as xz",
}


@dataclass(frozen=True)
class Findings:
    """What is known of a job where its limit is: the median file's stored bytes, all files' bytes, and so on."""

    limit: str
    used: float
    files: int
    median: int
    stored: int
    raw: int
    slowest: float
    codec: str | None
    stages: Mapping[str, float]
    remote: bool
    runner: str
    parts: int


def remedy_for(found: Findings) -> tuple[str, str]:
    """Why a job took its time, and what helps against that; both empty where nothing can be said."""
    say = _SAY.get(found.limit)
    return say(found) if say else ("", "")


def _start(found: Findings) -> tuple[str, str]:
    return (
        f"most of it ({found.stages['listing']:.1f} s) was its start: reading took less",
        "more files in one job cost no more start",
    )


def _listing(found: Findings) -> tuple[str, str]:
    return (
        f"finding {found.files:,} files took {found.used:.0%} of the time",
        "select the folders that are wanted rather than all above them, or pack small files into tars",
    )


def _publishing(found: Findings) -> tuple[str, str]:
    return (
        f"publishing {found.parts:,} files took {found.used:.0%} of the time",
        "ask for fewer output files",
    )


def _wire(found: Findings) -> tuple[str, str]:
    why = f"files wait for {'the bucket' if found.remote else 'the disk they are on'}: {_used(found)}"
    if not found.remote:
        return why, "put the files on a faster disk; more cores do not help"
    if found.median < _SMALL:
        return why, (
            f"half of the files have under {size(max(found.median, 1))}, and each is a request: pack them into "
            "tars, which are read many files a request"
        )
    if found.runner == "direct":
        return why, "run where the bucket is: on Dataflow, or on a machine in its region"
    return why, "more workers, and in the bucket's region"


def _codec(found: Findings) -> tuple[str, str]:
    why = f"decoding takes what cores there are: {_used(found)}, for {size(found.raw)} of unpacked content"
    more = (
        "run on Dataflow, with several workers"
        if found.runner == "direct"
        else "more workers, or a larger machine type"
    )
    faster = _SLOW_CODECS.get(found.codec or "")
    return why, f"more cores: {more}" + (f"; {faster}" if faster else "")


def _file(found: Findings) -> tuple[str, str]:
    return (
        f"one file took {found.slowest:.1f} s, {found.used:.0%} of the time for reading; a file is read by one core",
        "split it where it is made; more workers do not help",
    )


def _disk(found: Findings) -> tuple[str, str]:
    return (
        f"lines wait on the temporary disk until their file proved good: {_used(found)}",
        "put temporary files on a faster disk (TMPDIR), or allow less temporary disk: what does not fit is read twice",
    )


def _used(found: Findings) -> str:
    return f"{found.used:.0%} of what reading is made of"


_SAY = {
    "start": _start,
    "listing": _listing,
    "publishing": _publishing,
    "wire": _wire,
    "codec": _codec,
    "file": _file,
    "disk": _disk,
}

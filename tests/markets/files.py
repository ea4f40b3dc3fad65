"""Stream files to hold the views against: the real ones where they are, and made-up markets of each plan."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from chimera_nb.local.demo.market import make_market
from pipeline.sources.view import View
from tests.fixtures.files import REAL

PLANS = ("BASIC", "ADVANCED", "PRO")


@dataclass
class Viewed:
    """The file that a view is given, and what it says of it."""

    uri: str = "gs://b/1.1.bz2"
    allowed: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def bad_line(self, number: int, reason: str) -> None:
        from pipeline.errors import BadFileError

        self.bad.append((number, reason))
        if len(self.bad) > self.allowed:
            raise BadFileError(f"line {number} {reason}")

    def note(self, text: str) -> None:
        self.notes.append(text)


def blocks(raw: bytes, size: int = 50_000) -> Iterator[bytes]:
    """Whole lines, in blocks of about that many bytes."""
    lines = raw.splitlines(keepends=True)
    held: list[bytes] = []
    for line in lines:
        held.append(line if line.endswith(b"\n") else line + b"\n")
        if sum(map(len, held)) >= size:
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)


def table(view: View, raw: bytes, file: Viewed | None = None, *, size: int = 50_000) -> pa.Table:
    return pa.Table.from_batches(view.rows(blocks(raw, size), file or Viewed()), view.schema)


def rows(view: View, raw: bytes, file: Viewed | None = None, *, size: int = 50_000) -> list[dict]:
    return table(view, raw, file, size=size).to_pylist()


def real_files() -> list[Path]:
    return sorted(p for p in REAL.rglob("1.*") if p.is_file()) if REAL.is_dir() else []


def read(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:3] == b"BZh":
        return bz2.decompress(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(archive.namelist()[0])
    return data


def made_up(count: int) -> Iterator[tuple[str, bytes]]:
    """Name and raw bytes of so many markets of each plan."""
    for plan in PLANS:
        for seed in range(count):
            yield f"{plan} {seed}", make_market(seed, 60 + seed % 200, plan=plan)

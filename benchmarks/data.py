"""What is measured on: made once, kept in the data folder, and made anew when the recipe has changed."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.row import BenchmarkError, MissingPeerError
from chimera_nb.local.demo.files import market_of_size

_FILE_BYTES = 292_000  # raw: 600 of them are 175 MB
_BASES = 24  # markets that all files are derived from; bz2 sees 900 kB at a time, so repeats do not help it
_PLANS = ("BASIC", "ADVANCED", "PRO")  # on average 200 bytes a line; the real files at hand have 240
_RECIPE = 1  # raise it when what is made changes in a way that the digest does not see


@dataclass(frozen=True)
class ManyFiles:
    """Two folders of as many files each, `once` being one of them and `twice` their parent."""

    once: Path
    twice: Path
    files: int  # in `once`
    raw_once: int  # bytes
    raw_twice: int


@dataclass(frozen=True)
class BigFile:
    """A file that stands alone in its folder, or for all that are in it, and the raw bytes of that."""

    path: Path
    raw: int


def find_lbzip2() -> str:
    """Its path. Raises MissingPeerError."""
    found = shutil.which("lbzip2")
    if not found:
        raise MissingPeerError("lbzip2 is not installed: apt-get install lbzip2")
    return found


def many_files(data_dir: Path, files: int) -> ManyFiles:
    """`files` .bz2 files and as many again, each a market of about 292 kB raw, all different."""
    folder = data_dir / f"files-{2 * files}"
    recipe = {"recipe": _RECIPE, "files": 2 * files, "market": hashlib.sha256(_base(0)).hexdigest()}
    done = _read_done(folder, recipe)
    if done is None:
        print(f"making {2 * files} files in {folder} ...", file=sys.stderr)
        _remake(folder)
        for half in "ab":
            (folder / half).mkdir()
        paths = [
            str(folder / "ab"[index // files] / f"1.{130_000_000 + index}.bz2") for index in range(2 * files)
        ]
        with ProcessPoolExecutor(2) as pool:
            sizes = list(pool.map(_write_file, range(2 * files), paths, chunksize=20))
        done = {**recipe, "once": sum(sizes[:files]), "twice": sum(sizes)}
        _done(folder).write_text(json.dumps(done))
    return ManyFiles(folder / "a", folder, files, int(done["once"]), int(done["twice"]))


def big_file(data_dir: Path, raw_bytes: int) -> BigFile:
    """One file of about that many raw bytes.

    lbzip2 compresses it, on all cores: it gives one stream of many blocks, as bzip2 itself would, but sooner.
    """
    folder = data_dir / f"big-{raw_bytes // 1_000_000}"
    recipe = {"recipe": _RECIPE, "bytes": raw_bytes, "market": hashlib.sha256(_base(0)).hexdigest()}
    path = folder / "1.130000000.bz2"
    done = _read_done(folder, recipe)
    if done is None:
        print(f"making one file of {raw_bytes / 1e6:.0f} MB raw in {folder} ...", file=sys.stderr)
        _remake(folder)
        raw = 0
        with path.open("wb") as target:
            packer = subprocess.Popen([find_lbzip2(), "-z", "-9"], stdin=subprocess.PIPE, stdout=target)
            assert packer.stdin is not None
            with packer.stdin as source:
                for market in _markets():
                    if raw >= raw_bytes:
                        break
                    raw += source.write(market)
            if packer.wait():
                raise BenchmarkError(f"lbzip2 ended with {packer.returncode} while it made {path}")
        done = {**recipe, "raw": raw}
        _done(folder).write_text(json.dumps(done))
    return BigFile(path, int(done["raw"]))


def market_files(count: int) -> Iterator[bytes]:
    """The raw bytes of as many files as `many_files` lays down, each ending in a line end."""
    return (_market(index).rstrip(b"\n") + b"\n" for index in range(count))


def small_markets(count: int) -> Iterator[bytes]:
    """The raw bytes of as many markets of about 20 kB, all different, each ending in a line end."""
    bases = [market_of_size(number, 20_000, plan="BASIC") for number in range(_BASES)]
    return (_renamed(bases[index % _BASES], index).rstrip(b"\n") + b"\n" for index in range(count))


def long_lines(data_dir: Path, files: int, line_bytes: int) -> BigFile:
    """So many .gz files of one line of about that size each; `path` is the first, `raw` the bytes of all."""
    folder = data_dir / f"lines-{files}-{line_bytes >> 20}"
    piece = bytes(range(48, 58)) * 1000
    line = b'{"x":"' + piece * (line_bytes // len(piece)) + b'"}\n'
    return _small(
        folder, {f"{i}.gz": lambda: gzip.compress(line, 1) for i in range(files)}, len(line) * files
    )


def bomb(data_dir: Path, raw_bytes: int) -> BigFile:
    """One .bz2 of some thousands of raw bytes for each of its own."""
    block = b'{"id":1,"x":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}\n' * 10_000
    blocks = raw_bytes // len(block)

    def packed() -> bytes:
        packer = bz2.BZ2Compressor()
        return b"".join(packer.compress(block) for _ in range(blocks)) + packer.flush()

    return _small(data_dir / f"bomb-{raw_bytes >> 20}", {"bomb.bz2": packed}, blocks * len(block))


def many_members(data_dir: Path, members: int) -> BigFile:
    """One .zip of so many files of one line each."""
    line = b'{"a":1}\n'

    def packed() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for i in range(members):
                archive.writestr(zipfile.ZipInfo(f"folder/{i:09d}.json"), line)
        return buffer.getvalue()

    return _small(data_dir / f"members-{members}", {"many.zip": packed}, members * len(line))


def _small(folder: Path, files: dict[str, Callable[[], bytes]], raw: int) -> BigFile:
    """Files that fit in memory, made unless they are there; the first of them stands for all."""
    recipe = {"recipe": _RECIPE, "raw": raw}
    if _read_done(folder, recipe) is None:
        print(f"making {folder} ...", file=sys.stderr)
        _remake(folder)
        for name, packed in files.items():
            (folder / name).write_bytes(packed())
        _done(folder).write_text(json.dumps(recipe))
    return BigFile(folder / next(iter(files)), raw)


def _markets() -> Iterator[bytes]:
    index = 0
    while True:
        yield _market(index)
        index += 1


@lru_cache(maxsize=_BASES)
def _base(number: int) -> bytes:
    return market_of_size(number, _FILE_BYTES, plan=_PLANS[number % len(_PLANS)])


def _market(index: int) -> bytes:
    """A market that no other index gives: a base under an id of its own."""
    return _renamed(_base(index % _BASES), index)


def _renamed(raw: bytes, index: int) -> bytes:
    start = raw.index(b'"id":"1.') + len(b'"id":"')
    name = raw[start : raw.index(b'"', start)]
    return raw.replace(b'"' + name + b'"', f'"1.{130_000_000 + index}"'.encode())


def _write_file(index: int, path: str) -> int:
    raw = _market(index)
    Path(path).write_bytes(bz2.compress(raw, 9))
    return len(raw)


def _done(folder: Path) -> Path:
    """Beside the folder, since a job reads whatever is in it."""
    return folder.with_name(f"{folder.name}.json")


def _read_done(folder: Path, recipe: dict[str, Any]) -> dict[str, Any] | None:
    """What a finished folder says of itself, if it was made by this recipe."""
    try:
        done = json.loads(_done(folder).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return done if {key: done.get(key) for key in recipe} == recipe else None


def _remake(folder: Path) -> None:
    _done(folder).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

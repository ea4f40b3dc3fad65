"""What the hardest inputs take of memory: whole jobs, in a process of their own."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import subprocess
import sys
import tarfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.storage import PlainStore
from tests.fixtures.bz2_blocks import repeated_block
from tests.unit.test_zip_directory import many

pytestmark = pytest.mark.timeout(300)
MOST = 400 << 20  # bytes resident; Beam by itself has 240 MB
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def peak_of_job(folder: Path, *arguments: str, at: str | None = None) -> int:
    """Bytes that a job over the folder, or over a copy of it elsewhere, has resident at its worst moment."""
    command = [sys.executable, "-m", "pipeline", "--target", f"{folder.parent}/out", "--input"]
    answer = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command, at or f"{folder}/", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    return int(answer.stdout.split()[-1]) * UNIT


# From a small process: the system counts for a child what its parent had resident as it began.
_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, timeout=280)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def lines_of(folder: Path) -> int:
    return int(json.loads((folder.parent / "out/summary.json").read_text())["lines"])


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "in"
    made.mkdir()
    return made


@pytest.fixture
def long_lines(folder):
    """The folder with 24 files, each of a line of 64 MiB, packed to 39 MB."""
    packed = gzip.compress(
        b'{"x":"' + os.urandom(1 << 14).hex().encode() * ((64 << 5) - 1) + b'"}\n{"y":1}\n', 1
    )
    for i in range(24):
        (folder / f"{i}.gz").write_bytes(packed)
    return folder


def test_two_dozen_lines_of_64_mib_at_once(long_lines):
    assert peak_of_job(long_lines) < MOST
    assert lines_of(long_lines) == 48


def test_two_dozen_lines_of_64_mib_at_once_out_of_a_bucket_and_into_it(long_lines, bucket):
    store, place = PlainStore(), f"gs://{bucket}"
    store.run_each(lambda file: store.upload_file(str(file), f"{place}/in/{file.name}"), long_lines.iterdir())
    assert peak_of_job(long_lines, "--target", f"{place}/out", at=f"{place}/in/") < MOST
    assert json.loads(store.read_bytes(f"{place}/out/summary.json"))["lines"] == 48


def test_a_bomb_with_little_disk_whose_lines_are_wanted(folder):
    raw = b'{"id":1,"x":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}\n' * (1 << 14)
    (folder / "a.bz2").write_bytes(repeated_block(raw, 600))
    assert bz2.decompress(repeated_block(raw, 3)) == raw * 3
    assert (folder / "a.bz2").stat().st_size < 50_000
    assert peak_of_job(folder, "--max-ratio", "0", "--spool-mb", "50") < MOST
    assert lines_of(folder) == 600 << 14


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_large_file_in_a_tar(folder, name):
    """400 MB of lines, and one line beside them: streamed, be the tar compressed or not."""
    line = b'{"x":"' + os.urandom(1 << 13).hex().encode() + b'"}\n'
    block, times = line * 64, 384
    header = tarfile.TarInfo("large.json")
    header.size = len(block) * times
    small = tarfile.TarInfo("small.json")
    small.size = len(line)
    with ExitStack() as stack:
        file = stack.enter_context((folder / name).open("wb"))
        if name.endswith("gz"):
            file = stack.enter_context(gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1))
        file.write(header.tobuf())
        for _ in range(times):
            file.write(block)
        file.write(bytes(-header.size % 512))
        file.write(small.tobuf() + line + bytes(-len(line) % 512 + 1024))
    assert peak_of_job(folder, "--spool-mb", "50") < MOST
    assert lines_of(folder) == 64 * times + 1


def test_a_file_takes_little_memory_until_the_ledger_is_published(folder):
    """A record that waits between two stages takes 3 kB where all runs in one process."""
    peaks = []
    for members in (1_000, 21_000):
        (folder / "a.zip").write_bytes(many(members))
        peaks.append(peak_of_job(folder, "--overwrite"))
        assert lines_of(folder) == members
    assert peaks[1] - peaks[0] < 1_500 * 20_000

"""What the hardest inputs take of memory: whole jobs, in a process of their own."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.test_zip_directory import many

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell a child's peak"),
]
MOST = 400 << 20  # bytes resident; Beam by itself has 240 MB
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def peak_of_job(folder: Path, *arguments: str) -> int:
    """Bytes that a job over the folder has resident at its worst moment."""
    command = [sys.executable, "-m", "pipeline", "--input", f"{folder}/", "--target", f"{folder.parent}/out"]
    with (folder.parent / "said").open("wb") as said:
        process = subprocess.Popen([*command, *arguments], stdout=said, stderr=subprocess.STDOUT)
        killed = threading.Timer(280, process.kill)
        killed.start()
        _, status, usage = os.wait4(process.pid, 0)
        killed.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (folder.parent / "said").read_text()[-2000:]
    return usage.ru_maxrss * UNIT


def lines_of(folder: Path) -> int:
    return int(json.loads((folder.parent / "out/summary.json").read_text())["lines"])


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "in"
    made.mkdir()
    return made


def test_two_dozen_lines_of_64_mib_at_once(folder):
    packed = gzip.compress(
        b'{"x":"' + os.urandom(1 << 14).hex().encode() * ((64 << 5) - 1) + b'"}\n{"y":1}\n', 1
    )
    for i in range(24):
        (folder / f"{i}.gz").write_bytes(packed)
    assert peak_of_job(folder) < MOST
    assert lines_of(folder) == 48


def test_a_bomb_with_little_disk_whose_lines_are_wanted(folder):
    packer = bz2.BZ2Compressor()
    raw = b'{"id":1,"x":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}\n' * (1 << 14)
    (folder / "a.bz2").write_bytes(b"".join(packer.compress(raw) for _ in range(600)) + packer.flush())
    assert (folder / "a.bz2").stat().st_size < 50_000
    assert peak_of_job(folder, "--max-ratio", "0", "--spool-mb", "50") < MOST
    assert lines_of(folder) == 600 << 14


def test_an_archive_of_300_000_members(folder):
    (folder / "a.zip").write_bytes(many(300_000))
    assert peak_of_job(folder) < MOST
    assert lines_of(folder) == 300_000

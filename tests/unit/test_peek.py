"""The first records of one file."""

from __future__ import annotations

import bz2
import gzip
import zipfile
from pathlib import Path

import pytest

from chimera_nb.data.sampling.sample import SampleWarning, peek
from chimera_nb.local.demo.files import market_of_size
from pipeline.errors import BadFileError, RefusedError
from tests.fixtures.files import good_files, lines
from tests.fixtures.sampling import hold_no_sample


@pytest.fixture(autouse=True)
def data_dir(monkeypatch, tmp_path) -> Path:
    return hold_no_sample(monkeypatch, tmp_path / "data")


@pytest.mark.parametrize("given", [g for g in good_files() if g.codec], ids=lambda given: given.name)
def test_peek_gives_the_first_records(tmp_path, given):
    path = tmp_path / given.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(given.data)
    frame = peek(str(path), 7)
    whole = [line for line in given.lines.split(b"\n") if line.strip()]
    assert frame.n.tolist() == list(range(7))
    if given.codec == "zip":  # of an archive, its first file
        with zipfile.ZipFile(path) as archive:
            whole = archive.read(archive.namelist()[0]).splitlines()
    assert len(peek(str(path), 10_000)) == len(whole)


def test_peek_reads_on_when_one_request_does_not_hold_so_many(tmp_path):
    raw = market_of_size(3, 5_000_000, plan="PRO")
    path = tmp_path / "x.bz2"
    path.write_bytes(bz2.compress(raw))
    assert len(peek(str(path), 3)) == 3
    n = raw.count(b"\n") - 1
    frame = peek(str(path), n)
    assert len(frame) == n
    assert frame.pt.is_monotonic_increasing


def test_peek_gives_what_comes_before_a_fault_and_says_so(tmp_path):
    path = tmp_path / "x.gz"
    raw = lines(1, 60_000)
    path.write_bytes(gzip.compress(raw)[:-300_000])
    assert len(peek(str(path), 10)) == 10
    with pytest.warns(SampleWarning, match="is cut off after"):
        frame = peek(str(path), 60_000)
    assert 1000 < len(frame) < 60_000
    path.write_bytes(b"<html>")
    with pytest.raises(BadFileError, match=r"x\.gz: is named \.gz but is not gzip: it is an HTML page"):
        peek(str(path))
    with pytest.raises(RefusedError, match="n is 0"):
        peek(str(path), 0)

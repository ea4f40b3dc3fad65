from __future__ import annotations

import bz2
from pathlib import Path

import numpy as np
import pytest

from chimera_nb.arguments import path_text, path_texts, whole_number
from chimera_nb.data.output import read_output
from chimera_nb.data.preview import preview
from chimera_nb.data.sampling.sample import peek, sample
from pipeline.errors import RefusedError


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "in" / "a.bz2"
    path.parent.mkdir()
    path.write_bytes(bz2.compress(b'{"n":1}\n{"n":2}\n'))
    return path


def test_a_path_does_as_well_as_text(file):
    assert preview(file).lines == preview(str(file)).lines
    assert peek(file, 1).n.tolist() == [1]
    assert sorted(sample(file.parent, 1e3).n) == [1, 2]
    assert sorted(sample([file], np.int64(5), seed=1).n) == [1, 2]


def test_a_path_of_a_bucket_is_refused_with_the_way_out(file):
    with pytest.raises(RefusedError, match=r"^gs:/b/x is a Path made of a gs:// URI; give the URI as text"):
        peek(Path("gs://b/x"))


@pytest.mark.parametrize("path", [None, 7, b"/data", ["/data"]])
def test_what_is_no_path_is_refused_in_one_line(path):
    with pytest.raises(RefusedError, match=r"^[^\n]* path"):
        path_text(path)
    with pytest.raises(RefusedError, match=r"^[^\n]*path"):
        path_texts([path])
    with pytest.raises(RefusedError):
        peek(path)


@pytest.mark.parametrize("n", [0, -1, 1.5, "5", None, True, float("nan"), float("inf"), 0.0])
def test_what_is_no_count_is_refused_by_its_name(file, n):
    with pytest.raises(RefusedError, match=r"^n is .*; give a whole number, 1 or more$"):
        peek(file, n)
    with pytest.raises(RefusedError, match=r"^n is .*; give a whole number, 1 or more$"):
        sample(file, n)
    if n is not None:
        with pytest.raises(RefusedError, match=r"^batch_rows is .*; give a whole number"):
            read_output(file.parent, batch_rows=n)


@pytest.mark.parametrize("n", [1, 1e3, np.int32(7), np.float64(2)])
def test_whole_numbers_of_any_type_are_counts(n):
    assert whole_number(n, "n", 1) == n
    assert type(whole_number(n, "n", 1)) is int

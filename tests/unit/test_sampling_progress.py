"""A sample tells how far it is, and is ended before its end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chimera_nb.data.sampling.run import SampleCancelledError
from chimera_nb.data.sampling.sample import SampleProgress, sample
from pipeline.storage import PlainStore
from tests.fixtures.sampling import hold_no_sample, lay_lengths


@pytest.fixture(autouse=True)
def data_dir(monkeypatch, tmp_path) -> Path:
    return hold_no_sample(monkeypatch, tmp_path / "data")


@pytest.fixture
def folder(tmp_path) -> Path:
    return lay_lengths(tmp_path / "in")


class Endless:
    """A file without an end, and that reads as long as somebody asks."""

    generation, crc32c, size = None, None, 0

    def __init__(self, uri, **_):
        self.uri = uri

    def read(self, size, /):
        self.size += size
        return b'{"a":1}\n' * (size // 8)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def endless(tmp_path, monkeypatch) -> str:
    path = tmp_path / "in" / "x"
    path.parent.mkdir()
    path.write_bytes(b"x" * 1000)
    monkeypatch.setattr(PlainStore, "open_read", staticmethod(Endless))
    return str(path)


def running() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith(("sample", "draw-lines"))]


def test_a_sample_can_be_cancelled_and_nothing_of_it_goes_on(endless, data_dir, caplog):
    cancel = threading.Event()

    def look(progress: SampleProgress) -> None:
        if progress.bytes_read > 10_000_000:
            cancel.set()

    with pytest.raises(SampleCancelledError):
        sample(endless, on_progress=look, cancel=cancel)
    assert running() == []
    assert caplog.records == []  # no traceback of Beam's
    assert not (data_dir / "samples").exists()


def test_an_interrupt_ends_it_the_same_way(endless):
    def look(progress: SampleProgress) -> None:
        if progress.bytes_read:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(endless, on_progress=look)
    assert running() == []


def test_progress_is_told_in_the_callers_thread_up_to_the_end(folder):
    seen, threads = [], set()

    def look(progress: SampleProgress) -> None:
        seen.append(progress)
        threads.add(threading.current_thread())

    sample(f"{folder}/", 5, on_progress=look)
    size = sum(path.stat().st_size for path in folder.rglob("*.bz2"))
    assert threads == {threading.current_thread()}
    assert seen[-1] == SampleProgress(6, 6, 6, 0, size, size, 2040)
    assert [p.bytes_read for p in seen] == sorted(p.bytes_read for p in seen)
    assert seen[-1].text == "6 of 6 files; 0.0 of 0.0 MB"
    assert SampleProgress(files_listed=12345).text == "listing: 12,345 files"

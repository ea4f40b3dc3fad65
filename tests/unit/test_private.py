"""The data folder and what is in it is its owner's alone."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from chimera_nb.data.sampling import cache
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.runners import spawn
from chimera_nb.machine.private import private_data_dir
from chimera_nb.settings import Settings
from chimera_nb.widgets.browser.navigation import RecentFolders
from pipeline.spec import JobSpec


@pytest.fixture(autouse=True)
def an_open_handed_user():
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What others may do anything with, below a folder and itself."""
    return [
        f"{path} {stat.S_IMODE(path.stat().st_mode):o}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o077
    ]


def used(folder: Path) -> None:
    """Have everything in a data folder that is not the stack's."""
    settings = Settings(data_dir=folder)
    spec = JobSpec(inputs=("/in/",), target="/out", job_id="2026-01-01-0badcafe")
    record = JobRecord.from_spec(spec, runner="direct", runner_options={}, created_by="x")
    # Closed here: left to the collector, it would take its files away while a test looks through the folder.
    with closing(open_log(settings)) as log:
        log.create(record)
        spawn.spawn("this", record, log, settings)
    cache.keep(
        settings.folder / "samples", "key", cache.Sample((), files=1, files_total=1, bytes=1, bytes_total=1)
    )
    RecentFolders(settings.folder).add("gs://b/")


def test_what_is_made_is_private_whatever_the_users_umask(tmp_path):
    used(tmp_path / ".chimera")
    names = {path.name for path in (tmp_path / ".chimera").iterdir()}
    assert {"jobs", "jobs.sqlite", "samples", "recent-places.json"} <= names
    assert open_to_others(tmp_path / ".chimera") == []


def test_what_was_left_open_is_closed_when_it_is_used_again(tmp_path):
    folder = tmp_path / ".chimera"
    used(folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o666)
    with closing(open_log(Settings(data_dir=folder))):  # what it has open beside the log goes with it
        assert open_to_others(folder) == []


def test_a_folder_that_has_other_things_stays_open_and_ours_in_it_is_closed(tmp_path):
    folder = tmp_path / "project"
    (folder / "theirs").mkdir(parents=True)
    used(folder)
    assert open_to_others(folder) == [f"{folder} 777", f"{folder / 'theirs'} 777"]


def test_a_sticky_folder_of_everybody_is_left_as_it_is(tmp_path):
    folder = tmp_path / ".chimera"
    folder.mkdir()
    folder.chmod(0o1777)
    private_data_dir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777


def test_a_file_that_goes_while_the_folder_is_looked_through_is_no_error(tmp_path, monkeypatch):
    """As jobs.sqlite-shm does when another process closes the log."""
    folder = tmp_path / ".chimera"
    folder.mkdir(mode=0o700)
    (folder / "jobs.sqlite").touch(mode=0o644)
    listed = [*folder.iterdir(), folder / "jobs.sqlite-shm", folder / "jobs.sqlite-wal"]
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(listed))
    private_data_dir(folder)
    monkeypatch.undo()
    assert open_to_others(folder) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another user")
def test_anothers_folder_is_not_ours_to_close(tmp_path):
    folder = tmp_path / ".chimera"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    private_data_dir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777

"""The current folder and the home folder, where they are and where they are not."""

from __future__ import annotations

import pwd

import pytest

from chimera_nb.local.state import known_data_dirs
from chimera_nb.machine.host_id import _state_folder
from chimera_nb.settings import load_settings
from pipeline.errors import SettingsError
from pipeline.folders import absolute, current_folder, home_expanded
from pipeline.spec import JobSpec


@pytest.fixture
def gone(tmp_path, monkeypatch):
    """The current folder is not there any more."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.fixture
def nobody(monkeypatch):
    """A user without a home and an entry in /etc/passwd."""

    def getpwuid(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", getpwuid)


@pytest.mark.usefixtures("gone")
def test_without_a_current_folder_one_line_says_so():
    with pytest.raises(SettingsError, match=r"^the current folder is not there any more.*cd$"):
        current_folder()
    with pytest.raises(SettingsError, match="current folder"):
        absolute("a/b")
    with pytest.raises(SettingsError, match="current folder"):
        JobSpec(("in",), "/out", "2024-01-01-abcdefgh")
    with pytest.raises(SettingsError, match="current folder"):
        load_settings()
    assert absolute("/a/b") == "/a/b"
    assert JobSpec(("/in",), "/out", "2024-01-01-abcdefgh").target == "/out"


@pytest.mark.usefixtures("nobody")
def test_without_a_home_only_what_begins_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"^~/x: this user has no home folder; set HOME"):
        home_expanded("~/x")
    with pytest.raises(SettingsError, match="set HOME"):
        JobSpec(("~/in",), "/out", "2024-01-01-abcdefgh")
    monkeypatch.setenv("CHIMERA_DATA_DIR", "~/data")
    with pytest.raises(SettingsError, match="set HOME"):
        load_settings()
    assert absolute("x") == f"{tmp_path}/x"
    assert _state_folder() is None
    assert list(known_data_dirs()) == []


def test_a_home_is_where_it_is_said_to_be(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_expanded("~/x/") == f"{tmp_path}/x/"
    assert home_expanded("~nobody-at-all/x") == "~nobody-at-all/x"
    assert home_expanded("~$draft.xlsx") == "~$draft.xlsx"
    assert load_settings("~/data").data_dir == tmp_path / "data"


def test_a_data_folder_that_is_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        SettingsError, match=f"^the data folder {tmp_path}/file is a file; name a folder with --data-dir"
    ):
        load_settings(tmp_path / "file")

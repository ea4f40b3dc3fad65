from __future__ import annotations

from pathlib import Path

import pytest

from chimera_nb.settings import Settings, load_settings
from pipeline.errors import SettingsError


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """An environment that says nothing, in a folder that holds nothing."""
    import os

    for name in list(os.environ):
        if name.startswith(("CHIMERA_", "GOOGLE_CLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_with_nothing_set_it_is_a_laptop(tmp_path):
    assert load_settings() == Settings()
    assert load_settings().folder == tmp_path / ".chimera"


def test_the_nearest_data_folder_upward_is_taken(tmp_path, monkeypatch):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / ".chimera").mkdir()
    monkeypatch.chdir(below)
    assert load_settings().folder == tmp_path / ".chimera"
    (tmp_path / "a" / ".chimera").mkdir()
    assert load_settings().folder == tmp_path / "a" / ".chimera"


def test_the_file_is_found_upward_and_the_environment_wins(tmp_path, monkeypatch):
    write(tmp_path / "chimera.toml", 'data_dir = "here"\nproject = "of-file"\njob_log = "firestore"\n')
    below = tmp_path / "a"
    below.mkdir()
    monkeypatch.chdir(below)
    assert load_settings() == Settings(data_dir=tmp_path / "here", project="of-file", job_log="firestore")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-environment")
    monkeypatch.setenv("CHIMERA_DATA_DIR", "there")
    assert load_settings().project == "of-environment"
    assert load_settings().data_dir == below / "there"
    assert load_settings(Path("given")).data_dir == below / "given"


def test_in_the_cloud_the_job_log_is_firestore_unless_said_otherwise(monkeypatch):
    monkeypatch.setenv("CHIMERA_PLACE", "cloud")
    with pytest.raises(SettingsError, match="set GOOGLE_CLOUD_PROJECT"):
        load_settings()
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    assert load_settings().job_log == "firestore"
    monkeypatch.setenv("CHIMERA_JOB_LOG", "sqlite")
    assert load_settings().job_log == "sqlite"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("place = ", "cannot be read"),
        ('plaice = "cloud"', "unknown setting plaice; there are: data_dir, place"),
        ("place = 3", "write it in quotes"),
        ('place = "moon"', "place is 'moon'; it is one of local, cloud"),
        ('job_log = "paper"', "job_log is 'paper'; it is one of sqlite, firestore"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(tmp_path, text, says):
    write(tmp_path / "chimera.toml", text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert says in str(caught.value)


def test_settings_come_out_the_same_in_another_process(tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path / "d", job_log="firestore", project="p", firestore_collection="c")
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings

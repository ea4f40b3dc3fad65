"""Inputs and targets, each by itself: no job has to be made up to ask about one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InvalidUriError, RefusedError, SettingsError, TargetError
from pipeline.locations import Inputs, Target
from pipeline.spec import JobSpec

ROOT = Path(__file__).parents[2]


def test_inputs_are_kept_once_and_local_ones_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Inputs(("a//b/", "./a/b/", f"{tmp_path}/a/b/")).uris == (f"{tmp_path}/a/b/",)
    found = Inputs(("gs://history/a//b", "gs://history/c*"))
    assert (found.bucket, found.paths) == ("history", ("a//b", "c*"))
    assert Inputs(("/a",)).bucket == ""


@pytest.mark.parametrize(
    ("uris", "error", "says"),
    [
        ((), RefusedError, "no inputs"),
        (("gs://one/a", "gs://two/a"), RefusedError, "in several places"),
        (("gs://one/a", "/a"), RefusedError, "local files"),
        (("s3://one/a",), InvalidUriError, "is not read"),
        (["gs://one/a"], SettingsError, "a list of texts"),
        ((1,), SettingsError, "a list of texts"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(uris, error, says):
    with pytest.raises(error, match=says):
        Inputs(uris)


def test_a_target_is_kept_without_its_last_slash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Target("gs://results/all/").uri == "gs://results/all"
    assert Target("gs://results/").bucket == "results"
    assert Target("out/../all/").uri == f"{tmp_path}/all"


@pytest.mark.parametrize("uri", ["/", "gs://results/a*", "gs://results//a", "gs://", "s3://results/a", ""])
def test_a_target_that_can_be_no_folder_is_refused(uri):
    with pytest.raises(TargetError, match="target"):
        Target(uri)


def test_a_specification_keeps_what_they_keep():
    spec = JobSpec(("gs://history/a", "gs://history/a"), "gs://results/all/", "j")
    assert spec.inputs == Inputs(("gs://history/a",)).uris
    assert spec.target == Target("gs://results/all/").uri


def test_nobody_makes_up_a_folder_to_ask_a_question():
    for path in [*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("chimera_nb/**/*.py")]:
        assert '"/nowhere"' not in path.read_text("utf-8"), path

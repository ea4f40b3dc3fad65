from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InvalidUriError, RefusedError, SettingsError, TargetError
from pipeline.spec import JobSpec

GOOD = {"inputs": ["gs://in/a/"], "target": "gs://out/x", "jobId": "job-1"}


def spec(**fields) -> JobSpec:
    return JobSpec(**{"inputs": ("gs://in/a/",), "target": "gs://out/x", "job_id": "job-1", **fields})


def target(path: str) -> str:
    return spec(target=path).target


def located(path: str) -> str:
    return spec(inputs=(path,), target="/t").inputs[0]


# What makes no sense is refused


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"inputs": ()}, "no inputs"),
        ({"inputs": ("gs://a/x", "gs://b/x")}, r"several places \(gs://a, gs://b\)"),
        ({"inputs": ("gs://a/x", "/local")}, r"several places \(gs://a, local files\)"),
        ({"inputs": ("s3://a/x",)}, "s3:// is not read"),
        ({"inputs": ("",)}, "is not a path"),
        ({"inputs": ("gs://a*b/x",)}, "glob cannot stand in the bucket"),
        ({"inputs": ("a\0b",)}, "is not a path"),
        ({"shards": 0}, "shards is 0"),
        ({"shards": -1}, "shards is -1"),
        ({"shards": 100_000}, "1 to 99,999"),
        ({"max_failures": -1}, "max-failures is -1"),
        ({"max_ratio": -1}, "max-ratio is -1"),
        ({"spool_mb": -1}, "spool-mb is -1"),
        ({"user_project": "a/b"}, "user project 'a/b' is no project's id"),
        ({"job_id": ""}, "job id ''"),
        ({"job_id": "../x"}, "job id"),
        ({"job_id": "a/b"}, "job id"),
        ({"job_id": "x\n"}, "job id"),
        ({"job_id": "x" * 101}, "job id"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(fields, says):
    with pytest.raises(RefusedError, match=says):
        spec(**fields)


@pytest.mark.parametrize(
    "path",
    ["", "s3://b/x", "gs:/b/x", "gs://", "gs://b/a*", "gs://b/a//c", "gs://b//c", "/", "/..", "//", "/a/[b]"],
)
def test_a_target_that_cannot_be_one_folder_is_refused(path):
    with pytest.raises(TargetError):
        target(path)


def test_a_target_is_kept_without_its_last_slash():
    assert target("gs://out/x/") == "gs://out/x"
    assert target("gs://out/") == target("gs://out") == "gs://out"
    assert target("/tmp/x//") == target("//tmp//x") == target("/tmp/./y/../x") == "/tmp/x"


def test_the_bucket_and_the_paths_within_it_are_those_of_the_inputs():
    made = spec(inputs=("gs://in/a//b/ c", "gs://in", "gs://in/../x"))
    assert (made.bucket, made.paths) == ("in", ("a//b/ c", "", "../x"))


# Local paths


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("a", "/a"),
        ("a/", "/a/"),
        ("./a", "/a"),
        ("././a/", "/a/"),
        (".", "/"),
        ("./", "/"),
        ("a/.", "/a/"),
        ("b/../a/", "/a/"),
        ("a//b", "/a/b"),
        (".//a", "/a"),
        ("a b/*.bz2", "/a b/*.bz2"),
        ("**/*", "/**/*"),
        ("..x/.y", "/..x/.y"),
        ("~no-such-user-here/x", "/~no-such-user-here/x"),
    ],
)
def test_a_local_path_is_made_absolute_with_its_last_slash_kept(here, given_, kept):
    assert located(given_) == here + kept


def test_a_path_above_this_folder_is_found(here):
    assert located("..") == str(Path(here).parent)
    assert located("../x/") == f"{Path(here).parent}/x/"


def test_home_is_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert located("~/x/") == "/home/ann/x/"
    assert located("/a/~/x") == "/a/~/x"


def test_a_root_stays_a_root():
    assert located("/") == located("//") == located("/../") == located("/.") == "/"


def test_one_local_folder_written_in_several_ways_is_one_input(here):
    assert spec(inputs=("a/b", f"{here}//a/b", "./a/./b", "a/c/../b"), target="/t").inputs == (f"{here}/a/b",)


def test_object_names_are_opaque(here):
    names = ("gs://in/a//b", "gs://in/a/b", "gs://in/a/./b", "gs://in/a/b/", "gs://in/ a/b")
    assert spec(inputs=names).inputs == names


@given(st.text(st.characters(exclude_characters="\0"), min_size=1).map(lambda name: f"/{name}"))
def test_a_local_path_is_stored_once_and_for_all(path):
    once = located(path)
    assert located(once) == once
    assert once.startswith("/")
    assert "//" not in once


# JSON


def test_a_specification_comes_back_from_json():
    made = spec(
        shards=3,
        keep_partial=True,
        max_failures=0,
        max_ratio=0,
        spool_mb=9,
        overwrite=True,
        source="betfair",
        user_project="example.com:my-team",
    )
    assert JobSpec.from_json(json.loads(json.dumps(made.to_json()))) == made


@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name))
def test_a_local_name_that_is_no_utf8_comes_back_from_json(name):
    made = spec(inputs=("/d/" + os.fsdecode(name),), target="/t")
    assert JobSpec.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_defaults_may_be_left_out_of_json():
    assert JobSpec.from_json(GOOD) == spec()


@pytest.mark.parametrize("name", ["inputs", "target", "jobId"])
def test_a_missing_field_is_named(name):
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        JobSpec.from_json({key: value for key, value in GOOD.items() if key != name})


def test_unknown_fields_are_named():
    with pytest.raises(SettingsError, match="unknown field job_id, shard"):
        JobSpec.from_json({**GOOD, "shard": 3, "job_id": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("inputs", "gs://in/a"),
        ("inputs", None),
        ("inputs", 5),
        ("inputs", [5]),
        ("inputs", [None]),
        ("inputs", {"gs://in/a": 1}),
        ("target", 5),
        ("target", None),
        ("jobId", 5),
        ("jobId", None),
        ("source", None),
        ("source", ["betfair"]),
        ("shards", "4"),
        ("shards", 4.0),
        ("shards", True),
        ("shards", [4]),
        ("keepPartial", "false"),
        ("keepPartial", 0),
        ("keepPartial", None),
        ("maxFailures", "0"),
        ("maxRatio", None),
        ("maxRatio", 0.5),
        ("spoolMb", "9"),
        ("maxFailures", 0.5),
        ("maxFailures", False),
        ("overwrite", "false"),
        ("overwrite", 1),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_and_named(name, value):
    with pytest.raises(SettingsError, match=name):
        JobSpec.from_json({**GOOD, name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
FIELDS = list(spec().to_json())


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_json_gets_past_the_check_but_by_a_refusal(changes):
    try:
        made = JobSpec.from_json({**GOOD, **changes})
    except RefusedError:  # any other error would be one that nobody expects
        return
    assert JobSpec.from_json(made.to_json()) == made
    assert (type(made.keep_partial), type(made.overwrite)) == (bool, bool)
    assert {type(made.shards), type(made.max_failures)} <= {int, type(None)}


def test_a_single_text_is_not_taken_for_a_list_of_inputs():
    with pytest.raises(SettingsError, match="inputs is 'gs://in/a'"):
        spec(inputs="gs://in/a")


def test_an_input_that_is_no_uri_keeps_its_own_kind_of_error():
    with pytest.raises(InvalidUriError):
        spec(inputs=("gs://",))

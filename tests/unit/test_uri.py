"""A URI says by itself whether it is of a member, whatever objects and members are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InvalidUriError, TargetError
from pipeline.glob import Pattern
from pipeline.locations import Inputs, Target
from pipeline.uri import Uri, archives_named, escape, split_pattern

NAMES = st.text(st.sampled_from("a!/.b*"), max_size=8)


@given(st.sampled_from(["", "bucket"]), NAMES.filter(bool), st.lists(NAMES, max_size=2).map(tuple))
def test_what_is_written_is_read_as_it_was(bucket, path, members):
    uri = Uri(bucket, path, members)
    assert Uri.parse(str(uri)) == uri
    if members:
        assert str(uri).startswith(str(uri.archive))
        assert Uri.parse(str(uri)).archive.of(members[-1]) == uri


@given(NAMES.filter(bool), NAMES, NAMES.filter(bool))
def test_a_member_and_an_object_are_never_written_alike(archive, member, name):
    assert str(Uri("b", archive, (member,))) != str(Uri("b", name))


@pytest.mark.parametrize(
    ("text", "path", "members"),
    [
        ("gs://b/data.tar", "data.tar", ()),
        ("gs://b/data.tar!/", "data.tar", ("",)),
        ("gs://b/data.tar!/2020/1.bz2", "data.tar", ("2020/1.bz2",)),
        ("gs://b/data.tar!/in.zip!/1.bz2", "data.tar", ("in.zip", "1.bz2")),
        ("gs://b/data.tar!!/x", "data.tar!/x", ()),
        ("gs://b/data.tar!!!/x", "data.tar!", ("x",)),
        ("gs://b/wow!", "wow!", ()),
        ("gs://b/data.tar!//etc/passwd", "data.tar", ("/etc/passwd",)),
        ("gs://b/data.tar!/../x", "data.tar", ("../x",)),
    ],
)
def test_how_a_uri_is_read(text, path, members):
    assert Uri.parse(text) == Uri("b", path, members)
    assert str(Uri.parse(text)) == text
    with pytest.raises(InvalidUriError):
        Uri.parse("s3://b/data.tar!/x")


def test_to_a_glob_an_archive_is_a_folder():
    name = Uri.parse("gs://b/h/data.tar!/2020/Jan/1.2.bz2").written_path
    for text in ("h/**/*.bz2", "**", "h/data.tar!/2020/**/1.*.bz2", "h/*.tar!/**", escape(name)):
        assert Pattern(text).matches(name), text
        assert Pattern(text).reaches("h/data.tar!/"), text
    for text in ("h/*.bz2", "h/*", "h/data.tar", "h/data.zip!/**"):
        assert not Pattern(text).matches(name), text
        assert not Pattern(text).reaches("h/data.tar!/"), text


@given(
    st.lists(st.sampled_from(["a", "/", "*", "**", "?", "**/"]), min_size=1, max_size=6).map("".join),
    st.text("ab/", max_size=6),
)
def test_a_pattern_reaches_whatever_a_name_that_it_matches_begins_with(text, name):
    if text.endswith("/") and not text.endswith("**/"):
        text += "a"
    pattern = Pattern(text + "a")
    if pattern.matches(name):
        assert all(pattern.reaches(name[:end]) for end in range(len(name)))


def test_a_pattern_is_split_where_it_names_an_archive():
    assert split_pattern("a/b!!/*.tar!/**/*.bz2") == ("a/b!!/*.tar", "**/*.bz2")
    assert split_pattern("a/**/*.bz2") == ("a/**/*.bz2", None)
    assert [outside for outside, _ in archives_named("a.tar!/b.zip!/*")] == ["a.tar", "a.tar!/b.zip"]


def test_names_in_an_archive_are_no_paths_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Inputs(("x/../data.tar!/../a//b",)).uris == (f"{tmp_path}/data.tar!/../a//b",)
    assert Uri.parse("gs://b/data.tar!//x").written_path == "data.tar!//x"


@pytest.mark.parametrize("target", ["gs://b/data.tar!/x", "gs://b/odd!", "/tmp/data.zip!/out"])
def test_nothing_is_written_into_an_archive(target):
    with pytest.raises(TargetError, match="archives are only read"):
        Target(target)

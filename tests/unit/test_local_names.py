from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.local.storage.names import ends_inside_a_part, from_disk, to_disk, to_disk_prefix

# Short alphabets make the rare cases common; long runs cross the limit of a part.
_PIECES = st.sampled_from([*"a!/. 0_-+é\0", "x" * 199, "x" * 200, "x" * 201, "é" * 120, "." * 200])
NAMES = st.lists(_PIECES, min_size=1, max_size=8).map("".join)
PREFIXES = st.lists(_PIECES, max_size=5).map("".join)


@given(NAMES)
def test_a_name_comes_back_from_disk(name):
    assert from_disk(to_disk(name)) == name


@given(NAMES)
def test_every_part_of_a_path_is_a_file_name(name):
    for part in to_disk(name).split("/"):
        assert part not in {"", ".", ".."}
        assert "\0" not in part
        assert len(part.encode()) <= 210


@given(NAMES, NAMES)
def test_no_object_stands_where_another_needs_a_folder(one, other):
    assert not to_disk(one).startswith(to_disk(other) + "/")


@given(NAMES, PREFIXES)
def test_a_prefix_finds_the_same_objects_on_disk(name, prefix):
    assert to_disk(name).startswith(to_disk_prefix(prefix)) == name.startswith(prefix)


@given(NAMES, st.integers(0, 2000))
def test_every_beginning_of_a_name_finds_it(name, length):
    assert to_disk(name).startswith(to_disk_prefix(name[:length]))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b.csv", "a/b.csv!"),
        ("a/", "a/!"),
        ("a//b", "a/!_/b!"),
        ("../x", "..!_/x!"),
        ("what!", "what!!!"),
        ("x" * 250, "x" * 200 + "!-/!+" + "x" * 50 + "!"),
    ],
)
def test_names_stay_readable_on_disk(name, path):
    assert to_disk(name) == path


def test_names_keep_their_order():
    names = ["a", "a-b", "a.b", "a/b", "a/c", "a0", "data", "data-2/x", "data/x", "data2/x", "z!", "ü"]
    assert sorted(map(to_disk, names)) == [to_disk(name) for name in names]


@pytest.mark.parametrize(
    ("prefix", "inside"), [("a/", False), ("a!!/", False), ("a!-/", True), ("a!!-/", False), ("!_/", False)]
)
def test_a_folder_that_continues_a_part_is_told_from_one_of_the_bucket(prefix, inside):
    assert ends_inside_a_part(prefix) is inside

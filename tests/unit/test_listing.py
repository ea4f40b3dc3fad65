from __future__ import annotations

import os
import pickle
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs.listing import Listing, Listings, listings, only_patterns, wanted
from pipeline.inputs.matching import list_matches
from pipeline.inputs.unmatched import NAMES_KEPT, Unmatched
from pipeline.storage import PlainStore

STORE = PlainStore()


def folder(uri: str, suffix: str = "") -> list[str]:
    return [f"{uri}*{suffix}", f"{uri}**/*{suffix}"]


def test_a_folders_two_patterns_are_one_listing_of_it():
    looked_for = wanted({"gs://b/a/": folder("gs://b/a/", ".bz2")})
    assert looked_for == ["gs://b/a/*.bz2", "gs://b/a/", "gs://b/a/**/*.bz2"]
    assert only_patterns(looked_for) == folder("gs://b/a/", ".bz2")
    (one,) = listings(looked_for)
    assert one == Listing(
        "gs://b/a/", ("gs://b/a/**/*.bz2",), recursive=True, folder=True, held=("gs://b/a/*.bz2",)
    )


def test_what_is_selected_as_a_glob_or_a_name_is_no_folder():
    looked_for = wanted(
        {
            "gs://b/a/*.bz2": ["gs://b/a/*.bz2"],
            "gs://b/a/**/1.*": ["gs://b/a/**/1.*"],
            "gs://b/c.bz2": ["gs://b/c.bz2"],
        }
    )
    assert only_patterns(looked_for) == looked_for
    assert listings(looked_for) == [
        Listing("gs://b/c.bz2"),
        Listing("gs://b/a/", ("gs://b/a/*.bz2", "gs://b/a/**/1.*"), recursive=True),
    ]


@pytest.mark.parametrize(
    ("input_", "patterns", "looks"),
    [
        ("gs://b", folder("gs://b/", ".bz2"), "gs://b/"),
        ("gs://b/", folder("gs://b/", ".bz2"), "gs://b/"),
        ("/", folder("/"), "/"),
        ("gs://b/x", ["gs://b/x", *folder("gs://b/x/")], "gs://b/x/"),
        ("gs://b/f[1]", folder("gs://b/f[[]1]/"), "gs://b/f[1]/"),  # a folder of that name
        ("gs://b/x", ["gs://b/x/data-*.csv"], "gs://b/x/"),  # a source with a longer prefix
    ],
)
def test_a_folder_is_looked_for_as_a_whole_however_it_is_written(input_, patterns, looks):
    assert [text for text in wanted({input_: patterns}) if text.endswith("/")] == [looks]
    found = [one for one in listings(wanted({input_: patterns})) if one.patterns]
    assert [(one.prefix, one.folder) for one in found] == [(looks, True)]


def test_a_pattern_within_a_selected_folder_shares_its_listing():
    looked_for = wanted({"gs://b/a/": folder("gs://b/a/", ".bz2"), "gs://b/a/x/*.txt": ["gs://b/a/x/*.txt"]})
    (one,) = listings(looked_for)
    assert one.patterns == ("gs://b/a/**/*.bz2", "gs://b/a/x/*.txt")


def test_a_listing_tells_of_each_file_whether_it_is_taken(tmp_path):
    for name in ("a/1.bz2", "a/2.txt", "a/b/3.bz2", "a/b/4.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (one,) = listings(wanted({f"{tmp_path}/a/": folder(f"{tmp_path}/a/", ".bz2")}))
    given = Listings([one]).files(one, STORE)
    found = {entry.uri.removeprefix(f"{tmp_path}/"): taken for entry, taken, in_folder in given if in_folder}
    assert found == {"a/1.bz2": True, "a/2.txt": False, "a/b/3.bz2": True, "a/b/4.txt": False}


NAMES = ["a/1.bz2", "a/2.txt", "a/b/1.bz2", "a/b/3.txt", "c.bz2", "d/e/f.bz2"]
SELECTED = {
    "a/": ["a/*.bz2", "a/**/*.bz2"],
    "a/b": ["a/b/*.bz2", "a/b/**/*.bz2"],
    "a/*": ["a/*"],
    "**/3.*": ["**/3.*"],
    "*/b/**": ["*/b/**"],
    "c.bz2": ["c.bz2"],
    "a/2.txt": ["a/2.txt"],
    "d/": ["d/*", "d/**/*"],
}


@given(st.sets(st.sampled_from(sorted(SELECTED)), min_size=1))
def test_listings_take_what_the_patterns_match_whichever_are_selected(tmp_path_factory, selected):
    at = tmp_path_factory.mktemp("any")
    for name in NAMES:
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).touch()
    by_input = {f"{at}/{one}": [f"{at}/{text}" for text in SELECTED[one]] for one in sorted(selected)}
    patterns = [pattern for several in by_input.values() for pattern in several]
    expected = {entry.uri for pattern in patterns for entry in list_matches(STORE, pattern)}
    taken, told = [], []
    found = listings(wanted(by_input))
    for one in found:
        if not one.patterns:
            taken.append(one.prefix)
        for entry, is_taken, in_folder in Listings(found).files(one, STORE) if one.patterns else ():
            taken += [entry.uri] if is_taken else []
            told += [entry.uri] if in_folder and not is_taken else []
    assert sorted(taken) == sorted(expected)  # each once
    folders = {f"{at}/{one}/".replace("//", "/") for one in selected if one in {"a/", "a/b", "d/"}}
    in_folders = {f"{at}/{name}" for name in NAMES if f"{at}/{name}".startswith(tuple(folders))}
    assert sorted(told) == sorted(in_folders - set(taken))


def test_a_listing_travels_with_names_that_are_no_text():
    one = Listing(os.fsdecode(b"/in/\xff/"), (os.fsdecode(b"/in/\xff/*"),))
    assert pickle.loads(pickle.dumps(one)) == one


# What no pattern takes


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 1 << 40)), max_size=40), st.integers(0, 40))
def test_sums_of_what_is_not_taken_merge_in_any_order(files, at):
    def told(some) -> Unmatched:
        return reduce(lambda so_far, file: so_far.add(*file), some, Unmatched())

    whole = told(files)
    assert told(files[:at]).merge(told(files[at:])) == told(files[::-1]) == whole
    assert (whole.files, whole.bytes) == (len(files), sum(size for _, size in files))
    assert list(whole.first) == sorted({uri for uri, _ in files})[:NAMES_KEPT]

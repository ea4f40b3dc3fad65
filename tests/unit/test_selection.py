from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.admit import admit
from pipeline.errors import (
    AccessDeniedError,
    ChimeraError,
    InvalidPatternError,
    NothingMatchesError,
    ObjectNotFoundError,
    RefusedError,
    TargetError,
    UnknownNameError,
)
from pipeline.glob import Pattern
from pipeline.inputs.selection import (
    check_apart,
    check_inputs,
    check_outside,
    list_matches,
    patterns_by_input,
)
from pipeline.locations import Inputs, Target
from pipeline.sources import build_patterns
from pipeline.sources.ndjson import NdjsonSource
from pipeline.spec import JobSpec
from pipeline.storage import Entry, PlainStore
from tests.fixtures.local_files import lock_folder

STORE = PlainStore()


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x\n")


def spec(*inputs: object, **fields) -> JobSpec:
    return JobSpec(
        **{"inputs": tuple(map(str, inputs)), "target": "/no/such/target", "job_id": "j", **fields}
    )


def by_input_of(spec: JobSpec) -> dict[str, list[str]]:
    return patterns_by_input(STORE, Inputs(spec.inputs), spec.source)


def check_made_apart(made: JobSpec, patterns: list[str]) -> None:
    inputs, target = Inputs(made.inputs), Target(made.target)
    check_apart(STORE, inputs, target, patterns, job_id=made.job_id, overwrite=made.overwrite)


def patterns_of(spec: JobSpec) -> list[str]:
    by_input = by_input_of(spec).values()
    return list(dict.fromkeys(pattern for patterns in by_input for pattern in patterns))


def selected(folder: Path, *paths: str, source: str = "ndjson") -> set[str]:
    """The names of the files that a job over these paths would read."""
    patterns = patterns_of(spec(*(f"{folder}/{path}" for path in paths), source=source))
    return {
        entry.uri.removeprefix(f"{folder}/") for pattern in patterns for entry in list_matches(STORE, pattern)
    }


# What is selected

TREE = ("a.bz2", "b.gz", "d/c.bz2", "d/e/f.bz2", "d/e/g.txt", "dd/h.bz2", "d.bz2")


@pytest.mark.parametrize(
    ("path", "betfair", "ndjson"),
    [
        ("", {"a.bz2", "d/c.bz2", "d/e/f.bz2", "dd/h.bz2", "d.bz2"}, set(TREE)),
        ("d", {"d/c.bz2", "d/e/f.bz2"}, {"d/c.bz2", "d/e/f.bz2", "d/e/g.txt"}),
        ("d/", {"d/c.bz2", "d/e/f.bz2"}, {"d/c.bz2", "d/e/f.bz2", "d/e/g.txt"}),
        ("d/c.bz2", {"d/c.bz2"}, {"d/c.bz2"}),
        ("d*", {"d.bz2"}, {"d.bz2"}),
        ("d*/*.bz2", {"d/c.bz2", "dd/h.bz2"}, {"d/c.bz2", "dd/h.bz2"}),
        ("**/*.bz2", {n for n in TREE if n.endswith(".bz2")}, {n for n in TREE if n.endswith(".bz2")}),
        ("d/?/", {"d/e/f.bz2"}, {"d/e/f.bz2", "d/e/g.txt"}),
        ("gone", set(), set()),
    ],
)
def test_a_folder_a_file_or_a_glob_is_selected(tmp_path, path, betfair, ndjson):
    lay(tmp_path, *TREE)
    assert selected(tmp_path, path, source="betfair") == betfair
    assert selected(tmp_path, path) == ndjson


def test_a_path_that_overlaps_another_selects_no_pattern_twice(tmp_path):
    lay(tmp_path, *TREE)
    patterns = patterns_of(spec(f"{tmp_path}/d", f"{tmp_path}/d/", f"{tmp_path}/./d", f"{tmp_path}//d"))
    assert patterns == [f"{tmp_path}/d/*", f"{tmp_path}/d/**/*"]


@pytest.mark.parametrize("source", ["betfair", "ndjson"])
@pytest.mark.parametrize("name", ["a[1].bz2", "a*.bz2", "a?.bz2", "[.bz2", "[z-a].bz2"])
def test_a_file_that_is_there_under_a_name_with_glob_characters_is_that_file(tmp_path, source, name):
    lay(tmp_path, name, "a1.bz2", "ab.bz2", "z.bz2")
    assert selected(tmp_path, name, source=source) == {name}


@pytest.mark.parametrize("source", ["betfair", "ndjson"])
@pytest.mark.parametrize("path", ["d[1]", "d[1]/", "d*", "d?/"])
def test_a_folder_that_is_there_under_a_name_with_glob_characters_is_that_folder(tmp_path, source, path):
    folder = path.rstrip("/")
    # A name between the folder's own and those of its files: "-" sorts before "/".
    lay(
        tmp_path,
        f"{folder}/x.bz2",
        f"{folder}/e/y.bz2",
        f"{folder}-old.bz2",
        "d1/z.bz2",
        "db/z.bz2",
        "d1.bz2",
    )
    assert selected(tmp_path, path, source=source) == {f"{folder}/x.bz2", f"{folder}/e/y.bz2"}


def test_a_glob_whose_text_only_begins_a_name_is_a_glob(tmp_path):
    lay(tmp_path, "a[1]b", "a1")
    assert selected(tmp_path, "a[1]") == {"a1"}


def test_an_object_and_a_folder_of_one_odd_name_are_both_selected(monkeypatch):
    there = ["gs://b/a[1]", "gs://b/a[1]-old", "gs://b/a[1]/x", "gs://b/a1"]
    monkeypatch.setattr(PlainStore, "exists", staticmethod(lambda uri: uri in there))
    monkeypatch.setattr(
        PlainStore,
        "list_objects",
        staticmethod(lambda prefix, **_: (Entry(u, 1) for u in there if u.startswith(prefix))),
    )
    patterns = patterns_of(spec("gs://b/a[1]"))
    assert {entry.uri for pattern in patterns for entry in list_matches(STORE, pattern)} == {
        there[0],
        there[2],
    }


def test_a_glob_too_long_to_be_a_name_is_still_a_glob(tmp_path):
    lay(tmp_path, "aaa")
    assert selected(tmp_path, "a" + "*" + "[a]" * 200) == set()
    assert selected(tmp_path, "aaa/*") == set()
    assert selected(tmp_path, "[" + "a" * 300 + "]aa") == {"aaa"}


def test_what_is_behind_links_is_selected(tmp_path):
    lay(tmp_path, "in/x.bz2", "out/y.bz2")
    (tmp_path / "in/link.bz2").symlink_to("../out/y.bz2")
    (tmp_path / "in/folder").symlink_to("../out")
    (tmp_path / "in/dangling.bz2").symlink_to("nowhere")
    assert selected(tmp_path, "in") == {"in/x.bz2", "in/link.bz2", "in/dangling.bz2", "in/folder/y.bz2"}
    assert selected(tmp_path, "in/folder") == {"in/folder/y.bz2"}


def test_a_name_that_is_no_utf8_is_selected(tmp_path):
    name = os.fsdecode(b"\xff\xfe.bz2")
    lay(tmp_path, f"d/{name}")
    assert (
        selected(tmp_path, "d")
        == selected(tmp_path, f"d/{name}")
        == selected(tmp_path, "d/*")
        == {f"d/{name}"}
    )


NAME = st.lists(st.sampled_from(["a", "b", "ab", "a[b]", "a*", ".a", "a.b"]), min_size=1, max_size=4).map(
    "/".join
)
GLOB = st.lists(
    st.sampled_from(["a", "b", "*", "**", "?", "[ab]", "a*", "**/*", "[!a]*", "a[[]b]", "*b"]),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(deadline=None, max_examples=150)
@given(st.sets(NAME, min_size=1, max_size=8), GLOB)
def test_matches_are_those_of_a_brute_force_walk(tmp_path_factory, names, glob):
    folder = tmp_path_factory.mktemp("tree")
    for name in sorted(names):
        if not any(parent.is_file() for parent in (folder / name).parents) and not (folder / name).exists():
            lay(folder, name)
    pattern = Pattern(f"{folder}/{glob}")
    there = [f"{at}/{file}" for at, _, files in os.walk(folder) for file in files]
    found = [entry.uri for entry in list_matches(STORE, f"{folder}/{glob}")]
    assert found == sorted(uri for uri in there if pattern.matches(uri))


def test_the_server_is_asked_for_the_literal_prefix_only(monkeypatch):
    asked = []

    def list_objects(prefix, *, recursive):
        asked.append((prefix, recursive))
        return iter([Entry(f"gs://b/{name}", 1) for name in ("p/a.bz2", "p/q/b.bz2", "p/a.txt", "z.bz2")])

    monkeypatch.setattr(PlainStore, "list_objects", staticmethod(list_objects))
    assert [entry.uri for entry in list_matches(STORE, "gs://b/p/*.bz2")] == ["gs://b/p/a.bz2"]
    assert [entry.uri for entry in list_matches(STORE, "gs://b/p/**/*.bz2")] == [
        "gs://b/p/a.bz2",
        "gs://b/p/q/b.bz2",
    ]
    assert asked == [("gs://b/p/", False), ("gs://b/p/", True)]


# Refusals


def test_an_input_that_matches_nothing_is_refused_with_its_patterns(tmp_path):
    lay(tmp_path, "a/x.bz2", "b/x.txt")
    by_input = by_input_of(spec(f"{tmp_path}/a", f"{tmp_path}/b", source="betfair"))
    with pytest.raises(NothingMatchesError) as caught:
        check_inputs(STORE, by_input)
    tried = [f"{tmp_path}/b/*.bz2", f"{tmp_path}/b/**/*.bz2"]
    assert str(caught.value) == f"no file matches {tmp_path}/b; tried {' and '.join(tried)}"
    assert caught.value.patterns == tried


def test_inputs_that_match_pass(tmp_path):
    lay(tmp_path, "a/x", "b/c/y")
    check_inputs(
        STORE,
        by_input_of(spec(f"{tmp_path}/a", f"{tmp_path}/b", f"{tmp_path}/*/x", f"{tmp_path}/a/x")),
    )


def test_a_bucket_that_is_absent_is_refused(monkeypatch):
    def absent(prefix, **_):
        raise ObjectNotFoundError(prefix, "there is no such object or bucket")

    monkeypatch.setattr(PlainStore, "list_objects", staticmethod(absent))
    monkeypatch.setattr(PlainStore, "exists", staticmethod(lambda _: False))
    monkeypatch.setattr(PlainStore, "bucket_exists", staticmethod(lambda _: False))
    by_input = by_input_of(spec("gs://nowhere/a*"))
    assert by_input == {"gs://nowhere/a*": ["gs://nowhere/a*"]}
    with pytest.raises(RefusedError, match="no bucket gs://nowhere "):
        check_inputs(STORE, by_input)


def test_a_folder_that_may_not_be_read_is_told_and_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    lay(tmp_path, "a/x", "locked/y")
    lock_folder(monkeypatch, "locked")
    with pytest.raises(AccessDeniedError, match="locked/"):
        list(list_matches(STORE, f"{tmp_path}/**/*"))
    with pytest.raises(AccessDeniedError, match="locked/"):
        check_inputs(STORE, {"x": [f"{tmp_path}/locked/*"]})


@pytest.mark.parametrize("path", ["/a/[", "/a/[z-a]", "/a/[b/c]"])
def test_a_glob_that_cannot_be_read_is_refused(path):
    with pytest.raises(InvalidPatternError):
        patterns_of(spec(path))


def test_an_unknown_source_or_codec_is_refused(monkeypatch):
    with pytest.raises(UnknownNameError, match="no source is named 'nope'"):
        patterns_of(spec("/a", source="nope"))
    monkeypatch.setattr("pipeline.sources.ndjson.NdjsonSource.get_decompressor_class", lambda _: "bzip9")
    with pytest.raises(ChimeraError, match="no codec is named 'bzip9'"):
        patterns_of(spec("/a"))


# The target apart from the inputs


def refuse(made: JobSpec) -> str:
    with pytest.raises(TargetError) as caught:
        check_made_apart(made, patterns_of(made))
    return str(caught.value)


def accept(made: JobSpec) -> None:
    check_made_apart(made, patterns_of(made))


@pytest.mark.parametrize("source", ["betfair", "ndjson"])
@pytest.mark.parametrize(
    ("input_", "target"),
    [
        ("a", "a/out"),
        ("a/", "a"),
        ("", "out"),
        ("a/../b", "b/x/y"),
        ("//a", "a/out"),
        ("a", "b/../a/x"),
    ],
)
def test_a_target_in_an_input_folder_is_refused(tmp_path, source, input_, target):
    lay(tmp_path, "a/x.bz2", "b/x.bz2")
    made = spec(f"{tmp_path}/{input_}", target=f"{tmp_path}/{target}", source=source)
    assert "is inside the input" in refuse(made)


def test_a_target_in_an_input_folder_by_way_of_a_link_is_refused(tmp_path):
    lay(tmp_path, "a/x")
    (tmp_path / "link").symlink_to("a")
    assert "is inside the input" in refuse(spec(f"{tmp_path}/a", target=f"{tmp_path}/link/out"))
    assert "is inside the input" in refuse(spec(f"{tmp_path}/link", target=f"{tmp_path}/a/out"))


@pytest.mark.parametrize(
    "input_",
    ["*/*.json", "**/*.ndjson", "out/output/", "out/ledger/*", "out/_chimera", "out/summary.json", "o*/**"],
)
def test_a_pattern_that_matches_what_the_job_writes_is_refused(tmp_path, input_):
    lay(tmp_path, "x")
    assert "is inside" in refuse(spec(f"{tmp_path}/{input_}", target=f"{tmp_path}/out"))


@pytest.mark.parametrize(
    ("input_", "target"),
    [("a", "ab"), ("a", "b/a"), ("a/b", "a"), ("*.bz2", "out"), ("a*/*.bz2", "a/out"), ("a/x", "a/y")],
)
def test_a_target_beside_the_inputs_is_accepted(tmp_path, input_, target):
    lay(tmp_path, "a/b/x.bz2", "a/x/y.bz2")
    accept(spec(f"{tmp_path}/{input_}", target=f"{tmp_path}/{target}", source="betfair"))


@pytest.mark.parametrize(
    ("input_", "target", "apart"),
    [
        ("gs://one/**", "gs://other/a", True),
        ("gs://one/a/", "gs://one-more/a/b", True),
        ("gs://one/a/", "/one/a", True),
        ("gs://one/a/", "gs://one/a/out", False),
        ("gs://one", "gs://one/out", False),
        ("gs://one/**/*.ndjson", "gs://one", False),
        ("gs://one/output/", "gs://one", False),
    ],
)
def test_another_bucket_is_apart_whatever_the_names(input_, target, apart):
    made = spec(input_, target=target)
    patterns = build_patterns(NdjsonSource(), made.bucket, made.paths)
    if apart:
        check_made_apart(made, patterns)
    else:
        with pytest.raises(TargetError, match="is inside"):
            check_made_apart(made, patterns)


def test_an_input_that_overwrite_would_delete_is_refused(tmp_path):
    lay(tmp_path, "out/output/output-00003-of-00010.ndjson")
    made = spec(
        f"{tmp_path}/out/output/output-00003-of-00010.ndjson", target=f"{tmp_path}/out", overwrite=True
    )
    assert "output-00003-of-00010" in refuse(made)


def test_overwrite_asks_nothing_of_a_bucket_that_is_absent(monkeypatch):
    monkeypatch.setattr(PlainStore, "bucket_exists", staticmethod(lambda _: False))
    accept(spec("gs://one/a/", target="gs://nowhere/x", overwrite=True))


def test_only_names_that_could_be_globs_are_asked_about(monkeypatch):
    def never(*_, **__):
        raise AssertionError

    for name in ("list_objects", "exists", "stat"):
        monkeypatch.setattr(PlainStore, name, staticmethod(never))
    assert patterns_of(spec("gs://b/a", "gs://b/c/", source="betfair"))[0] == "gs://b/a/*.bz2"


# Admission


@pytest.mark.parametrize("input_", ["gone", "a/[", "out", ".", "a/*.gz"])
def test_a_job_that_is_refused_has_touched_nothing(tmp_path, input_):
    lay(tmp_path, "a/x.bz2")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RefusedError):
        admit(STORE, spec(f"{tmp_path}/{input_}", target=f"{tmp_path}/out"), lambda _: None)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_job_that_is_admitted_has_its_patterns_and_its_target(tmp_path):
    lay(tmp_path, "a/x.bz2")
    made = spec(f"{tmp_path}/a", f"{tmp_path}/a/", target=f"{tmp_path}/out", source="betfair")
    patterns = [f"{tmp_path}/a/*.bz2", f"{tmp_path}/a/**/*.bz2"]
    assert admit(STORE, made, lambda _: None) == [patterns[0], f"{tmp_path}/a/", patterns[1]]
    assert (tmp_path / "out/_chimera/claim.json").exists()


def test_what_leads_into_the_target_through_a_link_is_not_read(tmp_path):
    target = tmp_path / "out"
    for name in ("in/a.json", "out/output/b.json", "out-too/c.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    (tmp_path / "in/old").symlink_to(target)
    check_outside(f"{tmp_path}/in/a.json", str(target))
    check_outside(f"{tmp_path}/out-too/c.json", str(target))
    check_outside("gs://b/out/x", "gs://b/out")
    for uri in (f"{tmp_path}/in/old/output/b.json", f"{target}/output/b.json"):
        with pytest.raises(TargetError, match=f"^{uri} leads into the target {target} through a link"):
            check_outside(uri, str(target))


@pytest.mark.parametrize("leads_to", ["out", "out/output", "."])
def test_a_target_behind_a_link_in_the_selection_is_refused(tmp_path, leads_to):
    lay(tmp_path, "in/a.json", "far/out/output/b.json")
    (tmp_path / "in/link").symlink_to(tmp_path / "far" / leads_to)
    assert "link" in refuse(spec(f"{tmp_path}/in/", target=f"{tmp_path}/far/out", overwrite=True))
    accept(spec(f"{tmp_path}/in/", target=f"{tmp_path}/elsewhere"))

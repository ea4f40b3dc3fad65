from __future__ import annotations

import shutil
import sys
import types
from importlib.metadata import EntryPoint

import pytest

from pipeline.errors import ChimeraError, InvalidPatternError, UnknownNameError
from pipeline.glob import Pattern
from pipeline.sources import (
    SourcePlugin,
    build_patterns,
    describe_sources,
    get_decompressor,
    get_source,
    registry,
    source_names,
)
from pipeline.sources.betfair import BetfairSource
from pipeline.sources.ndjson import NdjsonSource
from pipeline.uri import escape

FOLDERS = ["a", "a/", "a b", "a//b", "ADVANCED/2020/Jan", "1.5", "ä/日本"]


# The built-in sources


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_betfair_folder_makes_the_two_patterns(folder):
    stem = folder.rstrip("/")
    assert BetfairSource().build_patterns("b", [folder]) == [
        f"gs://b/{stem}/*.bz2",
        f"gs://b/{stem}/**/*.bz2",
    ]


@pytest.mark.parametrize(
    ("path", "patterns"),
    [
        ("", ["gs://b/*.bz2", "gs://b/**/*.bz2"]),
        ("a/1.1.bz2", ["gs://b/a/1.1.bz2"]),
        ("a/1.1.bz2/", ["gs://b/a/1.1.bz2/*.bz2", "gs://b/a/1.1.bz2/**/*.bz2"]),
        ("a/*/1.*", ["gs://b/a/*/1.*"]),
        ("a/20[12]?/", ["gs://b/a/20[12]?/*.bz2", "gs://b/a/20[12]?/**/*.bz2"]),
        ("a/{b}.bz2", ["gs://b/a/{b}.bz2"]),
    ],
)
def test_a_betfair_path_is_a_folder_a_file_or_a_glob(path, patterns):
    assert BetfairSource().build_patterns("b", [path]) == patterns


@pytest.mark.parametrize(
    ("path", "patterns"),
    [
        ("", ["*", "**/*"]),
        ("a/", ["a/*", "a/**/*"]),
        ("a", ["a", "a/*", "a/**/*"]),
        ("a/*.gz", ["a/*.gz"]),
        ("a[1]/", ["a[1]/*", "a[1]/**/*"]),
    ],
)
def test_an_ndjson_path_is_looked_for_as_what_it_may_be(path, patterns):
    assert NdjsonSource().build_patterns("", [path]) == patterns
    assert NdjsonSource().build_patterns("b", [path]) == [f"gs://b/{pattern}" for pattern in patterns]


@pytest.mark.parametrize("source", [BetfairSource(), NdjsonSource()])
def test_each_pattern_is_given_once_and_in_order(source):
    one, other = source.build_patterns("b", ["x/"]), source.build_patterns("b", ["y/"])
    assert source.build_patterns("b", ["x/", "y/", "x/"]) == [*one, *other]


@pytest.mark.parametrize("source", [BetfairSource(), NdjsonSource()])
@pytest.mark.parametrize("name", ["a[1].bz2", "*.bz2", "what?.bz2", "[[]].bz2", "**/x.bz2"])
def test_an_escaped_name_means_that_name(source, name):
    (pattern,) = source.build_patterns("b", [escape(name)])
    glob = Pattern(pattern.removeprefix("gs://b/"))
    assert glob.matches(name)
    assert not glob.matches(name.replace("*", "x").replace("?", "x").replace("[", "x"))


@pytest.mark.parametrize("source", [BetfairSource(), NdjsonSource()])
@pytest.mark.parametrize("folder", ["a[1]/", "a*b/", "?/"])
def test_an_escaped_folder_means_that_folder(source, folder):
    globs = [Pattern(p.removeprefix("gs://b/")) for p in source.build_patterns("b", [escape(folder)])]
    assert any(glob.matches(f"{folder}x/1.bz2") for glob in globs)
    assert not any(glob.matches("a1/x/1.bz2") or glob.matches("b/x/1.bz2") for glob in globs)


def test_both_sources_let_the_bytes_choose_the_codec():
    assert [get_decompressor(get_source(name)) for name in ("betfair", "ndjson")] == ["auto", "auto"]


# The registry


class Tiny(SourcePlugin):
    name = "tiny"
    description = "a third party's"
    patterns: object = ["gs://b/x"]
    codec: object = "auto"

    def build_patterns(self, bucket, paths):
        if isinstance(self.patterns, Exception):
            raise self.patterns
        return self.patterns

    def get_decompressor_class(self):
        if isinstance(self.codec, Exception):
            raise self.codec
        return self.codec


def tiny(**fields) -> SourcePlugin:
    return type("Tiny", (Tiny,), fields)()


@pytest.fixture
def offer(monkeypatch):
    """Offers objects under source names, as installed packages would."""
    module = types.ModuleType("tiny_source_for_tests")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entries: list[EntryPoint] = []

    def add(name: str, offered: object, attribute: str = "Source") -> None:
        if offered is not None:
            setattr(module, attribute, offered)
        entries.append(EntryPoint(name, f"{module.__name__}:{attribute}", "chimera.sources"))

    monkeypatch.setattr(registry, "_installed", lambda: entries)
    return add


def test_the_built_in_sources_are_there_without_any_metadata(offer):
    assert source_names() == ["betfair", "ndjson"]
    assert isinstance(get_source("betfair"), BetfairSource)


def test_a_third_partys_source_is_found_by_its_entry_point(offer):
    offer("tiny", Tiny)
    assert source_names() == ["betfair", "ndjson", "tiny"]
    assert isinstance(get_source("tiny"), Tiny)
    assert describe_sources()["tiny"] == "a third party's"


@pytest.mark.parametrize("name", ["", "BETFAIR", "betfair ", "pipeline.sources.betfair:BetfairSource"])
def test_an_unknown_source_is_refused_with_the_names_there_are(name):
    with pytest.raises(UnknownNameError, match="betfair, ndjson") as caught:
        get_source(name)
    assert (caught.value.kind, caught.value.name) == ("source", name)


def _raises(self):
    raise OSError("no licence file")


@pytest.mark.parametrize(
    ("offered", "says"),
    [
        (None, "cannot be imported"),
        (tiny(), "is not a class derived from"),
        (dict, "is not a class derived from"),
        (type("Abstract", (SourcePlugin,), {"name": "tiny", "description": ""}), "cannot be made"),
        (type("Locked", (Tiny,), {"__init__": _raises}), "cannot be made.*no licence file"),
        (type("Other", (Tiny,), {"name": "huge"}), "must have name = 'tiny'"),
        (type("Mute", (Tiny,), {"description": None}), "and a description"),
    ],
)
def test_a_broken_plugin_is_named_and_hides_no_other(offer, offered, says):
    offer("tiny", offered)
    with pytest.raises(ChimeraError, match=says) as caught:
        get_source("tiny")
    assert "'tiny' (tiny_source_for_tests:Source" in str(caught.value)
    described = describe_sources()
    assert described["tiny"].startswith("cannot be used: ")
    assert described["betfair"] == BetfairSource.description


def test_a_plugin_whose_module_does_not_import_is_named(offer, monkeypatch):
    entry = EntryPoint("tiny", "no_such_module_anywhere:Source", "chimera.sources")
    monkeypatch.setattr(registry, "_installed", lambda: [entry])
    with pytest.raises(ChimeraError, match=r"no_such_module_anywhere.*ModuleNotFoundError"):
        get_source("tiny")


def test_a_package_that_is_installed_meanwhile_is_found_and_one_that_is_gone_is_not(tmp_path, monkeypatch):
    metadata = tmp_path / "tiny-1.0.dist-info"
    monkeypatch.syspath_prepend(tmp_path)
    assert "tiny" not in source_names()
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[chimera.sources]\ntiny = tiny_source:Source\n")
    assert "tiny" in source_names()
    shutil.rmtree(metadata)
    assert "tiny" not in source_names()


def test_a_name_that_two_packages_offer_is_refused(offer):
    offer("betfair", type("Mine", (Tiny,), {"name": "betfair"}))
    with pytest.raises(ChimeraError, match=r"offered twice.*uninstall one"):
        get_source("betfair")


def test_the_same_entry_point_seen_twice_is_one(offer):
    offer("tiny", Tiny)
    offer("tiny", Tiny)
    assert isinstance(get_source("tiny"), Tiny)
    assert source_names().count("tiny") == 1


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        (KeyError("x"), "failed in build_patterns: KeyError"),
        ("gs://b/x", "must give a list of str"),
        (None, "must give a list of str"),
        ([b"gs://b/x"], "must give a list of str"),
        ([], "gave no patterns"),
        (["gs://other/x"], "is not in 'b'"),
        (["x"], "is not in 'b'"),
        (["s3://b/x"], "no URI"),
        ([""], "no URI"),
    ],
)
def test_what_a_plugin_gets_wrong_in_its_patterns_names_it(patterns, says):
    with pytest.raises(ChimeraError, match=says) as caught:
        build_patterns(tiny(patterns=patterns), "b", ["x"])
    assert "source 'tiny'" in str(caught.value)


@pytest.mark.parametrize("pattern", ["gs://b/", "gs://b/x/", "gs://b/[", "gs://b/[z-a]"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern):
    with pytest.raises(InvalidPatternError):
        build_patterns(tiny(patterns=[pattern]), "b", ["x"])


@pytest.mark.parametrize(
    ("codec", "says"),
    [
        (RuntimeError("x"), "failed in get_decompressor_class: RuntimeError"),
        (None, "must give a codec's name"),
        (BetfairSource, "must give a codec's name"),
        ("bzip9", "no codec is named 'bzip9'"),
        ("no_such_module_anywhere:Codec", "cannot be loaded"),
        ("pipeline.spec:JobSpec", "not a class derived from"),
    ],
)
def test_a_plugin_that_asks_for_no_codec_there_is_is_named(codec, says):
    with pytest.raises(ChimeraError, match=says) as caught:
        get_decompressor(tiny(codec=codec))
    assert "source 'tiny'" in str(caught.value)


@pytest.mark.parametrize("codec", ["auto", "bz2", "plain", "pipeline.codecs.members:Bz2Codec"])
def test_a_plugin_may_ask_for_any_codec_there_is(codec):
    assert get_decompressor(tiny(codec=codec)) == codec


def test_of_many_names_the_ones_that_are_like_it_are_told():
    known = [f"column{number}" for number in range(40_000)]
    error = UnknownNameError("column", "colum17", known)
    assert error.known == sorted(known)
    assert str(error).startswith("no column is named 'colum17'; there are 40,000; like it are: column17")
    assert len(str(error)) < 200
    assert str(UnknownNameError("column", "?" * 9, known)).endswith(
        "the first are: column0, column1, column10, column100, column1000"
    )
    assert len(str(UnknownNameError("column", "x" * 10**6, ["y" * 10**6] * 40))) < 1000
    assert str(UnknownNameError("codec", "x", ["b", "a"])) == "no codec is named 'x'; there are: a, b"

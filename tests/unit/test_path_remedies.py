"""A path that cannot be looked at comes with one that can."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from chimera_nb.data.preview import preview
from chimera_nb.data.sampling.sample import peek
from pipeline.errors import (
    InvalidUriError,
    NothingMatchesError,
    ObjectNotFoundError,
    RefusedError,
    UnknownNameError,
)
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore

STORE = PlainStore()
LINES = b'{"a":1}\n{"a":2}\n'
SINGLE = [peek, preview, lambda uri: peek(uri, records="auto")]


@pytest.fixture
def folder(tmp_path):
    for name in ("in/deep/2.json", "in/1 it's.json"):
        STORE.write_bytes(f"{tmp_path}/{name}", LINES)
    return f"{tmp_path}/in"


@pytest.mark.parametrize("look", SINGLE)
@pytest.mark.parametrize("end", ["", "/"])
def test_a_folder_is_said_to_be_one_with_a_file_in_it(folder, look, end):
    with pytest.raises(
        RefusedError, match=rf"^{folder}{end} is a folder with 2 files in it, and one"
    ) as caught:
        look(f"{folder}{end}")
    assert len(peek(re.search(r"give the first: (.*), or see", str(caught.value))[1])) == 2
    command = str(caught.value).partition("with: ")[2]
    assert shlex.split(command) == ["chimera", "ls", f"{folder}/"]


@pytest.mark.parametrize("look", SINGLE)
def test_a_glob_is_said_to_be_one_with_what_it_matches_first(folder, look):
    with pytest.raises(RefusedError, match="is a glob, and one file is looked at here") as caught:
        look(f"{folder}/**/*.json")
    assert len(peek(str(caught.value).partition("matches: ")[2])) == 2
    with pytest.raises(NothingMatchesError, match=r"no file matches .*\*\.bz2"):
        look(f"{folder}/*.bz2")


def test_a_name_with_a_globs_characters_is_that_file(folder):
    STORE.write_bytes(f"{folder}/a[1]*.json", LINES)
    assert len(peek(f"{folder}/a[1]*.json")) == 2


@pytest.mark.parametrize("look", SINGLE)
def test_what_is_not_there_is_just_that(folder, look):
    with pytest.raises(ObjectNotFoundError, match="there is no such file"):
        look(f"{folder}/none.json")


OTHERS = {
    "s3://bucket/a b.json": "aws s3 cp 's3://bucket/a b.json' .",
    "s3a://bucket/1.json": "aws s3 cp s3://bucket/1.json .",
    "https://example.test/1.json?x=1&y": "curl -LO 'https://example.test/1.json?x=1&y'",
    "hdfs://name/1.json": "hdfs dfs -get hdfs://name/1.json .",
}


@pytest.mark.parametrize("uri", OTHERS)
def test_a_file_that_is_elsewhere_is_brought_here(uri):
    for look in (peek, preview, lambda uri: JobSpec((uri,), "/out", "1")):
        with pytest.raises(InvalidUriError) as caught:
            look(uri)
        scheme = uri.partition("//")[0]
        assert str(caught.value).startswith(
            f"{scheme}// is not read, only gs:// and local paths: {uri!r}; copy it here: "
        )
        assert OTHERS[uri] in str(caught.value)
    command = re.search(r"copy it here: ([^,]*)", str(caught.value))[1]
    subprocess.run(["bash", "-n", "-c", command], check=True)
    assert any(word.endswith(uri.partition("//")[2]) for word in shlex.split(command))


def test_a_file_by_its_url_is_given_by_its_path(folder):
    STORE.write_bytes(f"{folder}/a b.json", LINES)
    with pytest.raises(InvalidUriError) as caught:
        peek(f"file://{folder}/a%20b.json")
    assert len(peek(str(caught.value).partition("by itself: ")[2])) == 2
    for host in ("storage.googleapis.com", "storage.cloud.google.com"):
        with pytest.raises(InvalidUriError, match=r"give the object's own name: gs://bucket/a b.json$"):
            peek(f"https://{host}/bucket/a%20b.json")


def test_a_column_that_there_is_not_is_refused_with_those_like_it_and_not_with_all(tmp_path):
    fields = ",".join(f'"field_{n:05}":{n}' for n in range(20_000))
    STORE.write_bytes(f"{tmp_path}/wide.json", f"{{{fields}}}\n".encode())
    with pytest.raises(UnknownNameError) as caught:
        peek(f"{tmp_path}/wide.json", columns=["field_0001"])
    message = str(caught.value)
    assert len(message) < 500
    like = re.search(r"like it are: (\w+)", message)[1]
    assert list(peek(f"{tmp_path}/wide.json", columns=[like])) == [like]

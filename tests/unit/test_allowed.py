"""What a store allows: a place and what is below it, for each of its functions, and what it says of the rest."""

from __future__ import annotations

import inspect
import logging
import os
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import AccessDeniedError, InvalidUriError, NotAllowedError, RefusedError
from pipeline.storage import BoundedStore, Store, access_policy
from pipeline.storage.around import StoreAround
from pipeline.storage.gcs import Buckets
from pipeline.storage.gcs_versions import BucketVersions
from pipeline.storage.local import LocalFiles
from pipeline.storage.local_versions import LocalVersions
from tests.fixtures.allowed import forget_lists, limit, may

# Of a folder's name: what tempts a check by text to think it is inside.
NAMES = st.text(alphabet="abAB.-_ %2F~é\u0065\u0301\\:", min_size=1, max_size=6).filter(
    lambda name: name not in {".", ".."} and name == name.strip()
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@pytest.fixture(autouse=True)
def unlisted(monkeypatch, tmp_path):
    forget_lists(monkeypatch, tmp_path)


@pytest.fixture
def no_store(monkeypatch):
    """A store that must not be asked."""

    def ask(*_args, **_kwargs):
        raise AssertionError("the store was asked")

    for place in (Buckets, BucketVersions, LocalFiles, LocalVersions):
        for name in vars(place):
            if callable(getattr(place, name)) and hasattr(Store, name) and not name.startswith("_"):
                monkeypatch.setattr(place, name, ask)


@pytest.mark.parametrize(
    ("listed", "uri", "allowed_"),
    [
        ("bucket", "gs://bucket/any/name", True),
        ("bucket", "gs://bucket-evil/any", False),
        ("bucket", "gs://bucke/t", False),
        ("bucket", "gs://bucket.evil/any", False),
        ("bucket", "gs://other/bucket/any", False),
        ("bucket", "gs://bucket/../other/x", True),  # a name like any other: no client resolves it
        ("bucket", "/bucket/any", False),
        ("bucket", "bucket/any", False),
        ("bucket/a", "gs://bucket/a/x", True),
        ("bucket/a/", "gs://bucket/a/x", True),
        ("gs://bucket/a/", "gs://bucket/a/x", True),
        ("bucket/a", "gs://bucket/a", True),
        ("bucket/a", "gs://bucket/ab", False),
        ("bucket/a", "gs://bucket/ab/x", False),
        ("bucket/a", "gs://bucket/A/x", False),
        ("bucket/a", "gs://bucket//a/x", False),
        ("bucket/a", "gs://bucket/a/../b/x", False),
        ("bucket/a", "gs://bucket/a/./x", False),
        ("bucket/a", "gs://bucket/a/..", False),
        ("bucket/a", "gs://bucket/a/..x", True),
        ("bucket/a", "gs://bucket/a%2Fx", False),
        ("bucket/a", "gs://bucket/a/%2e%2e/b", True),  # opaque: it is the name of an object below a/
        ("bucket/a", "gs://bucket", False),
        ("bucket/a", "gs://bucket/", False),
        ("other,bucket/a", "gs://bucket/a/x", True),
        (" other , bucket ,", "gs://bucket/a/x", True),
        ("bucket/é", f"gs://bucket/{unicodedata.normalize('NFD', 'é')}/x", False),
        ("bucket/é", "gs://bucket/é/x", True),
        ("", "gs://bucket/x", False),
        (" , ", "/data/x", False),
        ("/data", "/data/x", True),
        ("/data", "/data", True),
        ("/data", "/database/x", False),
        ("/data", "/data/../etc/passwd", False),
        ("/data", "/etc/../data/x", True),
        ("/data", "gs://data/x", False),
        ("/", "/etc/passwd", True),
        ("/", "gs://bucket/x", False),
    ],
)
def test_a_place_holds_itself_and_what_is_below_it_by_whole_names(listed, uri, allowed_):
    store = limit(read=listed)
    assert may(store, uri) == allowed_


@pytest.mark.parametrize(
    "uri", ["GS://bucket/x", "gs:/bucket/x", "gs://Bucket/x", "gs://bucket%2Fa/x", "", "s3://b/x"]
)
def test_what_is_no_uri_is_refused_before_it_is_taken_for_a_local_path(uri):
    store = limit(read="bucket,/")
    with pytest.raises(InvalidUriError):
        store.access.check_object(uri, "read")


@given(bucket=st.sampled_from(["bucket", "a", "b-c"]), folder=PATHS, path=PATHS)
def test_by_text_and_by_names_come_to_the_same(bucket, folder, path):
    place = access_policy.AllowedFolder(bucket, folder)
    names, wanted = path.split("/"), folder.split("/")
    assert place.holds(bucket, path) == (names[: len(wanted)] == wanted)
    assert place.holds(bucket, f"{folder}/{path}")
    assert not place.holds(f"{bucket}x", f"{folder}/{path}")
    assert not place.holds("", f"/{bucket}/{folder}/{path}")


@given(folder=PATHS, more=NAMES, climbs=st.lists(st.sampled_from([".", "..", "a"]), min_size=1, max_size=5))
def test_nothing_climbs_out_of_a_folder(folder, more, climbs):
    place = access_policy.AllowedFolder("bucket", folder)
    assert not place.holds("bucket", f"{folder}{more}")
    assume(climbs != ["a"] * len(climbs))
    assert not place.holds("bucket", "/".join([folder, *climbs, more]))


@given(folder=PATHS, more=PATHS)
def test_a_local_path_is_where_it_leads(folder, more):
    place = access_policy.AllowedFolder("", f"/nowhere/{folder}")
    real = os.path.normpath(f"/nowhere/{folder}/{more}")
    assert place.holds("", f"/nowhere/{folder}/{more}")
    assert place.holds("", f"/else/../nowhere//{folder}/./{more}")
    up = "/".join([".."] * (len(folder.split("/")) + len(more.split("/"))))
    assert not place.holds("", f"{real}/{up}/x")


def test_a_link_out_of_a_folder_leads_nowhere(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.ndjson").write_text("{}\n")
    (inside / "file").symlink_to(outside / "secret.ndjson")
    (inside / "folder").symlink_to(outside)
    (tmp_path / "way-in").symlink_to(inside)
    (inside / "own.ndjson").write_text("{}\n")
    store = limit(read=str(tmp_path / "way-in"))
    assert store.read_bytes(f"{inside}/own.ndjson") == b"{}\n"
    for path in ("file", "folder/secret.ndjson", "../out/secret.ndjson", "folder/../out/secret.ndjson"):
        with pytest.raises(NotAllowedError):
            store.read_bytes(f"{inside}/{path}")
    with pytest.raises(NotAllowedError):
        store.list_folder(f"{inside}/folder/")


def test_a_path_from_here_is_held_against_where_that_is(tmp_path):
    (tmp_path / "x").write_text("1")
    store = limit(read=str(tmp_path))
    assert store.read_bytes("x") == b"1"
    with pytest.raises(NotAllowedError):
        store.read_bytes("../x")


ASKED = {
    "bucket_exists": lambda store, uri: store.bucket_exists(uri.split("/")[2]),
    "check_deletes": lambda store, uri: store.check_deletes(uri.split("/")[2]),
    "check_gives": lambda store, uri: store.check_gives(uri),
    "delete": lambda store, uri: store.delete(["gs://open/fine", uri]),
    "delete_tree": lambda store, uri: store.delete_tree(f"{uri}/"),
    "delete_version": lambda store, uri: store.delete_version(uri, 1),
    "exists": lambda store, uri: store.exists(uri),
    "list_folder": lambda store, uri: store.list_folder(f"{uri}/"),
    "list_pages": lambda store, uri: store.list_pages(f"{uri}/"),
    "list_objects": lambda store, uri: store.list_objects(f"{uri}/"),
    "list_versions": lambda store, uri: store.list_versions(f"{uri}/"),
    "look": lambda store, uri: store.look(uri),
    "make_bucket": lambda store, uri: store.make_bucket(uri.split("/")[2]),
    "move": lambda store, uri: store.move("gs://open/fine", uri, generation=1),
    "open_read": lambda store, uri: store.open_read(uri),
    "open_write": lambda store, uri: store.open_write(uri),
    "read_bytes": lambda store, uri: store.read_bytes(uri),
    "read_range": lambda store, uri: store.read_range(uri, 0, 1),
    "read_version": lambda store, uri: store.read_version(uri),
    "is_archive": lambda store, uri: store.is_archive(uri),
    "stat": lambda store, uri: store.stat(uri),
    "swap": lambda store, uri: store.swap(uri, b"", 0),
    "upload_file": lambda store, uri: store.upload_file("/open/x", uri),
    "write_bytes": lambda store, uri: store.write_bytes(uri, b""),
}
LOCAL = {"is_local_folder", "linked_folders", "remove_empty_folder"}
NO_URI = {"list_buckets", "run_each", "billed_to", "with_patience"}


def test_no_function_of_the_store_was_forgotten():
    functions = {name for name, it in vars(Store).items() if callable(it) and not name.startswith("_")}
    assert functions == ASKED.keys() | LOCAL | NO_URI


@pytest.mark.usefixtures("no_store")
@pytest.mark.parametrize("name", ASKED)
def test_every_function_refuses_before_the_store_is_asked(name):
    store = limit(read="open,/open", write="open,/open")
    with pytest.raises(NotAllowedError) as caught:
        ASKED[name](store, "gs://shut/x")
    assert caught.value.uri.startswith("gs://shut")


@pytest.mark.usefixtures("no_store")
def test_both_ends_of_a_move_and_of_an_upload_are_looked_at():
    store = limit(read="/open", write="open")
    with pytest.raises(NotAllowedError, match="gs://shut/x"):
        store.move("gs://shut/x", "gs://open/x", generation=1)
    with pytest.raises(NotAllowedError, match="/etc/passwd"):
        store.upload_file("/etc/passwd", "gs://open/x")


@pytest.mark.usefixtures("no_store")
def test_a_local_folder_outside_is_not_even_looked_for(tmp_path):
    store = limit(read="open", write="open")
    for ask in (
        store.is_local_folder,
        store.linked_folders,
        store.remove_empty_folder,
        store.stat,
        store.list_objects,
    ):
        with pytest.raises(NotAllowedError):
            ask(str(tmp_path))


def test_what_may_be_written_may_be_read_and_not_the_other_way():
    store = limit(read="history", write="results")
    assert may(store, "gs://results/x", "read")
    assert may(store, "gs://history/x", "read")
    assert may(store, "gs://results/x", "write")
    assert not may(store, "gs://history/x", "write")


def test_one_list_alone_bounds_what_it_is_for():
    store = limit(write="results")
    assert may(store, "gs://anything/x", "read")
    assert not may(store, "gs://anything/x", "write")
    store = limit(read="history")
    assert may(store, "gs://anything/x", "write")
    assert not may(store, "gs://anything/x", "read")
    store = limit()
    assert may(store, "/etc/passwd", "read")
    assert may(store, "gs://anything/x", "write")


def test_a_refusal_is_a_refusal_and_a_denial_and_names_the_list(caplog):
    store = limit(read="history/ADVANCED,/data,c,d,e,f")
    with caplog.at_level(logging.WARNING), pytest.raises(NotAllowedError) as caught:
        store.stat("gs://payroll/2024.csv")
    assert str(caught.value) == (
        "gs://payroll/2024.csv: may not be read here: CHIMERA_READ_BUCKETS allows history/ADVANCED, /data, c, d, e "
        "and 1 more; who runs this can add to it (or to read_buckets in chimera.toml)"
    )
    assert isinstance(caught.value, RefusedError)
    assert isinstance(caught.value, AccessDeniedError)
    (logged,) = caplog.records
    assert (logged.name, logged.levelname) == ("pipeline.storage.access_policy", "WARNING")
    assert logged.getMessage() == f"refused: {caught.value}"
    store = limit(read="")
    with pytest.raises(NotAllowedError, match="allows nothing;"):
        store.stat("gs://payroll/2024.csv")


@given(name=st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_no_name_writes_a_line_of_its_own_into_the_log(name):
    error = NotAllowedError(f"gs://b/{name}", "no")
    assert str(error).isprintable()
    assert error.uri == f"gs://b/{name}"


def test_a_forged_name_is_logged_short_and_on_one_line(caplog):
    store = limit(read="history")
    forged = "gs://payroll/\r\n2031-01-01 INFO all is well\x1b[2J" + "x" * 100_000
    with pytest.raises(NotAllowedError):
        store.read_bytes(forged)
    assert len(caplog.text.splitlines()) == 1
    assert len(caplog.text) < 700


@pytest.mark.parametrize(
    ("pattern", "allowed_"),
    [
        ("gs://bucket/a/*.bz2", True),
        ("gs://bucket/a/**/*", True),
        ("gs://bucket/a/", True),
        ("gs://bucket/a", True),
        ("gs://bucket/a/x[0-9]", True),
        ("gs://bucket/a*", False),
        ("gs://bucket/a*/x", False),
        ("gs://bucket/[a]/x", False),
        ("gs://bucket/**", False),
        ("gs://bucket/", False),
        ("gs://bucket/a/../b/*", False),
        ("gs://bucket/ab/*", False),
        ("/data/*", True),
        ("/data/../*", False),
        ("/dat*", False),
        ("*", False),
    ],
)
def test_a_glob_is_allowed_by_its_literal_beginning(pattern, allowed_):
    store = limit(read="bucket/a,/data")
    try:
        store.access.check_pattern(pattern)
    except NotAllowedError:
        assert not allowed_
    else:
        assert allowed_


def test_a_listing_by_prefix_gives_just_what_is_allowed(tmp_path):
    for name in ("a/x", "ab/x", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    store = limit(read=f"{tmp_path}/a")
    assert [entry.uri for entry in store.list_objects(f"{tmp_path}/a")] == [f"{tmp_path}/a/x"]
    assert [entry.uri for entry in store.list_objects(f"{tmp_path}/a/")] == [f"{tmp_path}/a/x"]
    with pytest.raises(NotAllowedError):
        store.list_objects(f"{tmp_path}/")


@pytest.mark.usefixtures("no_store")
def test_above_what_is_allowed_only_the_way_to_it_is_shown():
    store = limit(read="bucket/a/b,bucket/a/c,bucket/d,other", write="results/x")

    def shown(folder: str) -> list[str]:
        (page,) = store.list_folder(folder)
        assert not page.objects
        return list(page.folders)

    assert store.list_buckets() == ["bucket", "other", "results"]
    assert shown("gs://bucket/") == ["gs://bucket/a/", "gs://bucket/d/"]
    assert shown("gs://bucket/a/") == ["gs://bucket/a/b/", "gs://bucket/a/c/"]
    assert shown("gs://bucket/a/c") == ["gs://bucket/a/c/"]
    with pytest.raises(NotAllowedError):
        store.list_folder("gs://bucket/e/")
    with pytest.raises(NotAllowedError):
        store.list_folder("gs://else/")


def test_nothing_that_names_a_place_passes_a_bounded_store_unasked():
    naming = {"uri", "uris", "prefix", "folder", "path", "source", "bucket"}
    methods = {name: each for name, each in vars(StoreAround).items() if inspect.isfunction(each)}
    asked = {name for name, each in methods.items() if naming & inspect.signature(each).parameters.keys()}
    assert {"stat", "move", "delete", "list_pages", "bucket_exists"} < asked
    assert asked <= vars(BoundedStore).keys()

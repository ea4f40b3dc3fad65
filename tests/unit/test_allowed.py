from __future__ import annotations

import inspect
import logging
import os
import pickle
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chimera_nb.jobs.check_access import check_access
from chimera_nb.jobs.requester import local_user
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings, load_settings
from pipeline.errors import (
    AccessDeniedError,
    InvalidUriError,
    NotAllowedError,
    RefusedError,
    SettingsError,
)
from pipeline.storage import BoundedStore, PlainStore, Store, access_policy, bounded
from pipeline.storage.access_policy import VARIABLES, AccessLists
from pipeline.storage.around import StoreAround
from pipeline.storage.gcs import Buckets
from pipeline.storage.gcs_versions import BucketVersions
from pipeline.storage.local import LocalFiles
from pipeline.storage.local_versions import LocalVersions

# Of a folder's name: what tempts a check by text to think it is inside.
NAMES = st.text(alphabet="abAB.-_ %2F~é\u0065\u0301\\:", min_size=1, max_size=6).filter(
    lambda name: name not in {".", ".."} and name == name.strip()
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@pytest.fixture(autouse=True)
def unlisted(monkeypatch, tmp_path):
    """No list from anywhere but the test, and none left behind."""
    for name in list(os.environ):
        if name.startswith(("CHIMERA_", "GOOGLE_CLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def limit(read: str | None = None, write: str | None = None) -> Store:
    """A store with the lists that these variables give."""
    given = {VARIABLES["read"]: read, VARIABLES["write"]: write}
    lists = AccessLists.from_environment({name: v for name, v in given.items() if v is not None})
    return bounded(PlainStore(), lists)


@pytest.fixture
def no_store(monkeypatch):
    """A store that must not be asked."""

    def ask(*_args, **_kwargs):
        raise AssertionError("the store was asked")

    for place in (Buckets, BucketVersions, LocalFiles, LocalVersions):
        for name in vars(place):
            if callable(getattr(place, name)) and hasattr(Store, name) and not name.startswith("_"):
                monkeypatch.setattr(place, name, ask)


def may(store: Store, uri: str, to: str = "read") -> bool:
    try:
        store.access.check_object(uri, to)
    except NotAllowedError:
        return False
    return True


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


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "bucket/*",
        "Bucket",
        "./data",
        "~/data",
        "bucket/../x",
        "bucket//x",
        "buc\nket",
        "gs://",
        "s3://x",
    ],
)
def test_an_entry_that_is_no_place_allows_nothing(entry):
    with pytest.raises(SettingsError, match="CHIMERA_READ_BUCKETS"):
        limit(read=f"bucket,{entry}")


def test_lists_of_the_file_hold_a_store_and_the_environment_wins(tmp_path, monkeypatch):
    (tmp_path / "chimera.toml").write_text('read_buckets = ["history", "/data"]\nwrite_buckets = []\n')
    settings = load_settings()
    assert (settings.read_buckets, settings.write_buckets) == (("history", "/data"), ())
    store = settings.store
    assert may(store, "gs://history/x")
    assert not may(store, "gs://other/x")
    assert not may(store, "gs://history/x", "write")
    monkeypatch.setenv("CHIMERA_READ_BUCKETS", "other")
    monkeypatch.setenv("CHIMERA_WRITE_BUCKETS", "")
    store = load_settings().store
    assert load_settings().read_buckets == ("other",)
    assert not may(store, "gs://history/x")
    assert may(store, "gs://other/x")


def test_lists_come_out_the_same_in_another_process(tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path, read_buckets=("history/a b", "/data"), write_buckets=())
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('read_buckets = "history"', "read_buckets is 'history'; write an array of texts"),
        ("write_buckets = [1]", "write_buckets is [1]; write an array of texts"),
        ('write_buckets = ["a*"]', "'a*' is no place"),
        ('read_buckets = [""]', "'' is no place"),
    ],
)
def test_a_list_that_makes_no_sense_is_named(tmp_path, text, says):
    (tmp_path / "chimera.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert says in str(caught.value)


def test_a_job_is_refused_for_any_place_that_it_names():
    listed = Settings(read_buckets=("history",), write_buckets=("results", "temp"))
    fine = {"temp_location": "gs://temp/dataflow"}
    check_access(["gs://history/a/*", "gs://history/b/"], "gs://results/out", fine, listed)
    for inputs, target, how, says in [
        (
            ["gs://history/a/", "gs://payroll/*"],
            "gs://results/out",
            fine,
            r"^gs://payroll/\*: may not be read",
        ),
        (
            ["gs://history/a/"],
            "gs://history/out",
            fine,
            "^gs://history/out/: may not be written here, as the target",
        ),
        (
            ["gs://history/a/"],
            "gs://results/out",
            {"temp_location": "gs://else/t"},
            "as the temp_location of Dataflow",
        ),
        (
            ["gs://history/a/"],
            "gs://results/out",
            {"beam_options": ["--template_location=gs://else/t"]},
            "beam option",
        ),
    ]:
        with pytest.raises(RefusedError, match=says):
            check_access(inputs, target, how, listed)
    listed = Settings(read_buckets=("history",))
    with pytest.raises(NotAllowedError, match="as the target, which a job reads back"):
        check_access(["gs://history/a/"], "gs://results/out", {}, listed)


def test_settings_give_beam_options_where_places_are_listed():
    from chimera_nb.dataflow_options import DataflowOptions

    options = {"beam_options": ["--experiments=x"]}
    settings = Settings(
        read_buckets=("history",),
        write_buckets=("results",),
        dataflow=DataflowOptions(beam_options=("--experiments=x",)),
    )
    check_access(["gs://history/"], "gs://results/out", options, settings)


def test_a_service_is_held_to_the_lists_it_is_given(tmp_path):
    service = JobService(Settings(data_dir=tmp_path, read_buckets=("history",)))
    try:
        with pytest.raises(NotAllowedError):
            service.submit([str(tmp_path)], str(tmp_path / "out"))
        assert service.list().records == ()
    finally:
        service.log.close()


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 10001"), OSError("No username set")])
def test_a_container_without_user_names_has_an_unknown_user(monkeypatch, error):
    def nobody():
        raise error

    monkeypatch.setattr("getpass.getuser", nobody)
    assert local_user() == "unknown"


def test_two_services_with_different_lists_stay_apart_whatever_is_called_later(tmp_path):
    """Lists given as Settings(...) were once lifted by the next `load_settings` of the process."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.ndjson").write_text("{}\n")
    one, other = (
        JobService(Settings(data_dir=tmp_path / f"data-{name}", read_buckets=(str(tmp_path / name),)))
        for name in ("a", "b")
    )
    unlisted = JobService(Settings(data_dir=tmp_path / "data-c"))
    try:
        load_settings()
        for service, own, others in ((one, "a", "b"), (other, "b", "a")):
            assert service.store.read_bytes(f"{tmp_path}/{own}/x.ndjson") == b"{}\n"
            with pytest.raises(NotAllowedError):
                service.store.read_bytes(f"{tmp_path}/{others}/x.ndjson")
            with pytest.raises(NotAllowedError):
                service.submit([f"{tmp_path}/{others}/"], f"{tmp_path}/out")
        assert unlisted.store.read_bytes(f"{tmp_path}/b/x.ndjson") == b"{}\n"
    finally:
        for service in (one, other, unlisted):
            service.log.close()


def test_the_lists_of_a_store_go_with_it_to_a_worker():
    store = pickle.loads(pickle.dumps(limit(read="history", write="results")))
    assert may(store, "gs://history/x")
    assert not may(store, "gs://other/x")
    assert not may(store, "gs://history/x", "write")


def test_nothing_that_names_a_place_passes_a_bounded_store_unasked():
    naming = {"uri", "uris", "prefix", "folder", "path", "source", "bucket"}
    methods = {name: each for name, each in vars(StoreAround).items() if inspect.isfunction(each)}
    asked = {name for name, each in methods.items() if naming & inspect.signature(each).parameters.keys()}
    assert {"stat", "move", "delete", "list_pages", "bucket_exists"} < asked
    assert asked <= vars(BoundedStore).keys()

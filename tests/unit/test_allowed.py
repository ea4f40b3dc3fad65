from __future__ import annotations

import logging
import os
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chimera_nb.jobs.service import JobService, check_places, local_user
from chimera_nb.settings import Settings, load_settings
from pipeline import allowed, storage
from pipeline.errors import (
    AccessDeniedError,
    InvalidUriError,
    NotAllowedError,
    RefusedError,
    SettingsError,
)

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
    monkeypatch.setattr(allowed, "_bound", {"read": None, "write": None})
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def limit(monkeypatch):
    def to(read: str | None = None, write: str | None = None) -> None:
        for name, value in (("CHIMERA_READ_BUCKETS", read), ("CHIMERA_WRITE_BUCKETS", write)):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return to


@pytest.fixture
def no_store(monkeypatch):
    """A store that must not be asked."""

    def ask(*_args, **_kwargs):
        raise AssertionError("the store was asked")

    for module in (storage.gcs, storage.local):
        for name in vars(module):
            if callable(getattr(module, name)) and hasattr(storage, name) and name.islower():
                monkeypatch.setattr(module, name, ask)
    monkeypatch.setattr(storage, "_exchange", ask)


def may(uri: str, to: str = "read") -> bool:
    try:
        allowed.check_object(uri, to)
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
def test_a_place_holds_itself_and_what_is_below_it_by_whole_names(limit, listed, uri, allowed_):
    limit(read=listed)
    assert may(uri) == allowed_


@pytest.mark.parametrize(
    "uri", ["GS://bucket/x", "gs:/bucket/x", "gs://Bucket/x", "gs://bucket%2Fa/x", "", "s3://b/x"]
)
def test_what_is_no_uri_is_refused_before_it_is_taken_for_a_local_path(limit, uri):
    limit(read="bucket,/")
    with pytest.raises(InvalidUriError):
        allowed.check_object(uri, "read")


@given(bucket=st.sampled_from(["bucket", "a", "b-c"]), folder=PATHS, path=PATHS)
def test_by_text_and_by_names_come_to_the_same(bucket, folder, path):
    place = allowed.Place(bucket, folder)
    names, wanted = path.split("/"), folder.split("/")
    assert place.holds(bucket, path) == (names[: len(wanted)] == wanted)
    assert place.holds(bucket, f"{folder}/{path}")
    assert not place.holds(f"{bucket}x", f"{folder}/{path}")
    assert not place.holds("", f"/{bucket}/{folder}/{path}")


@given(folder=PATHS, more=NAMES, climbs=st.lists(st.sampled_from([".", "..", "a"]), min_size=1, max_size=5))
def test_nothing_climbs_out_of_a_folder(folder, more, climbs):
    place = allowed.Place("bucket", folder)
    assert not place.holds("bucket", f"{folder}{more}")
    assume(climbs != ["a"] * len(climbs))
    assert not place.holds("bucket", "/".join([folder, *climbs, more]))


@given(folder=PATHS, more=PATHS)
def test_a_local_path_is_where_it_leads(folder, more):
    place = allowed.Place("", f"/nowhere/{folder}")
    real = os.path.normpath(f"/nowhere/{folder}/{more}")
    assert place.holds("", f"/nowhere/{folder}/{more}")
    assert place.holds("", f"/else/../nowhere//{folder}/./{more}")
    up = "/".join([".."] * (len(folder.split("/")) + len(more.split("/"))))
    assert not place.holds("", f"{real}/{up}/x")


def test_a_link_out_of_a_folder_leads_nowhere(limit, tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.ndjson").write_text("{}\n")
    (inside / "file").symlink_to(outside / "secret.ndjson")
    (inside / "folder").symlink_to(outside)
    (tmp_path / "way-in").symlink_to(inside)
    (inside / "own.ndjson").write_text("{}\n")
    limit(read=str(tmp_path / "way-in"))
    assert storage.read_bytes(f"{inside}/own.ndjson") == b"{}\n"
    for path in ("file", "folder/secret.ndjson", "../out/secret.ndjson", "folder/../out/secret.ndjson"):
        with pytest.raises(NotAllowedError):
            storage.read_bytes(f"{inside}/{path}")
    with pytest.raises(NotAllowedError):
        storage.list_folder(f"{inside}/folder/")


def test_a_path_from_here_is_held_against_where_that_is(limit, tmp_path):
    (tmp_path / "x").write_text("1")
    limit(read=str(tmp_path))
    assert storage.read_bytes("x") == b"1"
    with pytest.raises(NotAllowedError):
        storage.read_bytes("../x")


ASKED = {
    "bucket_exists": lambda uri: storage.bucket_exists(uri.split("/")[2]),
    "delete": lambda uri: storage.delete(["gs://open/fine", uri]),
    "delete_tree": lambda uri: storage.delete_tree(f"{uri}/"),
    "exchange": lambda uri: storage.exchange(uri, b"", b""),
    "exists": storage.exists,
    "list_folder": lambda uri: storage.list_folder(f"{uri}/"),
    "list_objects": lambda uri: storage.list_objects(f"{uri}/"),
    "make_bucket": lambda uri: storage.make_bucket(uri.split("/")[2]),
    "open_read": storage.open_read,
    "open_write": storage.open_write,
    "read_bytes": storage.read_bytes,
    "read_range": lambda uri: storage.read_range(uri, 0, 1),
    "rename": lambda uri: storage.rename("gs://open/fine", uri, size=0, crc32c=None),
    "stat": storage.stat,
    "upload_file": lambda uri: storage.upload_file("/open/x", uri),
    "write_bytes": lambda uri: storage.write_bytes(uri, b""),
}
LOCAL = {"is_local_folder", "remove_empty_folder"}
NO_URI = {"join", "list_buckets"}


def test_no_function_of_the_store_was_forgotten():
    functions = {name for name in storage.__all__ if not name[0].isupper()}
    assert functions == ASKED.keys() | LOCAL | NO_URI


@pytest.mark.usefixtures("no_store")
@pytest.mark.parametrize("name", ASKED)
def test_every_function_refuses_before_the_store_is_asked(limit, name):
    limit(read="open,/open", write="open,/open")
    with pytest.raises(NotAllowedError) as caught:
        ASKED[name]("gs://shut/x")
    assert caught.value.uri.startswith("gs://shut")


@pytest.mark.usefixtures("no_store")
def test_both_ends_of_a_rename_and_of_an_upload_are_looked_at(limit):
    limit(read="/open", write="open")
    with pytest.raises(NotAllowedError, match="gs://shut/x"):
        storage.rename("gs://shut/x", "gs://open/x", size=0, crc32c=None)
    with pytest.raises(NotAllowedError, match="/etc/passwd"):
        storage.upload_file("/etc/passwd", "gs://open/x")


@pytest.mark.usefixtures("no_store")
def test_a_local_folder_outside_is_not_even_looked_for(limit, tmp_path):
    limit(read="open", write="open")
    for ask in (storage.is_local_folder, storage.remove_empty_folder, storage.stat, storage.list_objects):
        with pytest.raises(NotAllowedError):
            ask(str(tmp_path))


def test_what_may_be_written_may_be_read_and_not_the_other_way(limit):
    limit(read="history", write="results")
    assert may("gs://results/x", "read")
    assert may("gs://history/x", "read")
    assert may("gs://results/x", "write")
    assert not may("gs://history/x", "write")


def test_one_list_alone_bounds_what_it_is_for(limit):
    limit(write="results")
    assert may("gs://anything/x", "read")
    assert not may("gs://anything/x", "write")
    limit(read="history")
    assert may("gs://anything/x", "write")
    assert not may("gs://anything/x", "read")
    limit()
    assert may("/etc/passwd", "read")
    assert may("gs://anything/x", "write")


def test_a_refusal_is_a_refusal_and_a_denial_and_names_the_list(limit, caplog):
    limit(read="history/ADVANCED,/data,c,d,e,f")
    with caplog.at_level(logging.WARNING), pytest.raises(NotAllowedError) as caught:
        storage.stat("gs://payroll/2024.csv")
    assert str(caught.value) == (
        "gs://payroll/2024.csv: may not be read here: CHIMERA_READ_BUCKETS allows history/ADVANCED, /data, c, d, e "
        "and 1 more; who runs this can add to it (or to read_buckets in chimera.toml)"
    )
    assert isinstance(caught.value, RefusedError)
    assert isinstance(caught.value, AccessDeniedError)
    (logged,) = caplog.records
    assert (logged.name, logged.levelname) == ("pipeline.allowed", "WARNING")
    assert logged.getMessage() == f"refused: {caught.value}"
    limit(read="")
    with pytest.raises(NotAllowedError, match="allows nothing;"):
        storage.stat("gs://payroll/2024.csv")


@given(name=st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_no_name_writes_a_line_of_its_own_into_the_log(name):
    error = NotAllowedError(f"gs://b/{name}", "no")
    assert str(error).isprintable()
    assert error.uri == f"gs://b/{name}"


def test_a_forged_name_is_logged_short_and_on_one_line(limit, caplog):
    limit(read="history")
    forged = "gs://payroll/\r\n2031-01-01 INFO all is well\x1b[2J" + "x" * 100_000
    with pytest.raises(NotAllowedError):
        storage.read_bytes(forged)
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
def test_a_glob_is_allowed_by_its_literal_beginning(limit, pattern, allowed_):
    limit(read="bucket/a,/data")
    try:
        allowed.check_pattern(pattern)
    except NotAllowedError:
        assert not allowed_
    else:
        assert allowed_


def test_a_listing_by_prefix_gives_just_what_is_allowed(limit, tmp_path):
    for name in ("a/x", "ab/x", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    limit(read=f"{tmp_path}/a")
    assert [entry.uri for entry in storage.list_objects(f"{tmp_path}/a")] == [f"{tmp_path}/a/x"]
    assert [entry.uri for entry in storage.list_objects(f"{tmp_path}/a/")] == [f"{tmp_path}/a/x"]
    with pytest.raises(NotAllowedError):
        storage.list_objects(f"{tmp_path}/")


@pytest.mark.usefixtures("no_store")
def test_above_what_is_allowed_only_the_way_to_it_is_shown(limit):
    limit(read="bucket/a/b,bucket/a/c,bucket/d,other", write="results/x")

    def shown(folder: str) -> list[str]:
        (page,) = storage.list_folder(folder)
        assert not page.objects
        return list(page.folders)

    assert storage.list_buckets() == ["bucket", "other", "results"]
    assert shown("gs://bucket/") == ["gs://bucket/a/", "gs://bucket/d/"]
    assert shown("gs://bucket/a/") == ["gs://bucket/a/b/", "gs://bucket/a/c/"]
    assert shown("gs://bucket/a/c") == ["gs://bucket/a/c/"]
    with pytest.raises(NotAllowedError):
        storage.list_folder("gs://bucket/e/")
    with pytest.raises(NotAllowedError):
        storage.list_folder("gs://else/")


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
def test_an_entry_that_is_no_place_allows_nothing(limit, entry):
    limit(read=f"bucket,{entry}")
    with pytest.raises(SettingsError, match="CHIMERA_READ_BUCKETS"):
        allowed.check_object("gs://bucket/x", "read")


def test_lists_of_the_file_hold_this_process_and_the_environment_wins(tmp_path, limit):
    (tmp_path / "chimera.toml").write_text('read_buckets = ["history", "/data"]\nwrite_buckets = []\n')
    settings = load_settings()
    assert (settings.read_buckets, settings.write_buckets) == (("history", "/data"), ())
    assert may("gs://history/x")
    assert not may("gs://other/x")
    assert not may("gs://history/x", "write")
    limit(read="other", write="")
    assert load_settings().read_buckets == ("other",)
    assert not may("gs://history/x")
    assert may("gs://other/x")


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


def test_a_job_is_refused_for_any_place_that_it_names(limit):
    limit(read="history", write="results,temp")
    fine = {"temp_location": "gs://temp/dataflow"}
    check_places(["gs://history/a/*", "gs://history/b/"], "gs://results/out", fine, Settings())
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
            check_places(inputs, target, how, Settings())
    limit(read="history")
    with pytest.raises(NotAllowedError, match="as the target, which a job reads back"):
        check_places(["gs://history/a/"], "gs://results/out", {}, Settings())


def test_settings_give_beam_options_where_places_are_listed(limit):
    from chimera_nb.dataflow_options import DataflowOptions

    limit(read="history", write="results")
    options = {"beam_options": ["--experiments=x"]}
    settings = Settings(dataflow=DataflowOptions(beam_options=("--experiments=x",)))
    check_places(["gs://history/"], "gs://results/out", options, settings)


def test_a_service_holds_its_process_to_the_lists_it_is_given(tmp_path):
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

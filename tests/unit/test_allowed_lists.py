"""Where the lists of allowed places come from, and who is held to them: a store, a job, a service, a worker."""

from __future__ import annotations

import pickle

import pytest

from chimera_nb.jobs.check_access import check_access
from chimera_nb.jobs.requester import local_user
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings, load_settings
from pipeline.errors import NotAllowedError, RefusedError, SettingsError
from tests.fixtures.allowed import forget_lists, limit, may


@pytest.fixture(autouse=True)
def unlisted(monkeypatch, tmp_path):
    forget_lists(monkeypatch, tmp_path)


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

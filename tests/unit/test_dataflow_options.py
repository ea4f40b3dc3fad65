from __future__ import annotations

import pytest

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.runners.dataflow import job_name, options_of
from chimera_nb.settings import Settings, load_settings
from pipeline.errors import SettingsError


def test_what_is_asked_for_one_job_goes_over_the_settings():
    all_jobs = DataflowOptions(region="r", machine_type="m", labels=("a=b",))
    one = all_jobs.under(machine_type="n", max_workers=3, labels=["c=d"], network=None, beam_options=[])
    assert one == DataflowOptions(region="r", machine_type="n", max_workers=3, labels=("c=d",))
    assert DataflowOptions.from_json(one.to_json()) == one


def test_options_become_beams_own_flags():
    options = DataflowOptions(
        region="r",
        temp_location="gs://t/x",
        machine_type="n2-standard-4",
        num_workers=2,
        max_workers=20,
        service_account="me@p.iam",
        network="net",
        subnetwork="regions/r/subnetworks/s",
        kms_key="projects/p/k",
        labels=("team=data", "env=test"),
        beam_options=("--experiments=x", "--no_use_public_ips"),
    )
    arguments = options.arguments()
    assert set(arguments) == {
        "--worker_machine_type=n2-standard-4",
        "--num_workers=2",
        "--max_num_workers=20",
        "--service_account_email=me@p.iam",
        "--network=net",
        "--subnetwork=regions/r/subnetworks/s",
        "--dataflow_kms_key=projects/p/k",
        "--label=team=data",
        "--label=env=test",
        "--experiments=x",
        "--no_use_public_ips",
    }


def test_beam_knows_every_flag():
    from apache_beam.options.pipeline_options import PipelineOptions

    options = DataflowOptions(
        machine_type="m",
        num_workers=1,
        max_workers=2,
        service_account="s",
        network="n",
        subnetwork="u",
        kms_key="k",
    )
    unknown = PipelineOptions([*options.arguments(), "--label=a=b"])
    known = unknown.get_all_options(drop_default=True)
    assert {
        known[n]
        for n in ("machine_type", "service_account_email", "network", "subnetwork", "dataflow_kms_key")
    } == {*("m", "s", "n", "u", "k")}
    assert (known["num_workers"], known["max_num_workers"], known["labels"]) == (1, 2, ["a=b"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_workers": 0}, "max_workers is 0; it is a whole number from 1 up"),
        ({"num_workers": "3"}, "num_workers is '3'"),
        ({"max_workers": True}, "max_workers is True"),
        ({"temp_location": "/tmp"}, "temp_location is '/tmp'; it is a gs:// folder"),
        ({"labels": ["Team=x"]}, "label 'Team=x' is not key=value"),
        ({"labels": "a=b"}, "labels is 'a=b'; it is a list of texts"),
        ({"beam_options": ["--runner=DirectRunner"]}, "is set for each job"),
        ({"beam_options": ["experiments"]}, "does not begin with --"),
        ({"machine": "m"}, "unknown option machine; there are: region, temp_location"),
        ({"region": 3}, "region is 3; it is a text"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options, says):
    for make in (DataflowOptions.from_json, lambda given: DataflowOptions().under(**given)):
        with pytest.raises(SettingsError) as caught:
            make(options)
        assert says in str(caught.value)


def test_settings_have_a_table_for_dataflow(tmp_path, monkeypatch):
    (tmp_path / "chimera.toml").write_text(
        'project = "p"\nregion = "r"\n[dataflow]\nmachine_type = "m"\nmax_workers = 7\nlabels = ["a=b"]\n'
    )
    monkeypatch.setenv("CHIMERA_CONFIG", str(tmp_path / "chimera.toml"))
    monkeypatch.setenv("CHIMERA_TEMP_LOCATION", "gs://t")
    settings = load_settings()
    assert settings.dataflow_options(machine_type="n") == DataflowOptions(
        region="r", temp_location="gs://t", machine_type="n", max_workers=7, labels=("a=b",)
    )
    (tmp_path / "chimera.toml").write_text("[dataflow]\nmax_workers = 'x'\n")
    with pytest.raises(SettingsError, match=r"chimera.toml: \[dataflow\]: max_workers is 'x'"):
        load_settings()


def test_what_dataflow_cannot_do_without_is_asked_for():
    cloud = {"place": "cloud", "project": "p", "job_log": "sqlite"}
    with pytest.raises(SettingsError, match="a Dataflow job needs a region: set CHIMERA_REGION"):
        options_of(Settings(**cloud))
    with pytest.raises(SettingsError, match="needs a temp_location: set CHIMERA_TEMP_LOCATION"):
        options_of(Settings(**cloud, region="r"))
    found = options_of(Settings(**cloud, region="r", temp_location="gs://t"), max_workers=2)
    assert found == {"project": "p", "region": "r", "temp_location": "gs://t", "max_workers": 2}
    with pytest.raises(SettingsError, match="no local stack with a Dataflow runs"):
        options_of(Settings())
    local = options_of(Settings(dataflow_endpoint="http://localhost:1"))
    assert local["temp_location"].startswith("gs://")


def test_a_jobs_name_is_one_that_dataflow_takes():
    assert job_name("2026-01-31-1A2B3c4d") == "chimera-2026-01-31-1a2b3c4d"

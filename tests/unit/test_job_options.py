"""Each row of the option tables is on the command lines, in the form, in its code, and in the specification."""

from __future__ import annotations

import ast
import json
import shlex
from dataclasses import replace

import pytest
import typer.main
from typer.testing import CliRunner

import pipeline.__main__ as bare
from chimera_nb.cli import app
from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.widgets.job_form.as_code import as_code
from chimera_nb.widgets.job_form.model import BOXES, Fields, check
from chimera_nb.widgets.job_form.selected import selection
from chimera_nb.widgets.job_form.widget import JobForm
from pipeline.errors import RefusedError
from pipeline.job_options import JobOptions
from pipeline.options import Option, table
from pipeline.spec import JobSpec

JOB, DATAFLOW = table(JobOptions), table(DataflowOptions)
CHOSEN = selection(["gs://history/2016/"])
VALUES = {
    "source": "betfair",
    "user_project": "my-team-1234",
    "temp_location": "gs://temp/x",
    "format": "csv",
    "budget": "8h",
    "inventory": "gs://reports/c0ffee_2026-11-26T00:00_manifest.json",
}


def value_of(option: Option):
    """A value that is not its default."""
    if option.many:
        return {"labels": ("a=b", "c=d")}.get(option.name, ("--experiments=x", "--experiments=y"))
    return {str: VALUES.get(option.name, "some-1"), int: 7, bool: True}[option.kind]


def flags_of(option: Option) -> list[str]:
    if option.kind is bool:
        return [f"--{option.flag}"]
    values = value_of(option) if option.many else [value_of(option)]
    return [f"--{option.flag}={value}" for value in values]


def submitted(monkeypatch, *arguments):
    """What the command hands to the service."""
    seen = {}

    class Service:
        def submit(self, inputs, target, **options):
            seen.update(options, inputs=inputs, target=target)

    monkeypatch.setattr(
        "chimera_nb.cli.job_commands.connect", lambda *_, **__: type("", (), {"service": Service()})
    )
    monkeypatch.setattr("chimera_nb.cli.job_commands.foretold", lambda *_, **__: None)
    monkeypatch.setattr("chimera_nb.cli.job_commands.follow", lambda *_, **__: None)
    done = CliRunner().invoke(app, ["submit", "gs://a-b/", "--target", "gs://c-d/x", *arguments])
    assert (done.exit_code, done.output) == (0, "")
    return seen


def test_every_row_is_of_a_kind_that_all_that_is_made_of_it_can_show():
    assert {option.kind for option in JOB} <= {str, int, bool}
    assert {option.kind for option in DATAFLOW} <= {str, int}
    assert all(option.default is False for option in JOB if option.kind is bool)
    assert not any(option.many for option in (*JOB, *DATAFLOW) if option.part or option in JOB)
    assert all(option.help[-1] != "." for option in (*JOB, *DATAFLOW))


def test_submit_has_every_option_and_hands_on_what_is_given(monkeypatch):
    given = [flag for option in (*JOB, *DATAFLOW) for flag in flags_of(option)]
    seen = submitted(monkeypatch, *given)
    assert {option.name: seen[option.name] for option in JOB} == {
        option.name: value_of(option) for option in JOB
    }
    how = {name: tuple(v) if isinstance(v, list) else v for name, v in seen["runner_options"].items()}
    assert how == {option.name: value_of(option) for option in DATAFLOW}


def test_what_is_left_out_of_submit_is_the_default(monkeypatch):
    seen = submitted(monkeypatch)
    assert {option.name: seen[option.name] for option in JOB} == {
        option.name: option.default for option in JOB
    }
    assert seen["runner_options"] == {}


def test_help_has_every_option_with_its_default():
    [submit] = [c for name, c in typer.main.get_command(app).commands.items() if name == "submit"]
    said = {
        record[0].split()[0]: record[1]
        for p in submit.params
        if (record := p.get_help_record(typer.Context(submit)))
    }
    for option in (*JOB, *DATAFLOW):
        assert said[f"--{option.flag}"].startswith(option.text)
        assert ("[default: " in said[f"--{option.flag}"]) is bool(option.shown_default)
    assert "[default: 1000]" in said["--max-ratio"]
    assert "[required]" in said["--target"]


def test_the_bare_pipeline_has_every_option_of_a_job(monkeypatch):
    given = [flag for option in JOB for flag in flags_of(option)]
    spec, beams = bare._parse(["--input=gs://a-b/", "--target=gs://c-d/x", "--num_workers=3", *given])
    assert {option.name: getattr(spec, option.name) for option in JOB} == {o.name: value_of(o) for o in JOB}
    assert beams == ["--num_workers=3"]
    monkeypatch.delenv("CHIMERA_USER_PROJECT", raising=False)
    spec, _ = bare._parse(["--input=gs://a-b/", "--target=gs://c-d/x"])
    assert {option.name: getattr(spec, option.name) for option in JOB} == {o.name: o.default for o in JOB}
    monkeypatch.setenv("CHIMERA_USER_PROJECT", "their-team-1")
    assert bare._parse(["--input=gs://a-b/", "--target=gs://c-d/x"])[0].user_project == "their-team-1"


def test_a_specification_has_every_option_in_json_and_back():
    spec = JobSpec(("gs://a-b/",), "gs://c-d/x", "j", **{option.name: value_of(option) for option in JOB})
    document = json.loads(json.dumps(spec.to_json()))
    assert list(document) == [
        "inputs",
        "target",
        "jobId",
        *(o.json_name for o in JOB),
        "inputsTotal",
        "manifest",
    ]
    assert JobSpec.from_json(document) == spec


@pytest.mark.parametrize("option", JOB, ids=lambda option: option.name)
def test_a_number_out_of_bounds_is_refused_with_the_flag_and_what_to_give(option):
    if option.kind is not int:
        option.refuse(value_of(option))
        return
    with pytest.raises(RefusedError, match=rf"^{option.flag} is {option.least - 1}; .*\d"):
        option.refuse(option.least - 1)
    option.refuse(option.least)


def test_a_form_has_a_box_for_every_option_that_has_a_part_of_it():
    boxes = {box["name"]: box for box in JobForm(["gs://history/"])._boxes}
    assert boxes.keys() == {option.name for option in (*JOB, *DATAFLOW) if option.part}
    assert boxes["shards"] == {
        "name": "shards",
        "kind": "number",
        "label": "Output files",
        "placeholder": "as is fastest",
        "part": "write",
        "dataflow": False,
    }
    assert {boxes["keep_partial"]["kind"], boxes["user_project"]["kind"]} == {"tick", "text"}


def test_what_is_typed_in_a_form_is_submitted_and_is_in_its_code():
    typed = {o.name: value_of(o) if o.kind is bool else str(value_of(o)) for o in BOXES}
    typed |= {"region": "europe-west1", "machine_type": "n2-standard-4"}
    form = replace(Fields(bucket="results", runner="dataflow"), **typed)
    checked = check(form, CHOSEN, ("betfair",))
    assert checked.problems == {}
    in_form = {option.name: value_of(option) for option in JOB if option.part}
    assert checked.job == {"target": "gs://results", **{o.name: o.default for o in JOB}, **in_form}
    assert checked.options == {
        option.name: typed[option.name] if option.kind is str else value_of(option)
        for option in DATAFLOW
        if option.part
    }
    code = as_code(CHOSEN.inputs, checked.job, "dataflow", checked.options)
    words = shlex.split(code.command.replace("\\\n", ""))
    assert {f"--{o.flag}" for o in (*JOB, *DATAFLOW) if o.part} <= {word.split("=")[0] for word in words}
    calls = [node for node in ast.walk(ast.parse(code.cell)) if isinstance(node, ast.Call)]
    said = {k.arg: ast.literal_eval(k.value) for call in calls for k in call.keywords if k.arg != "data_dir"}
    assert {name: said[name] for name in in_form} == in_form
    assert said["runner_options"] == checked.options

"""A job as the same job elsewhere: a cell for a notebook, and a command for a shell. Both run as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.widgets.job_form.messages import Code
from chimera_nb.widgets.job_form.model import ANY_ID
from pipeline.inputs.path_list import as_lines
from pipeline.job_options import JobOptions
from pipeline.options import table
from pipeline.spec import JobSpec

MAX_INPUTS = 1000  # above, code is no help: select a folder or a pattern
_ON_ONE_COMMAND = 20  # more are given on standard input
_FLAGS = {option.name: option.flag for cls in (JobOptions, DataflowOptions) for option in table(cls)}


def as_code(
    inputs: Sequence[str],
    job: Mapping[str, Any] | None,
    runner: str,
    options: Mapping[str, Any],
    data_dir: Path | None = None,
) -> Code:
    """`cell` and `command` of what a form has, or `says` why there are none; `job` is that of `form_model.Checked`."""
    if job is None or not inputs:
        return Code(says="It shows here once the form is filled in.")
    if len(inputs) > MAX_INPUTS:
        says = f"{len(inputs):,} single names are too many for code: select their folder, or a pattern."
        return Code(says=says)
    spec = JobSpec(tuple(inputs), job_id=ANY_ID, **job)
    return Code(
        notebook_cell(spec, runner, options, data_dir), shell_command(spec, runner, options, data_dir)
    )


def notebook_cell(
    spec: JobSpec, runner: str, options: Mapping[str, Any], data_dir: Path | None = None
) -> str:
    """The source of a cell that submits the job and shows how it goes.

    options   DataflowOptions by name
    data_dir  of the local stack and job log, where it is not the one that is found by itself
    """
    arguments = [_list(spec.inputs), repr(spec.target)]
    arguments += [f"{name}={value!r}" for name, value in _set(spec).items()]
    if runner != "direct":
        arguments.append(f"runner={runner!r}")
    if options:
        arguments.append(f"runner_options={dict(options)!r}")
    imports = ["import chimera_nb as ch", ""]
    if data_dir is not None:
        imports.insert(0, "from pathlib import Path\n")
        arguments.append(f"session=ch.connect(data_dir=Path({str(data_dir)!r}))")
    return "\n".join(
        [
            *imports,
            "job = ch.submit(",
            *(f"    {argument}," for argument in arguments),
            ")",
            "job  # job.wait() stays until it has ended, job.frame() has what it wrote",
        ]
    )


def shell_command(
    spec: JobSpec, runner: str, options: Mapping[str, Any], data_dir: Path | None = None
) -> str:
    """The same as a `chimera submit` command for a POSIX shell."""
    # One name a line: those with a line break in them stay on the command line.
    listed = [uri for uri in spec.inputs if not _breaks(uri)] if len(spec.inputs) > _ON_ONE_COMMAND else []
    words = ["chimera submit", *(shlex.quote(uri) for uri in spec.inputs if uri not in set(listed))]
    words.append(f"--target {shlex.quote(spec.target)}")
    for name, value in _set(spec).items():
        flag = f"--{_FLAGS[name]}"
        words.append(flag if value is True else f"{flag} {shlex.quote(str(value))}")
    if runner != "direct":
        words.append(f"--runner {shlex.quote(runner)}")
    for name, value in options.items():
        flag = _FLAGS[name]
        values = value if isinstance(value, list | tuple) else [value]
        words += [shlex.quote(f"--{flag}={one}") for one in values]
    if data_dir is not None:
        words.append(f"--data-dir {shlex.quote(str(data_dir))}")
    if listed:
        words.append("--paths-from - <<'PATHS'")
    command = " \\\n    ".join(words)
    return "\n".join([command, *as_lines(listed), "PATHS"]) if listed else command


def _set(spec: JobSpec) -> dict[str, Any]:
    """What differs from what a job has by itself. The source is always said."""
    values = {option.name: getattr(spec, option.name) for option in table(JobOptions)}
    return {
        option.name: values[option.name]
        for option in table(JobOptions)
        if option.name == "source" or values[option.name] != option.default
    }


def _list(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return repr(list(texts))
    return "[\n" + "".join(f"        {text!r},\n" for text in texts) + "    ]"


def _breaks(text: str) -> bool:
    return len(text.splitlines()) > 1 or text.endswith(("\n", "\r"))

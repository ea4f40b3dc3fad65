"""What a job form says: a line under each field, and what its one button is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chimera_nb.widgets.job_form.messages import Box, Hint
from chimera_nb.widgets.job_form.model import BOXES, DATAFLOW_FIELDS, Fields
from chimera_nb.widgets.job_form.view_choice import OfferedView, view_hints
from pipeline.options import Option

if TYPE_CHECKING:
    from chimera_nb.widgets.job_form.source_guess import Guess
    from chimera_nb.widgets.job_form.target_state import TargetState

_ORDER = (
    "inputs",
    "source",
    "view",
    "view_options",
    "bucket",
    "prefix",
    "shards",
    "runner",
)  # in which problems are told
_OPEN = {
    option.name: option.hint or (f"Left open: {option.unset}." if option.unset else option.text)
    for option in BOXES
    if option.kind is not bool and option.name not in DATAFLOW_FIELDS
}


@dataclass(frozen=True)
class Button:
    """The one that launches. `says` is the line beside it; it can be pressed only where `alive`."""

    state: Literal["problem", "checking", "ready", "launching", "launched"]
    label: str
    says: str = ""

    @property
    def alive(self) -> bool:
        return self.state == "ready"


def button(
    form: Fields,
    problems: Mapping[str, str],
    *,
    checking: bool = False,
    launching: bool = False,
    launched: str = "",
    unread: str = "",
) -> Button:
    """The state of the launch button.

    launched  the id of the job that this form launched into this target
    unread    what of the selection the job will not read, in a sentence
    """
    if launching:
        return Button("launching", "Launching…", "The job is being checked and put on record.")
    if launched:
        return Button("launched", "Launched", f"Launched {launched}. For another job, change the target.")
    label = f"Launch {'on Dataflow' if form.runner == 'dataflow' else 'on this machine'}"
    if problems:
        ordered = sorted(problems, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
        return Button("problem", label, problems[ordered[0]])
    if checking:
        return Button("checking", label, "Looking at the selection and the target.")
    return Button("ready", label, f"{unread}." if unread else "Ready to launch.")


def hints(
    form: Fields,
    problems: Mapping[str, str],
    target: TargetState | None,
    sources: Mapping[str, str],
    launched: str = "",
    *,
    view: OfferedView | None = None,
    missing: Collection[str] = (),
    guess: Guess | None = None,
) -> dict[str, Hint]:
    """The hint under each field. A problem is bad, unless its field is only `missing`: not filled in yet.

    `guess` is the source that was chosen for the selection, and why; it is told for as long as that is the source.
    """
    said: dict[str, Hint] = {}
    for name, text in _OPEN.items():
        if not getattr(form, name):
            said[name] = Hint(text)
    if form.source in sources:
        why = f" Chosen since {guess.why}." if guess and guess.source == form.source else ""
        said["source"] = Hint(f"{sources[form.source]}.{why}")
    said |= {name: Hint(text) for name, text in view_hints(view, vars(form)).items()}
    if target and target.says:
        said["prefix"] = Hint(target.says)
    if (target and target.holds_output) or form.overwrite:
        said["overwrite"] = Hint("")  # so it is offered
    if launched:
        said["prefix"] = Hint(f"Job {launched} writes here.")
    for name, problem in problems.items():
        if not (launched and name == "prefix"):
            said[name] = Hint(problem, bad=name not in missing)
    return said


def box_of(option: Option) -> Box:
    """The box of an option that has a part of the form."""
    kinds: dict[type, Literal["text", "number", "tick"]] = {str: "text", int: "number", bool: "tick"}
    return Box(
        name=option.name,
        kind=kinds[option.kind],
        label=option.label,
        placeholder=option.placeholder,
        part=option.part or "more",
        dataflow=option.name in DATAFLOW_FIELDS,
    )


def listed(options: Mapping[str, Any]) -> list[str]:
    """Options as a person reads them: "labels team=data, cost=low"."""
    return [
        f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in options.items()
    ]

"""JobForm: say what a job reads, where its output goes and how it runs; see what it comes to; launch it once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

import traitlets
from ipywidgets import TypedTuple

from chimera_nb.arguments import AnyPath, path_text, path_texts, texts
from chimera_nb.jobs.forecast.machine import machine_of
from chimera_nb.jobs.record import JobRecord
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.base.widget import held
from chimera_nb.widgets.job_form import messages
from chimera_nb.widgets.job_form.as_code import as_code
from chimera_nb.widgets.job_form.checks import StoreChecks
from chimera_nb.widgets.job_form.filling import NO_EDIT, Filling, today
from chimera_nb.widgets.job_form.foretold import prices_of
from chimera_nb.widgets.job_form.model import (
    BOXES,
    Checked,
    Fields,
    check,
    is_local,
    split_target,
    store_uri,
    suggest_prefix,
)
from chimera_nb.widgets.job_form.plan import plan_figures
from chimera_nb.widgets.job_form.selected import selection
from chimera_nb.widgets.job_form.unread import unread_of, unread_text
from chimera_nb.widgets.job_form.view_choice import view_problems
from chimera_nb.widgets.job_form.words import Button, box_of, button, hints, listed
from pipeline.errors import ChimeraError
from pipeline.storage import Store

_SHOWN_INPUTS = 100
_NOT_LAUNCHED = (
    "Nothing was launched: the form was changed, and not looked at yet. Read the plan, then launch again."
)


class JobForm(Filling):
    """Launch a job over a selection.

    inputs: gs:// URIs or local paths: folders (they end in "/"), objects and patterns. A trait: link it to the
        `selected` of a BucketBrowser.
    session: where the store, the job log and Dataflow are; left out, one of its own.
    target, source, view, format, runner: what the form begins with. Left out, the source is the one that the selection
        is of, bucket and runner are those of this user's last job, and there is no view.
    buckets: the names of the only ones that may be written; left out, all that the credentials can.

    Folders of this machine can be named in it only where Python has named one, in `inputs` or `target`: whoever
    uses a dashboard has buckets. No store is asked before the form is on screen.
    """

    _esm = assets.script("job_form/view")
    _css = assets.style("job_form/style", "job_form/plan")

    # Neither is for the front end to set: what a page sends must not change what is read.
    inputs = TypedTuple(traitlets.Unicode(), help="What the job reads; set it to change the selection.")
    job_id = traitlets.Unicode("", help="The job that was launched last; empty before.")
    _boxes = traitlets.List().tag(sync=True)
    _fields = traitlets.Dict().tag(sync=True)
    _hints = traitlets.Dict().tag(sync=True)
    _selected = traitlets.Dict().tag(sync=True)
    _plan = traitlets.Dict().tag(sync=True)
    _code = traitlets.Dict().tag(sync=True)
    _go = traitlets.Dict().tag(sync=True)
    _choices = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        inputs: AnyPath | Iterable[AnyPath] = (),
        session: Session | None = None,
        *,
        target: AnyPath = "",
        source: str = "",
        view: str = "",
        format: str = "",  # noqa: A002 - as the option is called
        runner: str = "",
        buckets: Iterable[str] | None = None,
        **traits: Any,
    ) -> None:
        target = path_text(target) if target != "" else ""
        bucket, prefix = split_target(target)
        arguments = {"source": source, "view": view, "format": format, "runner": runner, "bucket": bucket}
        given = {name for name, value in arguments.items() if value}
        self._form = Fields(prefix=prefix or ("" if target else suggest_prefix(today())))
        for name in given:
            self._form = self._form.having(name, arguments[name])
        self._data_dir = session.data_dir if session else None
        self._buckets = None if buckets is None else texts(buckets, "buckets")
        self._local = is_local(target)
        self._selection = selection(())
        self._edited = NO_EDIT
        self._hello = self._launching = False
        self._launched = ("", "")  # the target, and the job that went there
        self._token = secrets.token_hex(8)
        super().__init__(session, given, **traits)
        self._boxes = to_wire([box_of(option) for option in BOXES])
        self._checks = StoreChecks(self._background, self._session, self._show)
        self.inputs = tuple(path_texts(inputs))
        self._on_inputs()

    @traitlets.observe("inputs")
    def _on_inputs(self, _: object = None) -> None:
        self._local = self._local or any(not uri.startswith("gs://") for uri in self.inputs)
        self._selection = selection(self.inputs, local=self._local)
        inputs = self._selection.inputs
        self._selected = held(messages.Selected(inputs[:_SHOWN_INPUTS], len(inputs)))
        self._changed()
        self._guess_source()

    # What the front end asks for

    def _on_front_end(self) -> None:
        if not self._hello:
            self._hello = True
            self._changed()
            self._background.start(self._begin())

    def _asked_retry(self, _: messages.Retry) -> None:
        self.error = ""
        self._checks.again()
        self._changed()
        self._background.start(self._begin())

    def _asked_edit(self, request: messages.Edit) -> None:
        self._form = self._form.having(request.field, request.value).rechosen(request.field)
        self._edited = messages.Edited(request.view[:32], request.number)
        self._set.add(request.field)
        self.error = ""
        self._changed()

    def _asked_count(self, request: messages.Count) -> None:
        if request.on:
            self._checks.resume()
        else:
            self._checks.stop()
        self._show()

    def _asked_another(self, _: messages.Another) -> None:
        if not self._launching:
            self._form, self._edited = self._form.beside(today()), NO_EDIT
            self._changed()

    def _asked_launch(self, request: messages.Launch) -> None:
        """Once for each token: a second click, of this view or another, has one that is used up."""
        if self._launching or request.token != self._token:
            return
        checked = self._check()
        pressed = self._button(checked)
        self.error, self._token = (
            "",
            secrets.token_hex(8),
        )  # the button that was pressed is used up, whatever comes of it
        if pressed.alive and checked.job is not None:
            self._launching = self._background.start(self._launch(checked))
        elif pressed.state != "launched":
            self.error = _NOT_LAUNCHED
        self._show()

    # What it does in the background

    async def _launch(self, checked: Checked) -> None:
        job, inputs, runner = dict(checked.job or {}), self._selection.inputs, self._form.runner

        def submit(_: Store) -> JobRecord:
            service = self._session.service
            return service.submit(inputs, runner=runner, runner_options=dict(checked.options), **job)

        try:
            record = await self._background.in_thread(store_uri(self._selection, self._form), submit)
        except ChimeraError as e:
            self.error = str(e)
        else:
            self._launched = (job["target"], record.job_id)
            self.job_id = record.job_id
            self._submitted.append(record)
            self._offer(self._choices_known.with_record(record))
        finally:
            self._launching = False
            self._show()

    # What it shows

    def _changed(self) -> None:
        """After anything that was typed, picked or selected."""
        if not hasattr(self, "_checks"):
            return  # while it is being made
        if self._hello:
            self._checks.follow(self._form, self._selection, self._typed().problems)
        self._show()

    def _show(self) -> None:
        checked = self._check()
        carried = tuple(listed(self._carried))
        self._fields = held(messages.FormFields(asdict(self._form), carried, self._edited))
        said = hints(
            self._form,
            checked.problems,
            self._checks.target,
            self._choices_known.sources,
            self._launched_here,
            view=self._choices_known.view(self._form.source, self._form.view),
            missing=checked.missing,
            guess=self._guess,
        )
        self._hints = to_wire(said)
        pressed = self._button(checked)
        self._go = held(
            messages.LaunchButton(
                pressed.state,
                pressed.label,
                pressed.says,
                pressed.alive,
                self._token,
                self._launched[1],
                self._edited,
            )
        )
        self._plan = held(self._planned(checked))
        code = as_code(
            self._selection.inputs, checked.job, self._form.runner, checked.options, self._data_dir
        )
        self._code = held(code)

    def _typed(self) -> Checked:
        """What the form comes to by itself."""
        sources = tuple(self._choices_known.sources) or (self._form.source,)  # until they are known
        checked = check(
            self._form,
            self._selection,
            sources,
            carried=self._carried,
            buckets=self._buckets,
            local=self._local,
        )
        problems = view_problems(checked.job) if checked.job is not None else {}
        return replace(checked, job=None, problems=problems) if problems else checked

    def _check(self) -> Checked:
        """The same, with what is known of the store and the settings."""
        checked = self._typed()
        problems = {**self._checks.problems(), **checked.problems}
        if missing := self._choices_known.missing(self._form.runner, checked.options):
            problems.setdefault("runner", missing)
        return Checked(checked.job, checked.options, problems, checked.missing)

    def _button(self, checked: Checked) -> Button:
        return button(
            self._form,
            checked.problems,
            checking=self._checks.pending or not self._checks.begun,
            launching=self._launching,
            launched=self._launched_here,
            unread=unread_text(survey.reading, survey.why)[0] if (survey := self._checks.survey) else "",
        )

    @property
    def _launched_here(self) -> str:
        """The job that was launched with the target that the form has now."""
        target, job_id = self._launched
        return job_id if target and target == self._form.target else ""

    def _planned(self, checked: Checked) -> messages.PlanFigures | None:
        if (survey := self._checks.survey) is None:
            return None
        settings = self._choices_known.settings
        return plan_figures(
            survey,
            machine_of(self._form.runner, checked.options, settings),
            prices_of(settings) if settings else None,
            counting=self._checks.counting,
            unread=unread_of(survey, every=self._form.every_file),
        )

"""What the store says of a form's selection and target: asked when typing pauses, and never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any

from chimera_nb.session import Session
from chimera_nb.widgets.base.background import Background
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.browser.counting import SLICE_SECONDS
from chimera_nb.widgets.job_form.model import Fields
from chimera_nb.widgets.job_form.selected import Selection
from chimera_nb.widgets.job_form.survey import Survey
from pipeline.errors import ChimeraError
from pipeline.locations import Inputs, Target
from pipeline.storage import Store

if TYPE_CHECKING:
    from chimera_nb.widgets.job_form.target_state import TargetState

_TYPING_SECONDS = 0.4  # after the last key


class StoreChecks:
    """The survey and the look at the target for one form; `tell` is called on the loop when either has changed.

    survey   of the selection; None where there is none to be had
    target   what stands at the target; None until that is known
    pending  the target is being looked at, or will be
    """

    def __init__(self, background: Background, session: Session, tell: Callable[[], None]) -> None:
        self._background, self._session, self._tell = background, session, tell
        self.survey: Survey | None = None
        self.counting = False
        self.target: TargetState | None = None
        self.pending = False
        self._surveyed: tuple[object, ...] = ()
        self._user_project: str | None = None
        self._looked: tuple[object, ...] = ()
        self._target_generation, self._survey_generation = Generation(), Generation()
        self._advancing = 0  # the generation of the survey that goes on; 0 for none

    def follow(self, form: Fields, selected: Selection, problems: Container[str]) -> None:
        """Survey the selection and look at the target of this form, unless `problems` names their fields."""
        project = None if "user_project" in problems else form.user_project.strip() or None
        source = None if "source" in problems else form.source
        self.select(selected, source, project, every_file=form.every_file)
        aimed = not any(name in problems for name in ("bucket", "prefix", "source"))
        named = {name: getattr(form, name) for name in ("target", "source", "every_file", "overwrite")}
        job = {**named, "user_project": project} if aimed else {}
        self.aim(job, () if selected.problem else selected.inputs)

    def select(
        self,
        selected: Selection,
        source: str | None,
        user_project: str | None = None,
        *,
        every_file: bool = False,
    ) -> None:
        """Count this selection, unless that is what is being counted; None for a source that does not do.

        `user_project` is what is billed for it, where the settings name no other.
        """
        asked = (selected.inputs, source, user_project, every_file)
        key = () if selected.problem or source is None else asked
        if key == self._surveyed:
            return
        self._surveyed, self._user_project = key, user_project
        self.survey = Survey(selected.inputs, source, every_file=every_file) if key and source else None
        self._survey_generation.renew()
        self._count(_TYPING_SECONDS)

    def aim(self, job: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
        """Look at this target, unless that is what was looked at; `job` has target, source, overwrite and user_project.

        An empty one stands for a target that does not do.
        """
        key = (*job.values(), inputs) if job else ()
        if key != self._looked:
            self._looked, self.target = key, None
            work = self._inspect(self._target_generation.renew(), job, inputs) if key else None
            self.pending = work is not None and self._background.start(work)

    def stop(self) -> None:
        """End the count where it is."""
        self.counting = False

    def resume(self) -> None:
        """Count on, or again after an error."""
        if self.survey and not self.counting:
            self.survey.resume()
            if not self._survey_generation.is_late(self._advancing):
                self.counting = True  # it was stopped a moment ago, and has not noticed yet
            else:
                self._count(0)

    def again(self) -> None:
        """Ask all of it anew."""
        self._surveyed = self._looked = ()

    @property
    def begun(self) -> bool:
        """Whether the survey has found a file, an error, or an end."""
        survey = self.survey
        return survey is not None and bool(
            survey.tally.files or survey.error or survey.without_files or not self.counting
        )

    def problems(self) -> dict[str, str]:
        """What was found to be wrong, by field, as `model.Checked` has it."""
        found = {}
        survey = self.survey
        if survey and (survey.error or survey.without_files):
            found["inputs"] = (
                survey.error or f"No file for this source matches {survey.without_files}; select others."
            )
        if self.target and self.target.problem:
            found[self.target.field] = self.target.problem
        return found

    def _count(self, pause: float) -> None:
        survey, generation = self.survey, self._survey_generation.number
        self.counting = survey is not None and self._background.start(
            self._advance(generation, survey, pause)
        )

    async def _advance(self, generation: int, survey: Survey, pause: float) -> None:
        def is_late() -> bool:
            return self._survey_generation.is_late(generation)

        await asyncio.sleep(pause)
        where, project = survey.inputs[0], self._user_project
        self._advancing = generation
        try:
            while self.counting and not is_late() and survey.active:
                await self._background.in_thread(
                    where, lambda store: survey.advance(store.billed_to(project), SLICE_SECONDS)
                )
                if not is_late():
                    self._tell()
            if survey.tally.files and not is_late():
                await self._background.in_thread(
                    where, lambda store: survey.inspect(store.billed_to(project))
                )
        except ChimeraError as e:
            survey.error = e.sentence
        finally:
            if self._advancing == generation:
                self._advancing = 0
            if not is_late():
                self.counting = False
                self._tell()

    async def _inspect(self, generation: int, job: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
        await asyncio.sleep(_TYPING_SECONDS)
        if self._target_generation.is_late(generation):
            return
        from chimera_nb.widgets.job_form.target_state import TargetState, inspect_target

        def inspect(store: Store) -> TargetState:
            return inspect_target(
                store.billed_to(job["user_project"]),
                Target(job["target"]),
                Inputs(inputs) if inputs else None,
                source=job["source"],
                every_file=job["every_file"],
                overwrite=job["overwrite"],
                makes_buckets=self._session.settings.place == "local",
            )

        try:
            state = await self._background.in_thread(job["target"], inspect)
        except ChimeraError as e:
            state = TargetState(problem=e.sentence)
        if not self._target_generation.is_late(generation):
            self.target, self.pending = state, False
            self._tell()

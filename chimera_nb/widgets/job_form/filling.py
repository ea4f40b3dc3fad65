"""What fills in a JobForm beside whoever types: what there is to choose from, an earlier job, the source that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.requester import current_user
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.base.widget import ChimeraWidget, existing, held
from chimera_nb.widgets.job_form import messages
from chimera_nb.widgets.job_form.choices import Choices, gather
from chimera_nb.widgets.job_form.model import Fields, store_uri
from chimera_nb.widgets.job_form.recent_jobs import begun_as, fields_of, inputs_of
from chimera_nb.widgets.job_form.selected import Selection, selection
from chimera_nb.widgets.job_form.source_guess import Guess, guess_source
from pipeline.errors import ChimeraError, RefusedError
from pipeline.storage import Store

NO_EDIT = messages.Edited("", 0)


def today() -> str:
    return datetime.now(UTC).date().isoformat()


class Filling(ChimeraWidget):
    """A form that is filled in: its fields, its selection and what was chosen are its own."""

    inputs: Any
    _choices: Any
    _form: Fields
    _selection: Selection
    _edited: messages.Edited
    _local: bool
    _buckets: tuple[str, ...] | None
    _changed: Callable[[], None]  # after anything that was typed, picked or selected

    def __init__(self, session: Any, given: Iterable[str], **traits: Any) -> None:
        """`given` are the fields that are set by whoever makes the form; what is typed joins them."""
        self._set = set(given)
        self._choices_known = Choices()
        self._submitted: list[JobRecord] = []  # by this form, from the oldest
        self._carried: dict[str, Any] = {}  # options of a job that was picked, and that have no field
        self._guess: Guess | None = None
        self._guessed = Generation()  # of the selection that the guess is of
        super().__init__(session, **traits)

    def begin_with(self, job_id: str) -> None:
        """Fill in the whole form as an earlier job had it, with a target beside its own. Launches nothing."""
        self.error = ""
        self._background.start(self._begin_with(job_id))

    def _asked_pick(self, request: messages.Pick) -> None:
        with existing("job to begin with"):
            record = self._choices_known.record(request.job)
        self.error = ""
        self._background.start(self._pick(record, whole=request.whole))

    async def _begin(self) -> None:
        """Find out what there is to choose from, and begin with what this user's last job had."""
        where = store_uri(self._selection, self._form)
        stores = where.startswith("gs://")

        def known(_: Store) -> Choices:
            return gather(self._session, self._buckets, stores=stores)

        try:
            found = await self._background.in_thread(where, known)
        except ChimeraError as e:
            self.error = str(e)
            return
        for record in self._submitted:  # what was launched while the log was read is not in what it told
            found = found.with_record(record)
        self._offer(found)
        me = current_user()
        mine = [record for record in self._choices_known.records if record.created_by == me]
        self._form = begun_as(self._form, mine, self._session.settings, self._set)
        self._changed()
        self._guess_source()

    def _offer(self, choices: Choices) -> None:
        self._choices_known = choices
        self._choices = held(choices.shown())

    async def _begin_with(self, job_id: str) -> None:
        try:
            record = await self._background.in_thread(
                store_uri(self._selection, self._form), lambda _: self._session.service.get(job_id)
            )
        except ChimeraError as e:
            self.error = str(e)
        else:
            await self._pick(record, whole=True)

    async def _pick(self, record: JobRecord, *, whole: bool) -> None:
        try:
            inputs = await self._background.in_thread(
                store_uri(self._selection, self._form), lambda store: inputs_of(store, record)
            )
            fields, carried = fields_of(record, self._session.settings)
            if not self._local and selection(inputs).here:
                raise RefusedError(f"job {record.job_id} read files of this machine; this form reads buckets")
        except ChimeraError as e:
            self.error = str(e)
            return
        if whole:
            self._form, self._carried = fields.beside(today()), carried
            self._set.update(asdict(fields))
        self.inputs = inputs
        self._edited = NO_EDIT
        self._changed()

    # The source

    def _guess_source(self) -> None:
        """Choose the source that the selection is of, unless somebody has chosen one."""
        number = self._guessed.renew()
        self._guess = None
        if "source" not in self._set and self._choices_known.sources and not self._selection.problem:
            self._background.start(self._take_guess(number, self._selection.inputs))

    async def _take_guess(self, number: int, inputs: tuple[str, ...]) -> None:
        sources = tuple(self._choices_known.sources)
        try:
            guess = await self._background.in_thread(
                inputs[0], lambda store: guess_source(store, inputs, sources)
            )
        except ChimeraError:
            return  # the survey of the selection says what is wrong with it
        if guess is None or self._guessed.is_late(number) or "source" in self._set:
            return
        self._guess = guess
        if guess.source != self._form.source:
            self._form = self._form.having("source", guess.source).rechosen("source")
        self._changed()

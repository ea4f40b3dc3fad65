"""Follow a job: look at its record once a second, and hear of changes in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from chimera_nb.jobs.log.entries import Entries
from chimera_nb.jobs.log.watch import Watch
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session
from chimera_nb.widgets.base.background import Background
from chimera_nb.widgets.base.generation import Generation
from pipeline.errors import ChimeraError, JobNotFoundError

_EVERY = 1.0  # seconds between two looks at the job
_AT_MOST_EVERY = 15.0  # while the job log is away


class Follower:
    """Follows the jobs of one monitor, one after the other: each generation is one job.

    take               called on the loop with the generation and a state of the job, which may be an old one
    say                with the generation and what is wrong, in a sentence
    is_to_be_followed  whether to go on after a look

    Attribute: lost (whether the job log did not answer when it was asked last; who is told of an answer resets it).
    """

    def __init__(
        self,
        background: Background,
        session: Session,
        generation: Generation,
        *,
        take: Callable[[int, JobRecord], None],
        say: Callable[[int, str], None],
        is_to_be_followed: Callable[[], bool],
    ) -> None:
        self._background, self._session, self._generation = background, session, generation
        self._take, self._say, self._is_to_be_followed = take, say, is_to_be_followed
        self._following = 0  # the generation that is followed; 0 for none
        self.lost = False

    @property
    def is_following(self) -> bool:
        return bool(self._following)

    def follow(self, job_id: str) -> None:
        """Follow the job of this generation, unless that is being done."""
        generation = self._generation.number
        if self._following != generation:
            self._following = generation
            if not self._background.start(self._run(generation, job_id)):
                self._following = 0

    async def _run(self, generation: int, job_id: str) -> None:
        """Until the job ends or nobody sees it any more."""
        watch: Watch | None = None
        pause = _EVERY
        try:
            while not self._generation.is_late(generation):
                began = time.monotonic()
                try:
                    service, record = await asyncio.to_thread(self._look, job_id)
                    if watch is None and not record.status.is_final:
                        tell = partial(self._tell, generation)
                        watch = await asyncio.to_thread(service.log.watch, tell, job_id=job_id)
                except JobNotFoundError as e:
                    self._say(generation, str(e))
                    return
                except ChimeraError as e:
                    pause = min(2 * pause, _AT_MOST_EVERY)
                    self.lost = True
                    self._say(generation, f"{e}; trying again")
                else:
                    pause = _EVERY
                    self._take(generation, record)
                if self._generation.is_late(generation) or not self._is_to_be_followed():
                    return
                await asyncio.sleep(max(0.0, pause - (time.monotonic() - began)))
        finally:
            if watch is not None:
                watch.close()
            if self._following == generation:
                self._following = 0

    def _look(self, job_id: str) -> tuple[JobService, JobRecord]:
        service = self._session.service_for_watching()
        return service, service.get(job_id)

    def _tell(self, generation: int, entries: Entries) -> None:
        """What a watch calls, in its thread. What cannot be read, the next look says."""
        for entry in entries:
            if isinstance(entry, JobRecord):
                self._background.tell(self._take, generation, entry)

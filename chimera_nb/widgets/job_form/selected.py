"""What a job is to read, as a form has it: looked at once, however often the form is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import RefusedError
from pipeline.locations import Inputs

_NOTHING = "Nothing is selected yet; select files, folders or a pattern to read."


@dataclass(frozen=True)
class Selection:
    """What a job is to read, looked at once: it may be 100,000 URIs, and a form is checked at each key.

    problem   why it does not do, as a sentence, or None
    here      the first of it that is on this machine, or None
    """

    inputs: tuple[str, ...] = ()
    problem: str | None = _NOTHING
    here: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected yet."""
        return not self.inputs


def selection(inputs: Sequence[str], *, local: bool = True) -> Selection:
    """The selection, each input once and local ones as absolute paths; `local` says whether these may be read."""
    if not inputs:
        return Selection()
    once = tuple(dict.fromkeys(inputs))
    # Of a URI only its bucket can be wrong here, so one of each bucket stands for 100,000.
    firsts = {uri.split("/")[2] if uri.startswith("gs://") else uri: uri for uri in once}
    try:
        located = Inputs(tuple(firsts.values()))
    except RefusedError as e:
        return Selection(once, e.sentence)
    if located.bucket:
        return Selection(once, None)
    here = located.uris[0]
    refused = f"{here} is on the machine that shows this form; it reads buckets: select from one."
    return Selection(located.uris, None if local else refused, here)

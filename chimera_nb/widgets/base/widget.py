"""What the widgets of the toolkit have in common: work in the background, requests of the front end, one error line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

import anywidget
import traitlets

from chimera_nb.session import Session
from chimera_nb.widgets.base.background import Background
from pipeline.errors import ChimeraError, RefusedError

_log = logging.getLogger(__name__)
_KINDS_LOGGED, _EACH_LOGGED = 50, 5


class RefusedValueError(RefusedError, traitlets.TraitError):
    """A trait's value that is refused. traitlets takes back only what fails with an error of its own."""


@contextmanager
def refusing() -> Iterator[None]:
    """For a validator: what is refused within is refused to the trait."""
    try:
        yield
    except RefusedError as e:
        raise RefusedValueError(str(e)) from e


class View(anywidget.AnyWidget):
    """A widget whose front end asks for things by name: {"kind": "go", …} calls `_asked_go` with the message.

    Whoever opens a dashboard can send any message, so a method takes nothing in it on trust: what raises
    ChimeraError is shown as `error`. A message that makes no sense changes nothing; the log says what it was and where
    it failed, for it may as well be a fault of the method: the first few of each kind, since a visitor can send any
    number.
    """

    error = traitlets.Unicode(help="What went wrong last, in one line; empty when all is well.").tag(
        sync=True
    )

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._session = session or Session()
        self._background = Background(self._session, self._on_failure)
        self._dropped: dict[str, int] = {}  # messages that could not be done, by their kind
        if unknown := sorted(traits.keys() - set(self.class_trait_names())):
            raise TypeError(
                f"{type(self).__name__} takes no {', '.join(unknown)}; see its help for what it takes"
            )
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What the front end sets. A value that does not do leaves the one of before."""
        try:
            super().set_state(sync_data)
        except (RefusedError, traitlets.TraitError) as e:
            self.error = str(e)

    def close(self) -> None:
        if background := self.__dict__.get("_background"):  # none yet where an argument was refused
            background.cancel()
        super().close()

    def _on_failure(self, what: str) -> None:
        self.error = what

    def _on_message(self, _: object, content: dict[str, Any], __: object) -> None:
        try:
            asked = getattr(self, f"_asked_{content['kind']}", None)
            if asked is not None:
                asked(content)
        except ChimeraError as e:
            self.error = str(e)
        except (LookupError, TypeError, ValueError, traitlets.TraitError) as e:
            self._log_dropped(content, e)

    def _log_dropped(self, content: object, error: Exception) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        seen = self._dropped.setdefault(str(kind), 0) if len(self._dropped) < _KINDS_LOGGED else _EACH_LOGGED
        if seen < _EACH_LOGGED:
            self._dropped[str(kind)] = seen + 1
            at = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{at.name}, {PurePath(at.filename).name}:{at.lineno}"
            _log.warning("%s could not do %.200r: %.100r in %s", type(self).__name__, content, error, where)

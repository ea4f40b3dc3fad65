"""What the widgets of the toolkit have in common: work in the background, requests of the front end, one error line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, get_type_hints

import anywidget
import traitlets

from chimera_nb.session import Session
from chimera_nb.widgets.base.background import Background, unforeseen
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.base.messages import (
    Bye,
    Hello,
    Here,
    MalformedError,
    Message,
    RefusedMessage,
    Request,
    State,
    read_request,
    to_wire,
)
from chimera_nb.widgets.base.presence import Presence
from chimera_nb.widgets.base.visitors import for_visitor
from pipeline.errors import ChimeraError, RefusedError

_log = logging.getLogger(__name__)
_KINDS_LOGGED, _EACH_LOGGED = 50, 5
_ASKED = "_asked_"


class RefusedValueError(RefusedError, traitlets.TraitError):
    """A trait's value that is refused. It is a TraitError, since traitlets restores the old value for no other."""


@contextmanager
def refusing() -> Iterator[None]:
    """For a validator: what is refused within is refused to the trait."""
    try:
        yield
    except RefusedError as e:
        raise RefusedValueError(str(e)) from e


@contextmanager
def existing(what: str) -> Iterator[None]:
    """For a request that names one of several things: one that is not there is refused."""
    try:
        yield
    except LookupError as e:
        raise RefusedError(f"there is no such {what}; it may have been there before") from e


class ChimeraWidget(anywidget.AnyWidget):
    """A widget whose front end asks for things: a request of class `Go` calls the method `_asked_…` that takes a `Go`.

    Whoever opens a dashboard can send anything. What is no request of this widget is answered with RefusedMessage;
    one of a generation that is not shown any more is left alone. What a method raises is shown as `error`: a
    ChimeraError as its text; anything else as a fault of this program, with its traceback in the log. Of each kind
    only the first few are logged, since a visitor can send any number.
    """

    error = traitlets.Unicode(help="What went wrong last, in one line; empty when all is well.").tag(
        sync=True
    )
    _handlers: ClassVar[dict[type[Request], str]] = {}
    _generation: Generation
    _presence: Presence

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._handlers = {}
        for name in (each for each in dir(cls) if each.startswith(_ASKED)):
            hints = get_type_hints(getattr(cls, name))
            (request_class,) = [hint for parameter, hint in hints.items() if parameter != "return"]
            cls._handlers[request_class] = name

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._session = session or Session()
        self._background = Background(self._session, self._on_failure)
        self.__dict__.setdefault("_generation", Generation())  # a model may have brought its own
        self._presence = Presence()
        self._logged: dict[str, int] = {}  # requests that could not be done, by their kind
        if unknown := sorted(traits.keys() - set(self.class_trait_names())):
            raise TypeError(
                f"{type(self).__name__} takes no {', '.join(unknown)}; see its help for what it takes"
            )
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the values that a front end sets; a trait whose value is refused keeps the one it has."""
        try:
            super().set_state(sync_data)
        except (RefusedError, traitlets.TraitError) as e:
            self.error = str(e)
        except Exception as e:  # noqa: BLE001 - an observer's own fault, as of a handler of a request
            self._on_fault("set", sync_data, e)

    def close(self) -> None:
        if background := self.__dict__.get("_background"):  # none yet where an argument was refused
            background.cancel()
        super().close()

    @traitlets.validate("error")
    def _for_visitor(self, proposal: dict[str, Any]) -> str:
        return for_visitor(proposal["value"])

    def post(self, message: Message) -> None:
        """Tell every front end of this widget."""
        self.send(to_wire(message))

    # Who is on screen

    def _asked_hello(self, request: Hello) -> None:
        self._presence.here(request.view)
        self._on_front_end()

    def _asked_here(self, request: Here) -> None:
        self._presence.here(request.view)
        self._on_still_there()

    def _asked_bye(self, request: Bye) -> None:
        self._presence.gone(request.view)

    def _on_front_end(self) -> None:
        """A front end has opened, perhaps one among several: send it everything."""

    def _on_still_there(self) -> None:
        """A front end is on screen still, or again."""

    # Requests

    def _on_failure(self, what: str) -> None:
        self.error = what

    def _on_message(self, _: object, content: object, __: object) -> None:
        kinds = {each.kind: each for each in self._handlers}
        try:
            request = read_request(kinds, content)
        except MalformedError as e:
            kind = content.get("kind") if isinstance(content, dict) else None
            if self._is_to_be_logged(kind):
                _log.warning("%s was asked for %.200r: %s", type(self).__name__, content, e)
            self.post(RefusedMessage(f"{kind:.60}" if isinstance(kind, str) else "", e.code, e.field, str(e)))
            return
        generation = getattr(request, "generation", None)
        if generation is not None and self._generation.is_late(generation):
            return
        try:
            getattr(self, self._handlers[type(request)])(request)
        except ChimeraError as e:
            self.error = str(e)
        except Exception as e:  # noqa: BLE001 - whatever it is, the widget goes on and says so
            self._on_fault(request.kind, request, e)

    def _on_fault(self, kind: str, asked: object, error: Exception) -> None:
        """A fault of ours: the log has its traceback, and whoever looks is told of one."""
        if self._is_to_be_logged(kind):
            _log.error("%s could not do %.200r", type(self).__name__, asked, exc_info=error)
        self.error = unforeseen(error)

    def _is_to_be_logged(self, kind: object) -> bool:
        """Whether so few of this kind are in the log that one more does no harm."""
        name = kind[:60] if isinstance(kind, str) else ""
        seen = self._logged.setdefault(name, 0) if len(self._logged) < _KINDS_LOGGED else _EACH_LOGGED
        if seen < _EACH_LOGGED:
            self._logged[name] = seen + 1
        return seen < _EACH_LOGGED


def held(state: State | None) -> dict[str, Any]:
    """A state as the value of a trait: an object, without fields for None."""
    wire: dict[str, Any] = {} if state is None else to_wire(state)
    return wire

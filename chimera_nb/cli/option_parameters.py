"""The rows of an option table (`pipeline.options`) as the parameters of a command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pipeline.options import Option, table


def parameter_of(option: Option) -> Any:
    """What stands in an annotation, so that typer makes the option of it."""
    return typer.Option(
        f"--{option.flag}",
        metavar=option.metavar or None,
        help=option.text,
        show_default=bool(option.shown_default),
    )


def expanded(**tables: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: in place of a parameter named here, a command takes one for each option of that dataclass.

    The command itself is called with a dict of their values, by name.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**values: Any) -> None:
            for name, cls in tables.items():
                values[name] = {option.name: values.pop(option.name) for option in table(cls)}
            command(**values)

        signature = inspect.signature(command, eval_str=True)
        parameters = [
            one
            for known in signature.parameters.values()
            for one in (map(_parameter, table(tables[known.name])) if known.name in tables else (known,))
        ]
        called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate


def _parameter(option: Option) -> inspect.Parameter:
    kind: Any = list[option.kind] if option.many else option.kind  # type: ignore[name-defined]
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if option.many else option.default,
        annotation=Annotated[kind | None if option.many or option.nullable else kind, parameter_of(option)],
    )

"""A job's options as a table: a dataclass whose fields are annotated with what each is.

    shards: Annotated[int | None, Option("How many output files", least=1, label="Output files")] = None

is one row. The command lines, the job form, the code it shows, the specification and the documentation are made of
the rows: `table(cls)` gives them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pipeline.errors import RefusedError

Part = Literal["read", "write", "run", "more"]  # of the job form


@dataclass(frozen=True)
class Option:
    """What one option is. A bool's default is False: it is a flag that is set.

    help         what it does, in a sentence without its stop
    unset        what comes of it where it is left out, if that is no value
    least, most  the bounds of a number; Dataflow holds jobs to the `most` of its own options itself
    zero         what 0 stands for, where it is no number like others
    check        raises RefusedError for a value that does not do
    variable     the environment variable that has the value where it is left out
    once         it is for one submission: copies of the job, and forms filled in from it, leave it out

    On a command line:
    flag, metavar   without "--"; by the name, and by the type, if left out

    In the job form:
    part         where it stands; without one it has no field
    label        above the field, or beside the box; by the name if left out
    placeholder  what stands in a field that is empty
    hint         what is said below a field that is empty; made of `help` and `unset` if left out

    From the dataclass:
    name, kind, default   `kind` is str, int or, of a job's own, bool; of one item where `many`
    nullable              whether None is a value
    many                  whether it is a tuple of texts; an option of `JobSpec` is one value
    """

    help: str
    unset: str = ""
    least: int = 0
    most: int | None = None
    zero: str = ""
    check: Callable[[Any], None] | None = None
    variable: str = ""
    once: bool = False
    flag: str = ""
    metavar: str = ""
    part: Part | None = None
    label: str = ""
    placeholder: str = ""
    hint: str = ""
    name: str = ""
    kind: type = str
    default: Any = None
    nullable: bool = False
    many: bool = False

    @property
    def json_name(self) -> str:
        """The option's name in JSON."""
        return camel(self.name)

    @property
    def text(self) -> str:
        """What it does and what comes of it where it is left out, as sentences."""
        zero = f"; 0: {self.zero}" if self.zero else ""
        unset = f" Left out: {self.unset}." if self.unset else ""
        return f"{self.help}{zero}.{unset}"

    @property
    def shown_default(self) -> str:
        """The value that it has where it is left out, if that is one."""
        return "" if self.default is None or self.default is False or self.many else str(self.default)

    def refuse(self, value: Any) -> None:
        """Raise RefusedError for a value of the right type that is out of bounds, or that `check` refuses."""
        if self.check:
            self.check(value)
        if self.kind is not int or value is None:
            return
        if value < self.least or (self.most is not None and value > self.most):
            wanted = f"give {self.least} or more"
            if self.most is not None:
                wanted = f"ask for {self.least} to {self.most:,}"
            elif self.zero:
                wanted = f"give 1 or more, or 0 for {self.zero}"
            raise RefusedError(f"{self.flag} is {value}; {wanted}")


@cache
def table(cls: type) -> tuple[Option, ...]:
    """The options that a dataclass has, in its order; without its fields that are none."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        _row(option, field, get_args(hints[field.name])[0])
        for field in dataclasses.fields(cls)
        for option in getattr(hints[field.name], "__metadata__", ())
        if isinstance(option, Option)
    )


def _row(option: Option, field: dataclasses.Field[Any], hint: Any) -> Option:
    many = get_origin(hint) is tuple
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not Ellipsis]
    return dataclasses.replace(
        option,
        name=field.name,
        kind=next(kind for kind in kinds if kind is not NoneType),
        default=field.default,
        nullable=NoneType in kinds,
        many=many,
        flag=option.flag or field.name.replace("_", "-"),
        label=option.label or field.name.replace("_", " ").capitalize(),
    )


def camel(name: str) -> str:
    """A field's name as JSON has it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

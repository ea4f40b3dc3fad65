r"""Lines -> records: what every function that shows records reads them with. No pandas.

A record is a dict, as the standard library's json gives it, but for half characters: "\ud83d" is a legal escape in
JSON that stands for half a character, which can be neither printed nor saved. It becomes the six characters that it
was written with. A line that holds no JSON object is a NoRecord, a type of its own, so that no field of anybody's
can be taken for one.

msgspec decodes, at ten times the speed of json where a few fields are wanted; what it refuses (a bare NaN, 1e400, a
byte order mark, half characters, and all that is no JSON) goes to json, whose word counts.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec

from chimera_nb.jobs.limits import storable

Record = dict[str, Any]

_MOST_NAMED = 64  # fields by name are looked for one after another; beyond so many it is sooner to take all
_SLOW = (msgspec.MsgspecError, ValueError, RecursionError)
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_MANY_NEW = 100_000  # objects, which are searched in a hundredth of a second


@dataclass(frozen=True, slots=True)
class NoRecord:
    """A line that holds no JSON object: its text, without its end."""

    text: str


Row = Record | NoRecord


class RecordReader:
    """Reads lines as records, with all their fields or with these alone. Attribute: escaped.

    escaped counts the records with half characters in what was asked for.
    """

    def __init__(self, fields: Collection[str] | None = None) -> None:
        self.escaped = 0
        self._all = msgspec.json.Decoder().decode
        self._fields = None if fields is None else frozenset(fields)
        self._some = None
        # msgspec 0.22 finds no names but those of ASCII in a TypedDict.
        if fields is not None and len(fields) <= _MOST_NAMED and all(map(str.isascii, fields)):
            kind: Any = TypedDict("Fields", dict.fromkeys(fields, Any), total=False)  # type: ignore[misc]
            self._some = msgspec.json.Decoder(kind).decode

    def read(self, lines: Collection[bytes]) -> list[Row]:
        """The record of each line, given without its end; a blank line is none."""
        with collector_paused():
            return self._read(lines)

    def _read(self, lines: Collection[bytes]) -> list[Row]:
        some = self._some if self._some is not None and can_be_skipped_over(lines) else None
        decode = some or self._all
        rows: list[Row] = []
        for line in lines:
            try:
                value = decode(line)
            except _SLOW:
                if is_blank(line):
                    continue
                value = self._read_slowly(line)
            if type(value) is not dict:
                value = value if type(value) is NoRecord else _no_record(line)
            elif some is None and self._fields is not None:
                value = self._cut(value)
            rows.append(value)
        return rows

    def _cut(self, record: Record) -> Record:
        fields = self._fields
        return record if fields is None else {name: v for name, v in record.items() if name in fields}

    def _read_slowly(self, line: bytes) -> Row:
        try:
            value = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return _no_record(line)
        if not isinstance(value, dict):
            return _no_record(line)
        if b"\\u" not in line:
            return self._cut(value)
        escaped, value = _escape_names(value)
        value = self._cut(value)
        self.escaped += _escape_within(value) or bool(escaped & value.keys())
        return value


def read_record(line: bytes) -> Row:
    """The record of one line, which is not blank."""
    rows = RecordReader().read([line])
    return rows[0] if rows else _no_record(line)


def is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with as many underscores before it as make it a new one."""
    while name in taken:
        name = f"_{name}"
    return name


@contextmanager
def collector_paused() -> Iterator[None]:
    """Python's search for cycles, off: records have none, and looking through millions of them takes ten times as
    long as making them.
    """
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()


class _Pauses:
    """Counts those who paused the collector, in all threads: the last one starts it again, if it was on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._was_on = False

    def begin(self) -> None:
        with self._lock:
            if not self._count:
                self._was_on = gc.isenabled()
                gc.disable()
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count or not self._was_on:
                return
            # A search through ten million objects that are new takes four seconds. Both together put all there is
            # among the old, unseen, unless somebody keeps some from the collector for good, which are counted one by
            # one.
            if gc.get_count()[0] > _MANY_NEW and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


_pauses = _Pauses()  # the collector is the process's, and so is this


def _no_record(line: bytes) -> NoRecord:
    return NoRecord(line.rstrip(b"\r").decode("utf-8", "backslashreplace"))


def can_be_skipped_over(lines: Iterable[bytes]) -> bool:
    """Whether json takes each value that msgspec skips, which it does not check for UTF-8 and long integers."""
    most = sys.get_int_max_str_digits()
    for line in lines:
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                return False
        if most and len(line) > most and b"0" * (most + 1) in line.translate(_DIGITS):
            return False
    return True


def _escape_names(record: Record) -> tuple[set[str], Record]:
    """The names that had half characters, as they are now, and the record with them; a name that is taken gets
    another backslash.
    """
    halves = [name for name in record if storable(name) != name]
    if not halves:
        return set(), record
    taken = record.keys() - halves
    made: dict[str, str] = {}
    for name in halves:
        new = storable(name)
        while new in taken:
            new = f"\\{new}"
        made[name] = new
        taken.add(new)
    return set(made.values()), {made.get(name, name): value for name, value in record.items()}


def _escape_within(record: Record) -> bool:
    """Escape half characters in a record's values, in place; whether there were any. Names of its own are left."""
    found = False
    waiting: list[Any] = [record]  # no recursion: values may nest deeper than calls
    while waiting:
        holder = waiting.pop()
        for at, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if isinstance(value, str):
                holder[at] = storable(value)
                found |= holder[at] != value
            elif isinstance(value, dict):
                names, holder[at] = _escape_names(value)
                found |= bool(names)
                waiting.append(holder[at])
            elif isinstance(value, list):
                waiting.append(value)
    return found

"""Documents of jobs as they may stand in a job log, whoever put them there: held to the contract of `record`.

A log is shared, lasts for years, and is written by several versions. So each field is checked before it is believed,
and of a document that is changed only what the change is about is written.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Check = Callable[[Any], bool]
_ABSENT = object()
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 60
_brief.maxdict = _brief.maxlist = 3
_brief.maxlevel = 2


def problem_of(document: object) -> str | None:
    """What makes a document no record of a job, in a few words; None for one that can be read.

    Names of status, runner and stages are for `JobRecord` to know; here they are texts.
    """
    if not isinstance(document, Mapping):
        return f"it is {brief(document)}, not an object with fields"
    for name, (check, expected, needed) in CHECKS.items():
        value = document.get(name, _ABSENT)
        if value is _ABSENT:
            if needed:
                return f"{name} is missing"
        elif not check(value):
            return f"{name} is {brief(value)}, not {expected}"
    return None


def fields_to_write(
    stored: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    """What a change writes into the stored document, from the record's fields before and after it.

    Other fields of the stored document are kept, such as those of a later version.
    """
    fields = {name: value for name, value in after.items() if before.get(name, _ABSENT) != value}
    if "stages" in fields:
        fields["stages"] = {**(stored.get("stages") or {}), **fields["stages"]}
    return fields


def brief(value: object) -> str:
    """A value for a message: printable, on one line, and short, whatever it is."""
    return _brief.repr(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _series(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(item) in (int, float) for item in value)


def _time(value: Any) -> bool:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return when.tzinfo is not None and datetime(1970, 1, 1, tzinfo=UTC) <= when < datetime(
        2200, 1, 1, tzinfo=UTC
    )


def _count(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


def _numbers(value: Any) -> bool:
    return _plain_map(value) and all(item is None or isinstance(item, int | float) for item in value.values())


def _words(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(word, str) for name, word in value.items()
    )


def _plain_map(value: Any) -> bool:
    return isinstance(value, Mapping) and _plain(value)


def _plain(value: Any) -> bool:
    """Whether a value is made of JSON's own types: Firestore has others."""
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _plain(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return value is None or type(value) in (str, int, float, bool)


def _json_object(value: Any) -> bool:
    try:
        return value is None or value == "" or isinstance(json.loads(value), dict)
    except (TypeError, ValueError):
        return False


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


_TIME = "a time such as 2024-01-19T10:00:00.000Z"
_MAP = "a map of plain values"
# Of each field: its check, what it is to be, and whether a document without it is no record.
CHECKS: dict[str, tuple[Check, str, bool]] = {
    "createdAt": (_time, _TIME, True),
    "jobId": (_text, "a text", True),
    "status": (_text, "a text", True),
    "sourceType": (_text, "a text", True),
    "sourceBucket": (_text, "a text", True),
    "selectedPaths": (_texts, "a list of texts", True),
    "targetBucket": (_text, "a text", True),
    "outputPrefix": (_text, "a text", True),
    "selectedPathsTotal": (_count, "a count", False),
    "runner": (_text, "a text", False),
    "stages": (_or_none(_words), "a map of words", False),
    "progress": (_numbers, "a map of numbers", False),
    "logs": (_texts, "a list of texts", False),
    "logsLeftOut": (_count, "a count", False),
    "course": (_or_none(_series), "a list of numbers", False),
    "name": (_or_none(_text), "a text", False),
    "note": (_or_none(_text), "a text", False),
    "tags": (_or_none(_texts), "a list of texts", False),
    "announcedBy": (_or_none(_text), "a text", False),
    "error": (_or_none(_text), "a text", False),
    "updatedAt": (_time, _TIME, False),
    "startedAt": (_or_none(_time), _TIME, False),
    "finishedAt": (_or_none(_time), _TIME, False),
    "cancelRequestedAt": (_or_none(_time), _TIME, False),
    "targetUnseenSince": (_or_none(_time), _TIME, False),
    "dataflowRequestedAt": (_or_none(_time), _TIME, False),
    "createdBy": (_or_none(_text), "a text", False),
    "dataflowJobId": (_or_none(_text), "a text", False),
    "dataflowUrl": (_or_none(_text), "a text", False),
    "worker": (_or_none(_plain_map), _MAP, False),
    "runnerOptions": (_plain_map, _MAP, False),
    "summary": (_or_none(_plain_map), _MAP, False),
    "forecast": (_or_none(_plain_map), _MAP, False),
    "spec": (_json_object, "the text of a JSON object", False),
}

"""What a file of text is where it is not one JSON object a line, told by its first lines.

The lines of such a file go out as they are; this is for whoever wonders at them.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

HEAD_BYTES = 1 << 16  # of a file that are looked at

_SEPARATOR = b"\x1e"
_TOGETHER = re.compile(rb"}\s*{")
_DELIMITERS = (",", "\t", ";", "|")
_LINES = 10
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")  # what a text may end in the middle of
_NUMBER_ENDS = (".", "e", "E", "e+", "E+", "e-", "E-")  # and how it may end in the middle of a number
_AS_RECORDS = 'peek, sample and read_output read it with records="auto"'


class TextFormat(Enum):
    """A way of writing records that is no NDJSON; the value is its name for a person."""

    ARRAY = "one JSON array"
    ARRAYS = "a JSON array on each line"
    PRETTY = "JSON objects of several lines each (pretty-printed)"
    JOINED = "JSON objects with no line ends between them"
    SEPARATED = "JSON texts with record separators between them (RFC 7464)"
    CR_ENDS = "lines that end in CR alone"
    CSV = "CSV"

    @property
    def remedy(self) -> str:
        if self is TextFormat.CSV:
            return "pandas.read_csv reads such a file"
        return f"where they are JSON, {_AS_RECORDS}" if self is TextFormat.CR_ENDS else _AS_RECORDS

    @property
    def note(self) -> str:
        """For a ledger or a preview."""
        return f"looks like {self.value}, not one JSON object a line; {self.remedy}"


def text_format(head: bytes) -> TextFormat | None:
    """What the first bytes of a file are; None for NDJSON, for other text, and where it cannot be told."""
    head = head[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_SEPARATOR):
        return TextFormat.SEPARATED
    first, _, rest = head.partition(b"\n")
    first = first.rstrip()
    if b"\r" in first and not rest.strip():
        return TextFormat.CR_ENDS
    if first.startswith(b"{"):
        return _of_objects(first, rest)
    if first.startswith(b"["):
        return _of_arrays(first, rest)
    return TextFormat.CSV if _is_csv(head) else None


def _of_objects(first: bytes, rest: bytes) -> TextFormat | None:
    following = rest.lstrip()[:1]
    if first.endswith(b"}") and not _TOGETHER.search(first) and following in (b"", b"{"):
        return None  # by far the most common, and the cheapest to tell
    value, end, cut_off = _first_value(first)
    if value is not None:
        return TextFormat.JOINED if first[end:].lstrip().startswith(b"{") else None
    if cut_off and rest.strip():
        value, _, cut_off = _first_value(first + b"\n" + rest)
        if value is not None or cut_off:
            return TextFormat.PRETTY
    return None


def _of_arrays(first: bytes, rest: bytes) -> TextFormat | None:
    value, end, cut_off = _first_value(first)
    if value is None:
        cut_off = cut_off or (bool(rest) and _first_value(first + b"\n" + rest)[2])
        return TextFormat.ARRAY if cut_off else None
    if first[end:].strip():
        return None
    return TextFormat.ARRAYS if rest.lstrip().startswith(b"[") else TextFormat.ARRAY


def _first_value(data: bytes) -> tuple[Any, int, bool]:
    """The JSON value that the bytes begin with, where it ends, and whether they end before it does."""
    text = data.decode("utf-8", "replace")
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as e:
        return None, 0, is_cut_off(e)
    except (ValueError, RecursionError):
        return None, 0, False
    return value, len(text[:end].encode()), False


def is_cut_off(error: json.JSONDecodeError) -> bool:
    """Whether a JSON text is good as far as it goes, and only ends too early."""
    rest = error.doc[error.pos : error.pos + 100].rstrip()
    if error.msg.startswith("Unterminated string"):
        return True
    if error.msg.startswith("Invalid \\uXXXX escape"):
        return len(rest) <= len("uXXXX")
    return rest in _NUMBER_ENDS or any(word.startswith(rest) for word in _WORDS)


def _is_csv(head: bytes) -> bool:
    """Whether several lines in a row have the same number of the same delimiter, outside of quotes."""
    lines = head.decode("utf-8", "replace").split("\n")
    if len(head) == HEAD_BYTES:
        lines.pop()  # it may go on
    lines = [re.sub(r'"[^"]*"', "", line) for line in lines[:_LINES] if line.strip()]
    return any(
        len({line.count(sign) for line in lines}) == 1
        and lines[0].count(sign) * len(lines) >= 3
        and len(lines) > 1
        for sign in _DELIMITERS
    )

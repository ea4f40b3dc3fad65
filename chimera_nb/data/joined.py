"""Records that are not one a line -> one a line: JSON arrays, pretty-printed and joined objects, and separators.

What is a record a line passes as it is. From a line that is none on, the text is read as JSON values one after
another, with white space, record separators (RFC 7464) or nothing between them; an array gives its items. Text that
is no JSON passes as the lines that it is, so that nothing is lost without a word.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from chimera_nb.data.records import can_be_skipped_over, is_blank, read_record
from pipeline.errors import BadFileError, RefusedError
from pipeline.read.lines import MAX_LINE_BYTES
from pipeline.read.text_format import is_cut_off

Records = Literal["lines", "auto"]

_BETWEEN = " \t\r\n\x1e\ufeff"
_PARTIAL_BYTES = 1 << 20  # of a line that are waited for, before it is read as values
_is_json = msgspec.json.Decoder(msgspec.Raw).decode


def check_records(records: str) -> None:
    if records not in ("lines", "auto"):
        raise RefusedError(
            f'records is {records!r}; "lines" reads one a line, "auto" arrays and joined ones too'
        )


def one_a_line(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of a text -> blocks of whole lines, each of them one record, blank, or no record.

    Raises BadFileError for a value, or a line that is none, longer than MAX_LINE_BYTES.
    """
    values = _Values()
    rest = b""
    begun = False  # of the line, something was read as values before its end came
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        out: list[bytes] = []
        for line in lines:
            if values.at_rest and not begun and (is_blank(line) or _is_record(line)):
                out.append(line)
            else:
                out += values.read(line + b"\n")
            begun = False
        if rest and (not values.at_rest or len(rest) > _PARTIAL_BYTES):
            out += values.read(rest)
            begun, rest = True, b""
        if out:
            yield b"\n".join([*out, b""])
    out = [rest] if values.at_rest and _is_record(rest) else [*values.read(rest), *values.close()]
    if out:
        yield b"\n".join([*out, b""])


def _is_record(line: bytes) -> bool:
    try:
        _is_json(line)
        if not can_be_skipped_over([line]):
            return False
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return isinstance(read_record(line), dict)  # a bare NaN, say
    return line.lstrip().startswith(b"{")


class _Values:
    """Takes JSON values from a text that comes piece by piece."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._text = ""
        self._at = 0
        self._in_array = False
        self._enough = 0  # a value that is cut off is read again when there is twice as much of it

    @property
    def at_rest(self) -> bool:
        """Whether nothing is open, so that what comes next may be a line of its own."""
        return not self._text and not self._in_array

    def read(self, piece: bytes) -> list[bytes]:
        self._text += self._decoder.decode(piece)
        if len(self._text) < self._enough:
            return []
        return list(self._taken(at_end=False))

    def close(self) -> list[bytes]:
        self._text += self._decoder.decode(b"", final=True)
        return list(self._taken(at_end=True))

    def _taken(self, *, at_end: bool) -> Iterator[bytes]:
        """The values, and the lines that are none, that are whole by now."""
        self._at = self._enough = 0
        while self._skip(_BETWEEN):
            value = self._value(at_end=at_end)
            if value is None and self._at < len(self._text) and (at_end or self._too_long()):
                value = self._line(at_end=True)
            if value is None:
                break
            if value:
                yield value
        self._text = self._text[self._at :]
        self._enough = 2 * len(self._text)

    def _value(self, *, at_end: bool) -> bytes | None:
        """The next value; b"" for what is none but the signs of an array, None where it is not whole yet."""
        start, sign = self._at, self._text[self._at]
        if self._in_array and sign in ",]":
            self._in_array = sign == ","
            self._at += 1
            return b""
        enters = sign == "[" and not self._in_array
        if not (enters or self._in_array or sign == "{"):
            return self._line()
        self._at += enters
        if enters and self._skip(_BETWEEN) and self._text[self._at] == "]":
            self._at += 1
            return b""
        begin = self._at
        end = self._end(begin, at_end=at_end)
        if not end:
            self._at = start
            return None if end is None else self._line()
        self._at = end
        self._in_array = self._in_array or enters
        return self._text[begin:end].replace("\n", " ").replace("\r", " ").encode()

    def _end(self, begin: int, *, at_end: bool) -> int | None:
        """Where the value ends that begins there; None where it goes on, 0 for what is no JSON."""
        try:
            value, end = _decoder.raw_decode(self._text, begin)
        except json.JSONDecodeError as e:
            return None if is_cut_off(e) else 0
        except (ValueError, RecursionError):
            return 0
        if end == len(self._text) and isinstance(value, int | float) and not at_end:
            return None  # it may have more digits
        return end

    def _line(self, *, at_end: bool = False) -> bytes | None:
        """The rest of the line, which is no value."""
        end = self._text.find("\n", self._at)
        if end < 0 and not at_end:
            if self._too_long():
                limit = MAX_LINE_BYTES >> 20
                raise BadFileError(f"holds a line of more than {limit} MiB that is no JSON", of_the_file=True)
            return None
        end = len(self._text) if end < 0 else end
        line, self._at = self._text[self._at : end], end + 1
        self._in_array = False
        return line.encode()

    def _skip(self, signs: str) -> bool:
        """Whether there is more after what is between values."""
        text, at = self._text, self._at
        while at < len(text) and text[at] in signs:
            at += 1
        self._at = at
        return at < len(text)

    def _too_long(self) -> bool:
        return len(self._text) - self._at > MAX_LINE_BYTES


_decoder = json.JSONDecoder()

"""Lists of paths in a file, as people's programs write them: one path a line.

A byte order mark, UTF-16 and CRLF are read; space around a path is none of it, and neither are empty lines and those
that begin with "#". A path that has space at an end, or begins with "#" or a quote, stands in double quotes.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from pipeline.errors import RefusedError

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16's, with which it begins
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def parse_paths(data: bytes, name: str) -> list[str]:
    """The paths of a list. Raises RefusedError, with the list's name, for what is no text.

    Bytes that are no UTF-8 are kept as the names of local files are (PEP 383).
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    encoding = _MARKS.get(mark) or _by_zeros(data)
    try:
        text = data[len(mark) :].decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError as e:
        raise RefusedError(f"{name} is no list of paths: it is not the {encoding} that it begins as") from e
    if "\0" in text:
        raise RefusedError(f"{name} is no list of paths: it holds zero bytes; write one path a line, as text")
    lines = (line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return [_unquoted(line) for line in lines if line and not line.startswith("#")]


def as_lines(paths: Iterable[str]) -> list[str]:
    """Paths as lines that `parse_paths` reads back, for paths without line ends."""
    return [f'"{path}"' if path != path.strip() or path[:1] in {"#", '"'} else path for path in paths]


def _by_zeros(data: bytes) -> str:
    """UTF-16 without a mark: of ASCII text every other byte is zero."""
    begin = data[:64]
    if len(begin) > 1 and begin[1::2].count(0) == len(begin) // 2 and 0 not in begin[::2]:
        return "utf-16-le"
    if len(begin) > 1 and begin[::2].count(0) == (len(begin) + 1) // 2 and 0 not in begin[1::2]:
        return "utf-16-be"
    return "utf-8"


def _unquoted(line: str) -> str:
    return line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' else line

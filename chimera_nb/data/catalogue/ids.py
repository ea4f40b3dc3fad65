"""Ids out of a CSV, as spreadsheets and other people's programs write it."""

from __future__ import annotations

import csv

from pipeline.errors import RefusedError


def ids_of_csv(data: bytes, name: str, column: str) -> list[str]:
    """The ids in the column of that name, whatever the case and with spaces for "_"; else in the only or first column.

    Each once, in order. Commas, semicolons and tabs divide. Raises RefusedError, with the file's name, where none is.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise RefusedError(f"{name} is no CSV in UTF-8; save it as that") from e
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise RefusedError(f"{name} holds no ids; write one a line, or a column {column}")
    divider = max(",;\t", key=lines[0].count)
    try:
        rows = list(csv.reader(lines, delimiter=divider))
    except csv.Error as e:
        raise RefusedError(f"{name} is no CSV: {e}") from e
    head = [_plain(cell) for cell in rows[0]]
    if _plain(column) in head:
        at, rows = head.index(_plain(column)), rows[1:]
    elif any(character.isdigit() for character in rows[0][0]):
        at = 0
    else:
        raise RefusedError(f"{name} has no column {column}: it has {', '.join(rows[0])}")
    found = dict.fromkeys(row[at].strip() for row in rows if len(row) > at)
    found.pop("", None)
    if not found:
        raise RefusedError(f"{name} holds no ids in its column {column}")
    return list(found)


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())

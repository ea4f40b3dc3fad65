"""What people say of a job: a name, a note and tags, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.errors import RefusedError

MOST_NAME, MOST_NOTE, MOST_TAG, MOST_TAGS = 120, 4000, 40, 20  # characters, and tags


def labels(*, name: str | None, note: str | None, tags: Sequence[str] | None) -> dict[str, Any]:
    """The fields to change, trimmed; what is None stays. Raises RefusedError for what is too long, or no text."""
    found: dict[str, Any] = {}
    for field, value, most in (("name", name, MOST_NAME), ("note", note, MOST_NOTE)):
        if value is not None:
            found[field] = _text(field, value, most)
    if tags is not None:
        if isinstance(tags, str) or len(tags) > MOST_TAGS:
            raise RefusedError(f"tags is {tags!r:.60}; give a list of {MOST_TAGS} texts at the most")
        found["tags"] = tuple(dict.fromkeys(filter(None, (_text("a tag", tag, MOST_TAG) for tag in tags))))
    return found


def _text(field: str, value: object, most: int) -> str:
    if not isinstance(value, str):
        raise RefusedError(f"{field} is {value!r:.60}; give it as text")
    text = value.strip() if field == "note" else " ".join(value.split())
    if len(text) > most:
        raise RefusedError(f"{field} has {len(text):,} characters, and {most:,} are kept; shorten it")
    return text

"""The names there are, told to whoever asked for one that is not."""

from __future__ import annotations

from difflib import get_close_matches

_NAMES_TOLD = 30
_NAMES_COMPARED = 5000
_LONGEST_COMPARED = 1000  # characters


def there_are(name: str, known: list[str]) -> str:
    """The names there are; of many those that are most like the one that was asked for, and how many."""
    if len(known) <= _NAMES_TOLD:
        return f"there are: {', '.join(map(shown, known)) or 'none'}"
    # What is too unlike in length is not compared, nor more than a person would wait for.
    longest = min(len(name) + 1 + len(name) // 3, _LONGEST_COMPARED)
    comparable = [one for one in known if len(name) - 1 - len(name) // 3 <= len(one) <= longest]
    near = get_close_matches(name, comparable[:_NAMES_COMPARED], n=5)
    like = (
        f"like it are: {', '.join(map(shown, near))}"
        if near
        else f"the first are: {', '.join(map(shown, known[:5]))}"
    )
    return f"there are {len(known):,}; {like}"


def shown(name: str) -> str:
    """A name, cut where it is long."""
    return name if len(name) <= 100 else f"{name[:100]}…"

"""What a page says to those who have no shell: a visitor of somebody else's dashboard can follow no command."""

from __future__ import annotations

import re

from chimera_nb.jobs.requester import current_requester

_COMMAND = re.compile(
    r"`[^`]*`|\b(?:gcloud|gsutil|chimera|pip|apt-get)\s+[a-z]|\b(?:CHIMERA|GOOGLE|STORAGE|FIRESTORE)_[A-Z_]+|\bchimera\.toml\b"
)
_AWAY = re.compile(
    r"no local stack|cannot be reached|refused the connection|did not answer|no answer", re.IGNORECASE
)
_TELL = "tell whoever runs this page"


def for_visitor(text: str) -> str:
    """An error as its text, without what only a shell could follow where the page's visitor has none."""
    if not text or current_requester() is None:
        return text
    return without_commands(text)


def without_commands(text: str) -> str:
    """The clauses that name no command; whoever runs the page is to be told the rest."""
    if not _COMMAND.search(text):
        return text
    if _AWAY.search(text):
        return f"Storage cannot be reached; {_TELL}"
    kept = [clause for clause in re.split(r";\s+", text) if not _COMMAND.search(clause)]
    told = "; ".join(kept).rstrip(" ;:,")
    return f"{told}; {_TELL}" if told else f"This did not work; {_TELL}"

"""Search in the text of the shared job log: Firestore has none, so records carry what their text is made of.

Each record has the trigrams of its text in `searchTokens`. Firestore is asked for those that have the rarest trigram of
what is searched for; whether they have the whole of it is looked at here. Records of an earlier version have no
tokens: since when all have them is found out by counts, and what is older is read, but only the fields that are
searched.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chimera_nb.jobs.limits import MAX_DOCUMENT_BYTES, weigh
from chimera_nb.jobs.log.firestore_client import patience
from chimera_nb.jobs.log.query import searched_text
from chimera_nb.jobs.record import timestamp

_log = logging.getLogger(__name__)

FIELD = "searchTokens"
SEARCHED = (
    "createdAt",
    "jobId",
    "sourceBucket",
    "selectedPaths",
    "targetBucket",
    "outputPrefix",
    "createdBy",
    "name",
    "note",
    "tags",
)  # the fields that `searched_text` is made of
NEVER = "\U0010ffff"  # after each time: nothing is known to have tokens
_EVERY, _ANY = (
    "",
    "*",
)  # each record with tokens has the first; one with too many has the second in their place
_LENGTH = 3
_MOST = 1000  # of a document's 40,000 index entries
_ASKED = 4  # trigrams that are counted to find a rare one
_COUNTED = 1000  # at most
_HALVINGS = 20
_GOOD_SECONDS = 30.0  # for how long the answer to since when all have tokens is taken
_BAD_SECONDS = 60.0  # the same, where there was none
# For one count. The index answers in hundredths; the emulator has none, and looks at each token of each record.
_PROBE_SECONDS = 2.0


def tokens_of(text: str) -> list[str]:
    trigrams = {text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1)}
    return [_EVERY, *(sorted(trigrams) if len(trigrams) <= _MOST else [_ANY])]


def with_tokens(document: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The field to write beside a document's others; the shortest where there is no room for it."""
    tokens = tokens_of(text)
    fits = weigh(document) + weigh({FIELD: tokens}) <= MAX_DOCUMENT_BYTES
    return {FIELD: tokens if fits else [_EVERY, _ANY]}


def may_have(snapshot: Any, text: str) -> bool:
    """Whether the record of a snapshot of the searched fields may have the text."""
    return text in searched_text(snapshot.id, snapshot.to_dict() or {})


class Words:
    """What a collection's tokens can be asked for."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self._lock = threading.Lock()
        self._since = NEVER
        self._until = 0.0  # when it is to be found out again
        self._rare: tuple[str, str] = ("", "")  # of the last text, which is asked for page by page

    def since(self, text: str) -> str:
        """The createdAt from which on all records have tokens; NEVER where tokens do not help to find the text."""
        if len(text) < _LENGTH:
            return NEVER
        with self._lock:
            if time.monotonic() > self._until:
                self._find_since()
            return self._since

    def candidates(self, text: str) -> Any:
        """The query for all records with tokens that may have the text."""
        with self._lock:
            if self._rare[0] != text:
                self._rare = text, self._rarest(text)
            return self._having([self._rare[1], _ANY])

    def check(self) -> None:
        """Raises what Firestore does where the index is missing."""
        newest = self._having([_EVERY]).order_by("createdAt", direction="DESCENDING")
        newest.limit(1).select([]).get(**patience())

    def _having(self, tokens: Iterable[str]) -> Any:
        from google.cloud.firestore import FieldFilter

        return self._collection.where(filter=FieldFilter(FIELD, "array_contains_any", list(tokens)))

    def _rarest(self, text: str) -> str:
        from google.api_core.exceptions import GoogleAPIError

        trigrams = [text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1)]
        asked = dict.fromkeys(trigrams[:: max(1, len(trigrams) // _ASKED)])
        if len(asked) == 1:
            return trigrams[0]
        try:
            return min(
                asked, key=lambda token: counted(self._having([token]).limit(_COUNTED), _PROBE_SECONDS)
            )
        except GoogleAPIError:
            return trigrams[0]

    def _find_since(self) -> None:
        from google.api_core.exceptions import GoogleAPIError

        lasts = _GOOD_SECONDS
        try:
            self._since = self._halved()
        except GoogleAPIError as e:
            _log.warning(
                "a search reads every job, as the index in docs/firestore.indexes.json does not serve: %s", e
            )
            self._since, lasts = NEVER, _BAD_SECONDS
        self._until = time.monotonic() + lasts

    def _halved(self) -> str:
        """Since when all have tokens, by halving the time between the oldest record and now."""
        if self._all_have(""):
            return ""
        oldest = self._from("").order_by("createdAt").limit(1).select(["createdAt"]).get(**patience())
        low, high = _moment(oldest[0].get("createdAt")), datetime.now(UTC) + timedelta(days=1)
        if low is None:
            return NEVER
        if not self._having([_EVERY]).limit(1).select([]).get(**patience()):
            return NEVER
        for _ in range(_HALVINGS):
            middle = low + (high - low) / 2
            if self._all_have(timestamp(middle)):
                high = middle
            else:
                low = middle
        return timestamp(high)

    def _all_have(self, since: str) -> bool:
        from google.cloud.firestore import FieldFilter

        having = self._having([_EVERY]).where(filter=FieldFilter("createdAt", ">=", since))
        return counted(having, _PROBE_SECONDS) == counted(self._from(since))

    def _from(self, since: str) -> Any:
        from google.cloud.firestore import FieldFilter

        return self._collection.where(filter=FieldFilter("createdAt", ">=", since))


def counted(documents: Any, seconds: float | None = None) -> int:
    """How many there are, for the price of one read for a thousand; asked once where there are but so many seconds."""
    how = patience() if seconds is None else {"retry": None, "timeout": seconds}
    return int(documents.count().get(**how)[0][0].value)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

"""Pages of the shared job log: newest first, then documents without a createdAt, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chimera_nb.jobs.document import CHECKS
from chimera_nb.jobs.log.entries import Entry
from chimera_nb.jobs.log.firestore_client import patience
from chimera_nb.jobs.log.firestore_words import NEVER, SEARCHED, Words, counted, may_have
from chimera_nb.jobs.log.protocol import RecordPage
from chimera_nb.jobs.log.query import Query, token_after, unknown_token

_MOST_READ = 2000  # documents read for one page when most do not have the text that is looked for
_READ_AT_ONCE = 200
_BY_NAME = ""  # the createdAt in the token of a page among those without one

# Snapshots in the order of the list, each with the token of what follows it; and whether it may belong into the list.
_Batch = list[tuple[Any, str, bool]]


def read_page(collection: Any, query: Query, read: Callable[[Any], Entry], words: Words) -> RecordPage:
    """One page; `read` makes an entry of a snapshot. Raises RefusedError where a token leads nowhere any more."""
    size = query.limit + 1 if query.text is None else max(query.limit + 1, _READ_AT_ONCE)
    found: list[tuple[Entry, str]] = []
    looked = 0
    for batch in _batches(collection, query, size, words):
        for snapshot, token, listed in batch:
            if listed:
                entry = read(snapshot)
                if query.holds(entry):
                    found.append((entry, token))
        looked += len(batch)
        if len(found) > query.limit:
            kept = found[: query.limit]
            return RecordPage(tuple(entry for entry, _ in kept), kept[-1][1])
        if batch and looked >= _MOST_READ:
            return RecordPage(tuple(entry for entry, _ in found), batch[-1][1])
    return RecordPage(tuple(entry for entry, _ in found))


def count_dated(collection: Any, query: Query) -> int:
    """How many documents with a createdAt pass the filters of a query."""
    return counted(_filtered(collection, query))


def _batches(collection: Any, query: Query, size: int, words: Words) -> Iterator[_Batch]:
    created_at, job_id = query.after or (None, None)
    if created_at != _BY_NAME:
        if query.text is None:
            yield from _by_time(_filtered(collection, query).select(CHECKS), _cursor(collection, query), size)
        else:
            yield from _with_text(collection, query, query.text, size, words)
        if query.is_narrowed or not _has_undated(collection):
            return
        job_id = None
    yield from _by_name(collection, job_id)


def _with_text(collection: Any, query: Query, text: str, size: int, words: Words) -> Iterator[_Batch]:
    """Those that may have a text. Before and after them stand documents whose createdAt is no text."""
    since, cursor = words.since(text), _cursor(collection, query)
    every = _filtered(collection, query)
    after = query.after[0] if query.after else NEVER
    if after is None or since == NEVER:
        yield from _looked_into(collection, every, text, cursor, size)
        return
    if cursor is None and not query.is_narrowed:
        yield from _looked_into(collection, every.end_before([NEVER]), text, None, size)
    if after >= since:
        candidates = _newest(_within(words.candidates(text), query, since)).select(CHECKS)
        for batch in _by_time(candidates, cursor, size):
            yield [(snapshot, token, query.takes(snapshot.to_dict())) for snapshot, token, _ in batch]
        cursor = [since]
    yield from _looked_into(collection, every, text, cursor, size)


def _looked_into(collection: Any, documents: Any, text: str, cursor: Any, size: int) -> Iterator[_Batch]:
    """All documents, of which only what is searched travels but for those that may have the text."""
    for batch in _by_time(documents.select(SEARCHED), cursor, size):
        may = [snapshot.reference for snapshot, _, _ in batch if may_have(snapshot, text)]
        whole = {each.id: each for each in collection._client.get_all(may, **patience())} if may else {}  # noqa: SLF001
        yield [
            (whole.get(snapshot.id), token, snapshot.id in whole and whole[snapshot.id].exists)
            for snapshot, token, _ in batch
        ]


def _by_time(documents: Any, cursor: Any, size: int) -> Iterator[_Batch]:
    while True:
        snapshots = (documents.start_after(cursor) if cursor else documents).limit(size).get(**patience())
        yield [
            (snapshot, token_after(snapshot.get("createdAt"), snapshot.id, snapshot.id), True)
            for snapshot in snapshots
        ]
        if len(snapshots) < size:
            return
        cursor = snapshots[-1]


def _cursor(collection: Any, query: Query) -> Any:
    if query.after is None:
        return None
    created_at, job_id = query.after
    if created_at is not None:
        return {"createdAt": created_at, "__name__": collection.document(job_id)}
    snapshot = collection.document(job_id).get(**patience())
    if "createdAt" not in (snapshot.to_dict() or {}):
        raise unknown_token(token_after(created_at, job_id, job_id))
    return snapshot


def _by_name(collection: Any, after: str | None) -> Iterator[_Batch]:
    documents = collection.order_by("__name__").select(["createdAt"])
    while True:
        begun = documents.start_after({"__name__": collection.document(after)}) if after else documents
        snapshots = begun.limit(_READ_AT_ONCE).get(**patience())
        yield [
            (snapshot, token_after(_BY_NAME, snapshot.id), "createdAt" not in snapshot.to_dict())
            for snapshot in snapshots
        ]
        if len(snapshots) < _READ_AT_ONCE:
            return
        after = snapshots[-1].id


def _has_undated(collection: Any) -> bool:
    """Whether there are more documents than have a createdAt."""
    return counted(collection) > counted(collection.order_by("createdAt"))


def _filtered(collection: Any, query: Query) -> Any:
    """What passes the filters that are Firestore's, newest first."""
    from google.cloud.firestore import FieldFilter

    filters = [
        ("status", "in", [status.value for status in query.statuses]),
        ("sourceType", "==", query.source),
        ("createdBy", "==", query.created_by),
    ]
    documents = collection
    for field, operator, value in filters:
        if value:
            documents = documents.where(filter=FieldFilter(field, operator, value))
    return _newest(_within(documents, query))


def _within(documents: Any, query: Query, since: str | None = None) -> Any:
    """What was made in the time of a query, and not before `since`, which may be ""."""
    from google.cloud.firestore import FieldFilter

    first = query.created_after if since is None else max(since, query.created_after or "")
    for operator, value in ((">=", first), ("<", query.created_before)):
        if value is not None:
            documents = documents.where(filter=FieldFilter("createdAt", operator, value))
    return documents


def _newest(documents: Any) -> Any:
    return documents.order_by("createdAt", direction="DESCENDING").order_by(
        "__name__", direction="DESCENDING"
    )

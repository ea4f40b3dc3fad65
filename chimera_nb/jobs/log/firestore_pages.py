"""Pages of the shared job log: newest first, then documents without a createdAt, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chimera_nb.jobs.log.entries import Entry
from chimera_nb.jobs.log.firestore_client import patience
from chimera_nb.jobs.log.protocol import RecordPage
from chimera_nb.jobs.log.query import Query, token_after, unknown_token

_MOST_READ = 2000  # documents read for one page when most do not have the text that is looked for
_READ_AT_ONCE = 200
_BY_NAME = ""  # the createdAt in the token of a page among those without one

# Snapshots in the order of the list, each with the token of what follows it; and whether it belongs into the list.
_Batch = list[tuple[Any, str, bool]]


def read_page(collection: Any, query: Query, read: Callable[[Any], Entry]) -> RecordPage:
    """One page; `read` makes an entry of a snapshot. Raises RefusedError where a token leads nowhere any more."""
    size = query.limit + 1 if not query.is_searched else max(query.limit + 1, _READ_AT_ONCE)
    found: list[tuple[Entry, str]] = []
    looked = 0
    for batch in _batches(collection, query, size):
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


def _batches(collection: Any, query: Query, size: int) -> Iterator[_Batch]:
    created_at, job_id = query.after or (None, None)
    if created_at != _BY_NAME:
        yield from _by_time(collection, query, size)
        narrowed = query.statuses or query.source or query.created_after or query.created_before
        if narrowed or not _has_undated(collection):
            return
        job_id = None
    yield from _by_name(collection, job_id)


def _by_time(collection: Any, query: Query, size: int) -> Iterator[_Batch]:
    documents, cursor = _filtered(collection, query), _cursor(collection, query)
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
    """Whether there are more documents than have a createdAt: two counts, which cost next to nothing."""
    every, dated = map(_counted, (collection, collection.order_by("createdAt")))
    return every > dated


def count_dated(collection: Any, query: Query) -> int:
    """How many documents with a createdAt pass the filters of a query that are Firestore's."""
    return _counted(_filtered(collection, query))


def _counted(documents: Any) -> int:
    return int(documents.count().get(**patience())[0][0].value)


def _filtered(collection: Any, query: Query) -> Any:
    from google.cloud.firestore import FieldFilter

    filters = [
        ("status", "in", [status.value for status in query.statuses]),
        ("sourceType", "==", query.source),
        ("createdAt", ">=", query.created_after),
        ("createdAt", "<", query.created_before),
    ]
    documents = collection
    for field, operator, value in filters:
        if value:
            documents = documents.where(filter=FieldFilter(field, operator, value))
    return documents.order_by("createdAt", direction="DESCENDING").order_by(
        "__name__", direction="DESCENDING"
    )

"""The files of a job that failed, by cause; and which of them a retry can succeed with, as the store stands now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError
from pipeline.ledger import FileRecord
from pipeline.storage import Entry, Store
from pipeline.target.results import check_still_of, ledger_records
from pipeline.uri import SEPARATOR, Uri

KEPT = 100_000  # files, with their reasons; of those beyond only the numbers
CAUSES = 200  # beyond so many, what is rare is one cause
LOOKED_AT = 1000  # files, of which it is asked one by one what they are now
_AT_ONCE = 16
_LISTED_FROM = 20  # files of one folder from which on it is listed
_FOLDERS, _ENTRIES = 50, 200_000  # that are listed, and of each
_OTHERS = "other causes"
_NO_REASON = "no reason is on record"
# What differs from file to file in the words for one fault: texts in quotes, names, numbers.
_VARYING = re.compile(
    r"""b?'[^']*'|b?"[^"]*"|“[^”]*”|gs://\S+|(?<!\w)/\S+/\S*|(?<!\w)\d[\d,.]*|\b[0-9a-f]{8,}\b"""
)
_BEGINS = re.compile(r"begins with .*", re.DOTALL)
# A file that is refused for how the job was asked for succeeds in a job that is asked for otherwise.
_BY_SETTING = ("max-ratio", "ask for auto", "which the job asks for", "to pass over")


@dataclass(frozen=True)
class FailedFile:
    """A file that failed, why, and the index of its cause; the version that was read, None where none was."""

    uri: str
    reason: str
    cause: int
    generation: int | None
    was_read: bool


@dataclass
class Cause:
    """One way to fail: in words, how many files did, and the first of them."""

    text: str
    files: int
    first: str
    was_read: int = 0  # of the files, those whose bytes were read: it is the bytes that are wrong


@dataclass
class Failures:
    """All that failed: `causes`, the most frequent first; `files`, the first KEPT of `total`."""

    causes: list[Cause] = field(default_factory=list)
    files: list[FailedFile] = field(default_factory=list)
    total: int = 0

    def found(self, cause: int | None = None, text: str = "") -> Iterator[FailedFile]:
        """The files of a cause, or of all, with this text in their name or reason."""
        text = text.casefold()
        for one in self.files:
            if cause is not None and one.cause != cause:
                continue
            if not text or text in one.uri.casefold() or text in one.reason.casefold():
                yield one


@dataclass(frozen=True)
class Outlook:
    """What a retry of the same job would come to, of so many files; each is in one of these.

    can        have another version by now, or were not read for a fault of the store
    same       are what they were, and would fail as they did until they are replaced
    setting    are refused for how the job was asked for
    gone       are not there any more
    unknown    were not looked at, since they are too many, or the store does not say
    """

    total: int
    can: tuple[str, ...]
    same: int
    setting: int
    gone: int
    unknown: int
    why: str = ""  # the causes of `same`, in a few words

    @property
    def text(self) -> str:
        """In a sentence or two."""
        parts = []
        if self.can:
            parts.append(f"{len(self.can):,} of {self.total:,} can succeed now")
        if self.same:
            many = self.same != 1
            until = "they are" if many else "it is"
            why = f": {self.why}" if self.why else ""
            parts.append(f"{self.same:,} of {self.total:,} cannot until {until} replaced{why}")
        if self.setting:
            needs = "need" if self.setting != 1 else "needs"
            parts.append(f"{self.setting:,} {needs} another setting, which the reason names")
        if self.gone:
            parts.append(f"{self.gone:,} {'are' if self.gone != 1 else 'is'} not there any more")
        if self.unknown:
            parts.append(f"of {self.unknown:,} it is not known")
        return "; ".join(parts)


def failures_of(
    store: Store, target: str, job_id: str, is_wanted: Callable[[], bool] = lambda: True
) -> Failures:
    """All failed files of a job, from its ledger.

    Raises RefusedError when the target holds what another job wrote by now, or when they are wanted no more;
    StorageError.
    """
    check_still_of(store, target, job_id)
    found = Failures()
    known: dict[str, int] = {}
    for record in ledger_records(store, target, status="failed", job_id=job_id):
        if not is_wanted():
            raise RefusedError("not wanted any more")
        _add(found, known, record)
    order = sorted(range(len(found.causes)), key=lambda at: -found.causes[at].files)
    place = {old: new for new, old in enumerate(order)}
    found.causes = [found.causes[at] for at in order]
    found.files = [
        FailedFile(one.uri, one.reason, place[one.cause], one.generation, one.was_read) for one in found.files
    ]
    return found


def cause_text(reason: str) -> str:
    """The reason of a file without what is only this file's: the same for all that failed in one way."""
    return _VARYING.sub("…", _BEGINS.sub("begins with …", reason))


def outlook(store: Store, failures: Failures, since: str) -> Outlook:
    """What a retry would come to; the job was made at `since`.

    Asks the store what the files are now: of many in one folder by a listing, of LOOKED_AT others one by one. Blocks.
    """
    now = _now_of([one.uri for one in failures.files], store)
    can: list[str] = []
    counts = {"same": 0, "setting": 0, "gone": 0, "unknown": failures.total - len(failures.files)}
    same = dict.fromkeys(range(len(failures.causes)), 0)
    for one in failures.files:
        kind = _outlook_of(one, now.get(one.uri), since)
        if kind == "can":
            can.append(one.uri)
        else:
            counts[kind] += 1
            same[one.cause] += kind == "same"
    why = [failures.causes[at].text for at in same if same[at]]
    return Outlook(failures.total, tuple(can), why=_few(why), **counts)


def _add(found: Failures, known: dict[str, int], record: FileRecord) -> None:
    reason = record.error or _NO_REASON
    text = cause_text(reason)
    if text not in known:
        if len(known) >= CAUSES:
            text = _OTHERS
        if text not in known:
            known[text] = len(found.causes)
            found.causes.append(Cause(reason, 0, record.uri))
    at = known[text]
    cause = found.causes[at]
    if cause.text != reason:
        cause.text = text  # more than one has it, and they differ
    cause.files += 1
    cause.was_read += record.was_read
    found.total += 1
    if len(found.files) < KEPT:
        found.files.append(FailedFile(record.uri, reason, at, record.generation, record.was_read))


def _now_of(uris: Sequence[str], store: Store) -> dict[str, Entry | StorageError]:
    """What stands under each name now, as far as it was looked at."""
    folders: dict[str, list[str]] = {}
    for uri in uris:
        folders.setdefault(uri[: uri.rfind("/") + 1], []).append(uri)
    many = [
        folder
        for folder, inside in folders.items()
        if len(inside) >= _LISTED_FROM and SEPARATOR not in folder
    ]
    found: dict[str, Entry | StorageError] = {}
    for folder in many[:_FOLDERS]:
        _list(store, folder, folders[folder], found)
    others = [uri for uri in uris if uri not in found][:LOOKED_AT]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="retry-outlook") as pool:
        found |= zip(others, pool.map(lambda uri: _now(store, uri), others), strict=True)
    return found


def _list(store: Store, folder: str, uris: Sequence[str], found: dict[str, Entry | StorageError]) -> None:
    """The same of these files, which are all in one folder."""
    try:
        inside = {entry.uri: entry for entry in islice(store.list_objects(folder, recursive=False), _ENTRIES)}
    except (StorageError, RefusedError):
        return
    is_whole = len(inside) < _ENTRIES
    for uri in uris:
        if uri in inside:
            found[uri] = inside[uri]
        elif is_whole:
            found[uri] = ObjectNotFoundError(uri, "is gone")


def _now(store: Store, uri: str) -> Entry | StorageError:
    """What stands under a name now; of a member of an archive, its archive."""
    try:
        return store.stat(Uri.parse(uri).file)
    except StorageError as e:
        return e
    except RefusedError as e:
        return StorageError(uri, str(e))


def _outlook_of(one: FailedFile, now: Entry | StorageError | None, since: str) -> str:
    if isinstance(now, ObjectNotFoundError):
        return "gone"
    if now is None or isinstance(now, StorageError):
        return "unknown"
    if one.generation is None or now.generation is None:
        is_another = _is_later(now.updated, since)  # local files have times, and no versions
    else:
        is_another = one.generation != now.generation
    if is_another or not one.was_read:
        return "can"
    return "setting" if any(mark in one.reason for mark in _BY_SETTING) else "same"


def _is_later(updated: str | None, since: str) -> bool:
    return bool(updated) and datetime.fromisoformat(str(updated)) > datetime.fromisoformat(since)


def _few(texts: Sequence[str]) -> str:
    """The first three causes, each to its first clause: "empty, not bz2"."""
    short = [re.split(r"[;:(]", text)[0].strip().removeprefix("is ") for text in texts]
    return ", ".join(dict.fromkeys(short[:3])) + (", …" if len(short) > 3 else "")


def rows_of(files: Iterable[FailedFile]) -> Iterator[dict[str, str]]:
    """A row for each file, for a list that is saved."""
    for one in files:
        yield {"file": one.uri, "reason": one.reason}

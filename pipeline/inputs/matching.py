"""Which files a pattern matches: objects, local files, and the members of archives."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from pipeline.archives.names import DEEPEST, is_archive_name
from pipeline.errors import BadFileError, ObjectNotFoundError, StorageError
from pipeline.glob import Pattern
from pipeline.storage import Entry, Store
from pipeline.uri import SEPARATOR, Uri, archives_named, join_uri, split_pattern, split_uri

_log = logging.getLogger(__name__)
_NO_OTHER = Pattern("x")  # where all is wanted, none is looked for by it


def literal_uri(pattern: str) -> str | None:
    """The one URI that a pattern matches, when it has no wildcard."""
    bucket, text = split_uri(pattern)
    glob = Pattern(text)
    return join_uri(bucket, glob.prefix) if glob.literal else None


def folder_to_list(store: Store, uri: str) -> str:
    """The folder that a URI stands for where a folder is wanted: of an archive, the one that it is."""
    if uri.endswith("/"):
        return uri
    with suppress(StorageError, BadFileError):
        if is_archive_name(uri) and store.is_archive(uri):
            return uri + SEPARATOR
    return f"{uri}/"


def list_matches(store: Store, pattern: str) -> Iterator[Entry]:
    """The files that one pattern matches, in the order of the listing.

    The server is asked for the literal prefix; what matches is decided here. Of an archive that matches itself, all
    members are given in its place. Raises StorageError.
    """
    return (entry for entry in look_through(store, pattern) if entry is not None)


def look_through(store: Store, pattern: str) -> Iterator[Entry | None]:
    """The same, with None for each file that was listed and does not match: a look through many can be stopped."""
    bucket, text = split_uri(pattern)
    glob = Pattern(text)
    outside, inside = split_pattern(text)
    around = glob if inside is None else Pattern(outside)
    for entry in _listed(store, bucket, around, alone=inside is not None and around.literal):
        path = split_uri(entry.uri)[1]
        if may_hold_files(entry.uri, glob):
            yield from _in_archive(store, entry, glob, whole=glob.matches(path))
        else:
            yield entry if glob.matches(path) else None


def look_through_folder(store: Store, folder: str) -> Iterator[Entry | None]:
    """All files in a folder, of archives in it their members; None likewise."""
    for entry in store.list_objects(folder):
        if is_archive_name(entry.uri) and len(Uri.parse(entry.uri).members) < DEEPEST:
            yield from _in_archive(store, entry, _NO_OTHER, whole=True)
        else:
            yield entry


def look_through_archive_of(store: Store, uri: str) -> Iterator[None]:
    """Find the members of the archive that a member is in, so that it is known when it is asked for itself."""
    place = Uri.parse(uri)
    if place.members:
        with suppress(StorageError, BadFileError):  # whoever asks for the member is told
            for _ in store.list_objects(str(place.archive.of(""))):
                yield None


def _listed(store: Store, bucket: str, glob: Pattern, *, alone: bool) -> Iterator[Entry]:
    start = join_uri(bucket, glob.prefix)
    if not alone:
        yield from store.list_objects(start, recursive=glob.recursive)
        return
    with suppress(ObjectNotFoundError):
        yield store.stat(start)


def may_hold_files(uri: str, glob: Pattern) -> bool:
    """Whether a file may be an archive with members that a pattern matches.

    One that is named as such may, where the pattern matches it or goes on below it; any other where the pattern names
    it as one.
    """
    is_named_so = is_archive_name(uri)
    if not is_named_so and SEPARATOR not in glob.text:
        return False  # as of most files that are listed
    path = split_uri(uri)[1]
    below = glob.reaches(path + SEPARATOR)
    if is_named_so:
        return below or glob.matches(path)
    return below and any(outside.matches(path) for outside in _archives_of(glob.text))


@lru_cache(maxsize=1024)  # each member of an archive asks
def _archives_of(text: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(outside) for outside, _ in archives_named(text))


def _in_archive(store: Store, archive: Entry, glob: Pattern, *, whole: bool) -> Iterator[Entry | None]:
    """The members that match, all of them with `whole`; then the file itself, where nothing is found in it.

    So also where the pattern names it as an archive: reading it says what is wrong, and a retry of it can be submitted.
    """
    folder = str(Uri.parse(archive.uri).of(""))
    empty = True
    try:
        for entry in store.list_objects(folder):
            empty = False
            path = split_uri(entry.uri)[1]
            itself = whole or glob.matches(path)
            if len(Uri.parse(entry.uri).members) == 1 and (
                may_hold_files(entry.uri, glob) or (whole and is_archive_name(path))
            ):
                yield from _in_archive(store, entry, glob, whole=itself)
            else:
                yield entry if itself else None
    except ObjectNotFoundError:
        pass  # it is no archive
    except BadFileError as e:
        _log.warning("%s: %s", archive.uri, e)
    if empty and (whole or glob.prefix.startswith(split_uri(folder)[1])):
        yield archive

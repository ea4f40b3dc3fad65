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
from pipeline.uri import SEPARATOR, Uri, archives_named, split_pattern

_log = logging.getLogger(__name__)
_NO_OTHER = Pattern("x")  # where all is wanted, none is looked for by it


def literal_uri(pattern: str) -> str | None:
    """The one URI that a pattern matches, when it has no wildcard."""
    glob = Pattern(pattern)
    return glob.prefix if glob.literal else None


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
    glob = Pattern(pattern)
    outside, inside = split_pattern(pattern)
    around = glob if inside is None else Pattern(outside)
    for entry in _listed(store, around, alone=inside is not None and around.literal):
        if may_hold_files(entry.uri, glob):
            yield from _in_archive(store, entry, glob, whole=glob.matches(entry.uri))
        else:
            yield entry if glob.matches(entry.uri) else None


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
            for _ in store.list_objects(place.archive.of("")):
                yield None


def _listed(store: Store, glob: Pattern, *, alone: bool) -> Iterator[Entry]:
    if not alone:
        yield from store.list_objects(glob.prefix, recursive=glob.recursive)
        return
    with suppress(ObjectNotFoundError):
        yield store.stat(glob.prefix)


def may_hold_files(uri: str, glob: Pattern) -> bool:
    """Whether a file may be an archive with members that a pattern matches.

    One that is named as such may, where the pattern matches it or goes on below it; any other where the pattern names
    it as one.
    """
    is_named_so = is_archive_name(uri)
    if not is_named_so and SEPARATOR not in glob.text:
        return False  # as of most files that are listed
    below = glob.reaches(uri + SEPARATOR)
    if is_named_so:
        return below or glob.matches(uri)
    return below and any(outside.matches(uri) for outside in _archives_of(glob.text))


@lru_cache(maxsize=1024)  # each member of an archive asks
def _archives_of(text: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(outside) for outside, _ in archives_named(text))


def _in_archive(store: Store, archive: Entry, glob: Pattern, *, whole: bool) -> Iterator[Entry | None]:
    """The members that match, all of them with `whole`; then the file itself, where nothing is found in it.

    So also where the pattern names it as an archive: reading it says what is wrong, and a retry of it can be submitted.
    """
    folder = Uri.parse(archive.uri).of("")
    empty = True
    try:
        for entry in store.list_objects(folder):
            empty = False
            itself = whole or glob.matches(entry.uri)
            if len(Uri.parse(entry.uri).members) == 1 and (
                may_hold_files(entry.uri, glob) or (whole and is_archive_name(entry.uri))
            ):
                yield from _in_archive(store, entry, glob, whole=itself)
            else:
                yield entry if itself else None
    except ObjectNotFoundError:
        pass  # it is no archive
    except BadFileError as e:
        _log.warning("%s: %s", archive.uri, e)
    if empty and (whole or glob.prefix.startswith(folder)):
        yield archive

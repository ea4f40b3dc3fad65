"""Which files a pattern matches: objects, local files, and the members of archives."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress

from pipeline.archives.names import is_archive_name
from pipeline.errors import BadFileError, ObjectNotFoundError, StorageError
from pipeline.glob import Pattern
from pipeline.storage import Entry, Store
from pipeline.uri import SEPARATOR, Uri, archives_named, join_uri, split_pattern, split_uri

_log = logging.getLogger(__name__)


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
    glob = Pattern(split_uri(pattern)[1])
    for entry in list_files(store, pattern):
        path = split_uri(entry.uri)[1]
        if may_hold_files(entry.uri, glob):
            yield from _in_archive(store, entry, glob, whole=glob.matches(path))
        else:
            yield entry


def list_files(store: Store, pattern: str) -> Iterator[Entry]:
    """The objects or local files that a pattern matches, and those that may be archives with members that it does."""
    bucket, text = split_uri(pattern)
    glob = Pattern(text)
    outside, inside = split_pattern(text)
    around = glob if inside is None else Pattern(outside)
    if inside is not None and around.literal:
        with suppress(ObjectNotFoundError):
            yield store.stat(join_uri(bucket, around.prefix))
        return
    for entry in store.list_objects(join_uri(bucket, around.prefix), recursive=around.recursive):
        path = split_uri(entry.uri)[1]
        if around.matches(path) or may_hold_files(entry.uri, glob):
            yield entry


def may_hold_files(uri: str, glob: Pattern) -> bool:
    """Whether a file may be an archive with members that a pattern matches.

    One that is named as such may, where the pattern matches it or goes on below it; any other where the pattern names
    it as one.
    """
    path = split_uri(uri)[1]
    below = glob.reaches(path + SEPARATOR)
    if is_archive_name(path):
        return below or glob.matches(path)
    return below and any(Pattern(outside).matches(path) for outside, _ in archives_named(glob.text))


def _in_archive(store: Store, archive: Entry, glob: Pattern, *, whole: bool) -> Iterator[Entry]:
    """The members that match, all of them with `whole`; then the file itself, where nothing is found in it."""
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
            elif itself:
                yield entry
    except ObjectNotFoundError:
        pass  # it is no archive
    except BadFileError as e:
        _log.warning("%s: %s", archive.uri, e)
    if empty and whole:
        yield archive

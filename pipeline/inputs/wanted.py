"""What of an archive a job reads: the members that its patterns match, or all of them where one matches the archive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pipeline.archives.names import is_archive_name
from pipeline.glob import Pattern
from pipeline.inputs.matching import literal_uri, may_hold_files
from pipeline.uri import SEPARATOR, Uri


@dataclass(frozen=True)
class WantedMembers:
    """Of one archive.

    whole      all members are wanted
    literal    URIs of members that are wanted by name, be they there or not
    globs      the patterns that members are to match
    folders    that were selected as such: what is in them and not wanted is to be told
    """

    whole: bool
    literal: frozenset[str]
    globs: tuple[Pattern, ...]
    folders: tuple[str, ...] = ()

    def is_in_folder(self, uri: str) -> bool:
        """Whether a member is in a folder that was selected."""
        return uri.startswith(self.folders)

    def takes(self, uri: str) -> bool:
        """Whether a member is wanted; an archive in the archive, where it is matched itself."""
        if self.whole or uri in self.literal:
            return True
        return any(glob.matches(uri) for glob in self.globs)

    def holds_wanted(self, uri: str) -> bool:
        """Whether a member is to be looked into, as an archive."""
        if uri in self._archives_of_literal:
            return True
        if is_archive_name(uri):
            return self.takes(uri) or any(glob.reaches(uri + SEPARATOR) for glob in self.globs)
        return any(may_hold_files(uri, glob) for glob in self._globs_into)

    def missing(self) -> Missing:
        """The members that are wanted by name, of which none has been found yet."""
        return Missing(self.literal)

    @cached_property
    def _archives_of_literal(self) -> frozenset[str]:
        return frozenset(Uri.parse(uri).archive for uri in self.literal)

    @cached_property
    def _globs_into(self) -> tuple[Pattern, ...]:
        return tuple(glob for glob in self.globs if glob.text.count(SEPARATOR) > 1)


class Missing:
    """Members that are wanted by name, and have not been found."""

    def __init__(self, literal: Iterable[str]) -> None:
        self._names = set(literal)
        self._within: dict[str, list[str]] = {}
        for uri in self._names:
            place = Uri.parse(uri)
            if len(place.members) > 1:
                self._within.setdefault(place.archive, []).append(uri)

    def found(self, uri: str) -> None:
        """A member has been found; what is wanted of one that is an archive is looked for in that."""
        self._names.discard(uri)
        self._names.difference_update(self._within.get(uri, ()))

    def names(self) -> list[str]:
        return sorted(self._names)


class Wanted:
    """What a job looks for (`pipeline.inputs.listing`), asked about archives."""

    def __init__(self, looked_for: Iterable[str]) -> None:
        looked_for = tuple(looked_for)
        self._folders = tuple(text for text in looked_for if text.endswith("/"))
        self._patterns = tuple(text for text in looked_for if not text.endswith("/"))
        self.of = lru_cache(maxsize=16)(self._of)  # the members of an archive ask for the same

    def __reduce__(self) -> tuple[type[Wanted], tuple[tuple[str, ...]]]:
        return Wanted, ((*self._folders, *self._patterns),)

    def holds_wanted(self, uri: str) -> bool:
        """Whether a file may be an archive whose members are wanted."""
        if is_archive_name(uri) or uri in self._literal_members:
            return True
        into = self._globs_into
        return bool(into) and any(may_hold_files(uri, glob) for glob in into)  # each file of a listing asks

    def matches(self, uri: str) -> bool:
        """Whether a pattern matches the file itself."""
        return self.of(uri).whole

    def _of(self, archive: str) -> WantedMembers:
        within = archive + SEPARATOR
        place = Uri.parse(archive)
        whole = archive in self._literal or any(glob.matches(archive) for glob in self._globs)
        if place.members and not whole:
            whole = self.of(place.archive).whole
        top = place.file
        literal = (uri for uri in self._literal_members.get(top, ()) if uri.startswith(within))
        globs = tuple(glob for glob in self._globs if glob.reaches(within))
        folders = tuple(one for one in self._folders if one.startswith(within) or within.startswith(one))
        return WantedMembers(whole, frozenset(literal), globs, folders)

    @cached_property
    def _literal(self) -> frozenset[str]:
        return frozenset(uri for pattern in self._patterns if (uri := literal_uri(pattern)))

    @cached_property
    def _literal_members(self) -> dict[str, list[str]]:
        """By the file that they are in."""
        found: dict[str, list[str]] = {}
        for uri in self._literal:
            place = Uri.parse(uri)
            if place.members:
                found.setdefault(place.file, []).append(uri)
        return found

    @cached_property
    def _globs(self) -> tuple[Pattern, ...]:
        return tuple(glob for pattern in self._patterns if not (glob := Pattern(pattern)).literal)

    @cached_property
    def _globs_into(self) -> tuple[Pattern, ...]:
        """Those that name what is before a separator as an archive, whatever its name."""
        return tuple(glob for glob in self._globs if SEPARATOR in glob.text)

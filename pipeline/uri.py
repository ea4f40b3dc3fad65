"""URIs of objects and local paths, and of the members of archives.

    gs://bucket/folder/name              an object, exactly as it is named
    /folder/name                         a local file
    gs://bucket/data.tar!/2020/1.bz2     a member of an archive: "!/" stands between the archive and the name in it
    gs://bucket/data.tar!/in.zip!/1.bz2  a member of an archive in an archive
    gs://bucket/odd!!/name               the object "odd!/name": an "!" that stands before a "/" is written twice

So a URI says by itself whether it is of a member, whatever objects are called. To a glob, an archive is a folder whose
name ends in "!": `gs://bucket/data.tar!/2020/**/*.bz2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import InvalidUriError
from pipeline.other_schemes import other_scheme_remedy

_GLOB = re.compile(r"[*?\[]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# https://cloud.google.com/storage/docs/buckets#naming; the least length is left to the server.
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,220}[a-z0-9])?")
_MARKS = re.compile(r"!+(?=/)")
_MARKS_AT_END = re.compile(r"!+(?=/|\Z)")
SEPARATOR = "!/"  # between an archive and a name in it


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI, parsed once; `str` writes it again.

    bucket   "" for a local file
    path     the object's name or the local path, as it is
    members  () for the file itself; the name of a member in it; or of an archive in it, and of a member in that. An
             empty last name is the archive as a folder
    """

    bucket: str
    path: str
    members: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Raises InvalidUriError for another scheme, and for what cannot be a bucket."""
        bucket, path = split_uri(text)
        if SEPARATOR not in path:
            return cls(bucket, path)
        path, *members = _parts(path)
        return cls(bucket, path, tuple(members))

    def __str__(self) -> str:
        return join_uri(self.bucket, self.written_path)

    @property
    def written_path(self) -> str:
        """What follows the bucket: what globs are matched against."""
        names = (self.path, *self.members)
        return "!/".join(_escaped(name, is_last=i == len(self.members)) for i, name in enumerate(names))

    @property
    def is_local(self) -> bool:
        return not self.bucket

    @property
    def member(self) -> str | None:
        """The name in the innermost archive; None for what is in none."""
        return self.members[-1] if self.members else None

    @property
    def file(self) -> Uri:
        """The object or local file that this is, or is in."""
        return Uri(self.bucket, self.path)

    @property
    def archive(self) -> Uri:
        """The archive that the member is in."""
        return Uri(self.bucket, self.path, self.members[:-1])

    @property
    def stored(self) -> str:
        """The object or local file as a store of objects knows it, which has no archives: nothing is written twice."""
        return join_uri(self.bucket, self.path)

    def of(self, name: str) -> Uri:
        """A member of this archive; "" for the archive as a folder."""
        return Uri(self.bucket, self.path, (*self.members, name))


def _parts(written: str) -> list[str]:
    """The names between separators, each as it is."""
    parts: list[str] = []
    name, begin = "", 0
    for marks in _MARKS.finditer(written):
        name += written[begin : marks.start()] + "!" * (len(marks[0]) // 2)
        begin = marks.end()
        if len(marks[0]) % 2:
            parts.append(name)
            name, begin = "", begin + 1
    return [*parts, name + written[begin:]]


def _escaped(name: str, *, is_last: bool) -> str:
    if "!" not in name:
        return name
    return (_MARKS if is_last else _MARKS_AT_END).sub(lambda marks: marks[0] * 2, name)


def written(bucket: str, path: str) -> str:
    """The URI of an object or local file by its very name."""
    return join_uri(bucket, _escaped(path, is_last=True) if SEPARATOR in path else path)


def split_pattern(path: str) -> tuple[str, str | None]:
    """A glob's part before its first separator, still as it is written, and the part behind it; None without one."""
    return next(archives_named(path), (path, None))


def archives_named(path: str) -> Iterator[tuple[str, str | None]]:
    """The same at each separator of a glob: what it names as an archive, and what is behind it."""
    for marks in _MARKS.finditer(path) if SEPARATOR in path else ():
        if len(marks[0]) % 2:
            yield path[: marks.end() - 1], path[marks.end() + 1 :]


def has_glob(path: str) -> bool:
    """Whether a path is to be read as a glob: it holds `*`, `?` or `[`."""
    return _GLOB.search(path) is not None


def escape(name: str) -> str:
    """The pattern that matches this name and no other."""
    return _GLOB.sub(r"[\g<0>]", name)


def split_uri(uri: str) -> tuple[str, str]:
    """The bucket and the path within it; a local path has the bucket "".

    Both come back exactly as written: neither the name of an object nor a local path is normalised.
    Raises InvalidUriError for any other scheme, and for what cannot be a bucket.
    """
    if uri.startswith("gs://"):
        bucket, _, path = uri.removeprefix("gs://").partition("/")
        if not bucket:
            raise InvalidUriError(f"{uri!r} names no bucket; write gs://bucket/path")
        if has_glob(bucket):
            raise InvalidUriError(
                f"{uri!r}: a glob cannot stand in the bucket's name; give one bucket at a time"
            )
        if not _BUCKET.fullmatch(bucket):
            raise InvalidUriError(
                f"{uri!r}: {bucket!r} cannot be a bucket; use lower-case letters, digits, '-', '_' and '.', "
                "with a letter or a digit at both ends"
            )
        return bucket, path
    if uri[:3].lower() == "gs:":
        raise InvalidUriError(
            f"{uri!r} is not a gs:// URI; write gs://bucket/path (or ./{uri} for a local file)"
        )
    if scheme := other_scheme(uri):
        raise InvalidUriError(
            f"{scheme} is not read, only gs:// and local paths: {uri!r}; {other_scheme_remedy(uri)}"
        )
    if not uri or "\0" in uri:
        raise InvalidUriError(f"{uri!r} is not a path; give gs://bucket/path or a local path")
    return "", uri


def other_scheme(uri: str) -> str | None:
    """The scheme of a URI that is not gs://, as "s3://"; None for others, and for local paths."""
    scheme = _SCHEME.match(uri)
    return scheme[0] if scheme and scheme[0].lower() != "gs://" else None


def join_uri(bucket: str, path: str) -> str:
    """The URI of a path in a bucket, the inverse of `split_uri`; the bucket "" stands for local files."""
    return f"gs://{bucket}/{path}" if bucket else path

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
from typing import Any, Self

from pipeline.errors import InvalidUriError
from pipeline.other_schemes import other_scheme_remedy

_GLOB = re.compile(r"[*?\[]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# https://cloud.google.com/storage/docs/buckets#naming; the least length is left to the server.
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,220}[a-z0-9])?")
_MARKS = re.compile(r"!+(?=/)")
_MARKS_AT_END = re.compile(r"!+(?=/|\Z)")
SEPARATOR = "!/"  # between an archive and a name in it


class Uri(str):
    """A URI: its text, which is parsed once, and its parts.

    bucket   "" for a local file
    path     the object's name or the local path, as it is
    members  () for the file itself; the name of a member in it; or of an archive in it, and of a member in that. An
             empty last name is the archive as a folder
    """

    __slots__ = ("bucket", "members", "path")
    bucket: str
    path: str
    members: tuple[str, ...]

    def __new__(cls, bucket: str, path: str, members: tuple[str, ...] = ()) -> Self:
        names = (path, *members)
        text = SEPARATOR.join(_escaped(name, is_last=i == len(members)) for i, name in enumerate(names))
        uri = str.__new__(cls, join_uri(bucket, text))
        uri.bucket, uri.path, uri.members = bucket, path, members
        return uri

    def __reduce__(self) -> tuple[Any, ...]:
        return _uri, (str(self), self.bucket, self.path, self.members)

    @classmethod
    def parse(cls, text: str) -> Uri:
        """The URI that a text is; itself, where it is one already.

        Raises InvalidUriError for another scheme, and for what cannot be a bucket.
        """
        if isinstance(text, Uri):
            return text
        bucket, path = _split(text)
        if SEPARATOR not in path:
            return _uri(text, bucket, path, ())
        name, *members = _parts(path)
        return _uri(text, bucket, name, tuple(members))

    @property
    def written_path(self) -> str:
        """What follows the bucket: what globs are matched against."""
        return self[len(self.bucket) + len("gs:///") :] if self.bucket else str(self)

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
        return Uri(self.bucket, self.path) if self.members else self

    @property
    def archive(self) -> Uri:
        """The archive that the member is in."""
        return Uri(self.bucket, self.path, self.members[:-1])

    def of(self, name: str) -> Uri:
        """A member of this archive; "" for the archive as a folder."""
        return Uri(self.bucket, self.path, (*self.members, name))

    def continued(self, rest: str) -> Uri:
        """The URI whose text goes on with `rest`: of many in one bucket, the bucket is parsed once."""
        text = self + rest
        if SEPARATOR in text or len(self) - len(self.path) == len(self.bucket) + len("gs://"):
            return Uri.parse(text)
        return _uri(text, self.bucket, self.path + rest, ())


def _uri(text: str, bucket: str, path: str, members: tuple[str, ...]) -> Uri:
    uri = str.__new__(Uri, text)
    uri.bucket, uri.path, uri.members = bucket, path, members
    return uri


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


def _split(uri: str) -> tuple[str, str]:
    """The bucket and what follows it, both exactly as written; a local path has the bucket ""."""
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
    """The URI of a written path in a bucket; the bucket "" stands for local files."""
    return f"gs://{bucket}/{path}" if bucket else path

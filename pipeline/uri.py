"""URIs of objects and local paths: a bucket and a name in it, each exactly as written."""

from __future__ import annotations

import re

from pipeline.errors import InvalidUriError
from pipeline.other_schemes import other_scheme_remedy

_GLOB = re.compile(r"[*?\[]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# https://cloud.google.com/storage/docs/buckets#naming; the least length is left to the server.
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,220}[a-z0-9])?")


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

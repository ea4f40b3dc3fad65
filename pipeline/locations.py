"""What a job reads, and where its output goes: each checked when it is made, by itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from pipeline.errors import InvalidUriError, RefusedError, SettingsError, TargetError
from pipeline.folders import current_folder, home_expanded
from pipeline.uri import SEPARATOR, Uri, has_glob, other_scheme, split_pattern


@dataclass(frozen=True)
class Inputs:
    """gs:// URIs of one bucket, or local paths: folders, objects, members of archives or globs (`pipeline.glob`).

    uris     each once, in order; local ones are made absolute
    bucket   that of all of them; "" stands for local files
    paths    the same within the bucket

    Raises RefusedError for none, for what cannot be read, and for several buckets; SettingsError for what is no text.
    """

    uris: tuple[str, ...]
    bucket: str = field(init=False, compare=False, repr=False)
    paths: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        given = self.uris
        if not (isinstance(given, tuple) and all(isinstance(path, str) for path in given)):
            raise SettingsError(
                f"inputs is {given!r}; give a list of texts, one for each folder, object or glob"
            )
        if not given:
            raise RefusedError("no inputs; give at least one folder, object or glob")
        uris = tuple(dict.fromkeys(Uri.parse(_located(path)) for path in given))
        buckets = {uri.bucket for uri in uris}
        if len(buckets) > 1:
            named = ", ".join(sorted(f"gs://{bucket}" if bucket else "local files" for bucket in buckets))
            raise RefusedError(f"the inputs are in several places ({named}); submit one job for each")
        paths = tuple(uri.written_path for uri in uris)
        for name, value in (("uris", uris), ("bucket", buckets.pop()), ("paths", paths)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Target:
    """The folder that takes output/, ledger/ and summary.json.

    uri      without a trailing "/"; a local one is made absolute
    bucket   its bucket; "" stands for local files
    path     the same within the bucket

    Raises TargetError for what can be no such folder.
    """

    uri: str
    bucket: str = field(init=False, compare=False, repr=False)
    path: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        uri = Uri.parse(_target(self.uri))
        for name, value in (("uri", uri), ("bucket", uri.bucket), ("path", uri.path)):
            object.__setattr__(self, name, value)


def _located(path: str) -> str:
    """The input as it is stored: a URI as written, a local path made absolute with its last "/" kept.

    A job runs in another process, perhaps after the caller has changed its folder. A local folder written in
    two ways must not be read twice, so "//" is "/" there.
    """
    uri = Uri.parse(path)
    if uri.bucket:
        return uri
    name, member = split_pattern(uri)
    if member is not None:  # names in archives are texts, and no paths of this machine
        return f"{_located(name)}{SEPARATOR}{member}"
    if name.startswith("~"):
        name = home_expanded(name)
    if not os.path.isabs(name):  # noqa: PTH117
        name = f"{current_folder()}/{name.removeprefix('./')}"
    name = re.sub("/{2,}", "/", name)
    if "/../" in name or name.endswith("/..") or "/./" in name:
        end = "/" if name.endswith("/") else ""
        name = os.path.normpath(name).rstrip("/") + end or "/"
    return name.removesuffix("/.") + "/" if name.endswith("/.") else name


def _target(target: str) -> str:
    if scheme := other_scheme(target):
        raise TargetError(
            f"{scheme} is not written, only gs:// and local folders: target {target!r}; write to one of these, and "
            "copy the output from there"
        )
    try:
        uri = Uri.parse(target)
    except InvalidUriError as e:
        raise TargetError(f"target {e}") from e
    bucket, path = uri.bucket, uri.written_path
    if has_glob(path):
        raise TargetError(
            f"target {target!r} holds one of * ? [, which stand for other characters; name one folder"
        )
    if split_pattern(f"{path.rstrip('/')}/")[1] is not None:
        raise TargetError(
            f"target {target!r} is in an archive (!/), and archives are only read; name a folder"
        )
    if bucket:
        if "//" in path or path.startswith("/"):
            raise TargetError(f"target {target!r} has an empty folder name (//); write each '/' once")
        return f"gs://{bucket}/{path.rstrip('/')}".rstrip("/")
    located = os.path.normpath(_located(target))
    if located == "/":
        raise TargetError("target '/' is the root of this machine; name a folder")
    return located

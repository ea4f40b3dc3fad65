"""Inputs -> patterns -> files: what a job reads, and the checks that need the bucket."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from pipeline.archives.names import is_archive_name
from pipeline.errors import (
    BadFileError,
    NothingMatchesError,
    ObjectNotFoundError,
    RefusedError,
    StorageError,
    TargetError,
)
from pipeline.glob import Pattern
from pipeline.inputs.matching import list_matches, literal_uri
from pipeline.job_options import FORMATS
from pipeline.locations import Inputs, Target
from pipeline.sources import build_patterns, every_file, get_decompressor, get_source
from pipeline.storage import Store, join
from pipeline.target.contents import published
from pipeline.uri import SEPARATOR, Uri, escape, has_glob, join_uri

_LOOKUPS = 16  # inputs looked up at a time
_CROWD = 20  # literal names in one folder, beyond which it is listed


def patterns_by_input(
    store: Store, inputs: Inputs, source: str, *, every: bool = False
) -> dict[str, list[str]]:
    """Each input with its patterns, by the source of that name, or with those of every file in it.

    Raises RefusedError for an unknown source, and for a path or glob that cannot be read.
    """
    plugin = get_source(source)
    get_decompressor(plugin)
    bucket = inputs.bucket
    return {
        input_: every_file(bucket, paths) if every else build_patterns(plugin, bucket, paths)
        for input_, path in zip(inputs.uris, inputs.paths, strict=True)
        for paths in [_unambiguous(store, bucket, path)]
    }


def check_inputs(
    store: Store, patterns: dict[str, list[str]], *, listing: bool = True
) -> dict[str, list[str]]:
    """The inputs with those of their patterns that are worth looking for: a literal one only if it is there.

    Raises NothingMatchesError unless each input matches a file, and RefusedError if the bucket is absent. Stops
    at each input's first match, which costs one request for most; many inputs in one folder cost one listing. Without
    `listing` none is asked for, and whether a glob matches is seen by the job.
    """
    bucket = Uri.parse(next(iter(patterns))).bucket
    if listing and not store.bucket_exists(bucket):
        raise RefusedError(
            f"no bucket gs://{bucket} (or it is not visible with these credentials); check its name"
        )
    with ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="check-input") as pool:
        known = _listed(store, _crowded(patterns), pool) if listing else {}
        found = list(
            pool.map(lambda tried: _matching(store, tried, known, listing=listing), patterns.values())
        )
    for (input_, tried), matching in zip(patterns.items(), found, strict=True):
        if not matching:
            raise NothingMatchesError(f"no file matches {input_}; tried {' and '.join(tried)}", [*tried])
    return dict(zip(patterns, found, strict=True))


def _crowded(patterns: dict[str, list[str]]) -> list[str]:
    """The folders in which so many literal names are looked for that listing the folder costs less."""
    literal = (uri for tried in patterns.values() for pattern in tried if (uri := literal_uri(pattern)))
    looked_into = Counter(uri.rpartition("/")[0] + "/" for uri in literal)
    return [folder for folder, times in looked_into.items() if times > _CROWD]


def _listed(store: Store, folders: list[str], pool: ThreadPoolExecutor) -> dict[str, frozenset[str]]:
    """Each folder with the URIs of what stands right in it; those of folders end in "/"."""

    def names(folder: str) -> frozenset[str]:
        pages = store.list_folder(folder)
        return frozenset(uri for page in pages for uri in (*page.folders, *(e.uri for e in page.objects)))

    return dict(zip(folders, pool.map(names, folders), strict=True))


def _matching(
    store: Store, patterns: list[str], known: dict[str, frozenset[str]], *, listing: bool
) -> list[str]:
    """The patterns of one input without those that are known to match nothing; none if none matches."""
    kept, matched = [], False
    for pattern in patterns:
        uri = literal_uri(pattern)
        siblings = known.get(f"{uri.rpartition('/')[0]}/") if uri else None
        if uri and not (uri in siblings if siblings is not None else store.exists(uri)):
            continue
        if uri and siblings is not None and f"{uri}/" not in siblings:
            return [pattern]  # it is a file, and there is no folder of that name
        if uri or matched or not listing or any(True for _ in list_matches(store, pattern)):
            matched = True
        kept.append(pattern)
    return kept if matched else []


def check_apart(
    store: Store, inputs: Inputs, target: Target, patterns: list[str], *, job_id: str, overwrite: bool = False
) -> None:
    """Raise TargetError when the target lies in the selection: the job would read what it writes or deletes."""
    _real_folder.cache_clear()  # links may lead elsewhere than when the last job was submitted from this process
    followed = _followed(target.uri)
    for input_, path in zip(inputs.uris, inputs.paths, strict=True):
        folder = _followed(input_.rstrip("/"))
        if not has_glob(path) and f"{followed}/".startswith(f"{folder.rstrip('/')}/"):
            raise TargetError(f"target {target.uri} is inside the input {input_}; choose one outside it")
    names = [join(target.uri, name) for name in _names_written(job_id)]
    if overwrite and store.bucket_exists(target.bucket):
        names += published(store, target.uri)
    for pattern in patterns if inputs.bucket == target.bucket else ():
        glob = Pattern(pattern)
        looked_through = glob.prefix.rpartition("/")[0] + "/"
        for link in store.linked_folders(looked_through) if glob.recursive and not glob.literal else ():
            check_outside(f"{link}/", target.uri)
            if f"{followed}/".startswith(f"{_followed(link).rstrip('/')}/"):
                raise TargetError(
                    f"target {target.uri} is inside {link}, which {pattern} reads; choose another"
                )
        for uri in names:
            if glob.matches(uri):
                raise TargetError(
                    f"target {target.uri} is inside the selection: {pattern} matches {uri}; "
                    "choose another target or a narrower pattern"
                )


def check_outside(uri: str, target: str) -> None:
    """Raise TargetError for a local file that links lead to within the target: it is what the job writes."""
    if uri.startswith("gs://") or target.startswith("gs://"):
        return
    if f"{_real_folder(os.path.dirname(uri))}/".startswith(f"{_real_folder(target)}/"):  # noqa: PTH120 - as written
        raise TargetError(f"{uri} leads into the target {target} through a link; choose another target")


@lru_cache(maxsize=1024)  # a listing comes folder by folder
def _real_folder(path: str) -> str:
    return os.path.realpath(path)


def _followed(uri: str) -> str:
    """A local path without links, so that two ways to one folder are seen to be one."""
    return os.path.realpath(uri) if uri and not uri.startswith("gs://") else uri


def _names_written(job_id: str) -> list[str]:
    shards = [f"output/output-00000-of-00001.{suffix}" for suffix in FORMATS]
    shards.append("ledger/ledger-00000-of-00001.ndjson")
    return [
        *shards,
        "shards.ndjson",
        "summary.json",
        "_chimera/claim.json",
        f"_chimera/{job_id}/output/part-0.ndjson",
    ]


def _unambiguous(store: Store, bucket: str, path: str) -> list[str]:
    """The path so that a source cannot mistake it.

    A name that holds a glob character and is there literally is that object or folder, not a glob; a local
    folder, which can be told from a file, gets its "/"; and an archive is given as the folder that it is.
    """
    uri = join_uri(bucket, path)
    if has_glob(path):
        folder = f"{path.rstrip('/')}/"
        try:
            literal = [escape(path)] if not path.endswith("/") and store.exists(uri) else []
            if _holds_files(store, join_uri(bucket, folder)):
                literal.append(escape(folder))
        except ObjectNotFoundError:
            return [path]  # no such bucket: refused in its turn
        return literal or [path]
    if is_archive_name(path) and _is_archive(store, uri):
        return [path + SEPARATOR]
    if not bucket and not path.endswith("/") and store.is_local_folder(path):
        return [f"{path}/"]
    return [path]


def _is_archive(store: Store, uri: str) -> bool:
    try:
        return store.is_archive(uri)
    except (StorageError, BadFileError):
        return False  # it is not there, or is no good: looked for as any other


def _holds_files(store: Store, folder: str) -> bool:
    return store.is_local_folder(folder) or next(store.list_objects(folder), None) is not None

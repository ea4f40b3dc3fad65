"""What `chimera put` copies, and to where: all of it is known, and every name is free, before the first byte moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RefusedError
from pipeline.storage import Store, join

STACK_FOLDER = ".chimera"
_NAME_BYTES = 1024


@dataclass(frozen=True)
class Upload:
    """One local file and the URI that it goes to."""

    path: str
    uri: str


@dataclass(frozen=True)
class UploadPlan:
    """uploads: in the order of the sources; left_out: what is not copied, and why."""

    uploads: tuple[Upload, ...]
    left_out: dict[str, str]


def plan_uploads(store: Store, sources: Sequence[Path], uri: str) -> UploadPlan:
    """Files by their names, folders with all that is below them, at `uri`.

    Raises RefusedError for a source that is not there or holds no file, and for two files that would get one name.
    """
    left_out: dict[str, str] = {}
    taken: dict[str, str] = {}
    for source in sources:
        count = 0
        for path, name in _files(store, source, left_out):
            count += 1
            target = join(uri, _object_name(path, name))
            other = taken.setdefault(target, path)
            if other != path and not Path(other).samefile(path):
                raise RefusedError(
                    f"{other} and {path} would both become {target}; copy them to folders of their own, "
                    "or the folder that holds both"
                )
        if not count:
            raise RefusedError(f"{source}: there are no files in it")
    return UploadPlan(tuple(Upload(path, target) for target, path in taken.items()), left_out)


def _files(store: Store, source: Path, left_out: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each file with its name below the target."""
    if source.is_dir():
        folder = f"{str(source).rstrip('/')}/"
        for entry in store.list_objects(folder):
            name = entry.uri.removeprefix(folder)
            folders = name.split("/")[:-1]
            if STACK_FOLDER in folders:
                own = folder + "/".join(folders[: folders.index(STACK_FOLDER) + 1])
                left_out[own] = "a local stack's own data"
            elif not Path(entry.uri).exists():
                left_out[entry.uri] = "a link that leads nowhere"
            else:
                yield entry.uri, name
    elif source.is_file():
        yield str(source), source.name
    else:
        raise RefusedError(f"{source}: there is no such file or folder")


def _object_name(path: str, name: str) -> str:
    """The name, where a bucket takes it (https://cloud.google.com/storage/docs/objects#naming)."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError as e:
        raise RefusedError(f"{path}: its name is no UTF-8, and names in a bucket are; rename it") from e
    if "\r" in name or "\n" in name or length > _NAME_BYTES:
        raise RefusedError(
            f"{path}: a name in a bucket has no line ends and at most {_NAME_BYTES:,} bytes; rename it"
        )
    return name

"""ls, put."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir, UserProject
from chimera_nb.cli.upload_plan import plan_uploads
from chimera_nb.session import connect
from chimera_nb.units import plural, size
from pipeline.errors import NothingMatchesError, ObjectNotFoundError, RefusedError
from pipeline.inputs.matching import folder_to_list, list_matches
from pipeline.storage import Entry, Store
from pipeline.uri import Uri, has_glob

_UPLOADS = 16  # at a time


def register(app: typer.Typer) -> None:
    app.command()(ls)
    app.command()(put)


def ls(
    uri: Annotated[
        str,
        typer.Argument(
            metavar="URI", help="A bucket, folder, archive, object or glob; gs:// alone for the buckets."
        ),
    ],
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    *,
    user_project: UserProject = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List a folder, what a glob matches, or what is in an archive: gs://BUCKET/data.tar or data.tar!/2020/."""
    store = connect([uri], data_dir=data_dir).store.billed_to(user_project)
    folders, objects = _listed(store, uri, limit + 1)
    cut = len(folders) + len(objects) > limit
    folders, objects = folders[:limit], objects[: max(0, limit - len(folders))]
    if as_json:
        found = [
            {"uri": entry.uri, "size": entry.size, "updated": entry.updated, "generation": entry.generation}
            for entry in objects
        ]
        display.print_json({"folders": folders, "objects": found, "more": cut})
        return
    display.print_listing(folders, objects)
    if cut:
        display.err.print(f"there are more; these are the first {limit:,} (--limit)")


def put(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files, or folders with all in them.")
    ],
    uri: Annotated[str, typer.Argument(metavar="gs://BUCKET/PREFIX", help="The folder they go to.")],
    *,
    user_project: UserProject = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Copy files into a bucket, under their own names. On a local stack the bucket is made if it is absent.

    Nothing is copied where two files would get one name. What links lead to is copied too, each folder once.
    """
    store = connect([uri], data_dir=data_dir).store.billed_to(user_project)
    bucket = Uri.parse(uri).bucket
    if not bucket:
        raise RefusedError(f"{uri!r} is not in a bucket; write gs://bucket/prefix")
    if has_glob(uri):
        raise RefusedError(f"{uri!r} holds one of * ? [, which stand for other characters; name one folder")
    plan = plan_uploads(store, files, uri)
    for path, why in plan.left_out.items():
        display.err.print(display.text(f"left out: {path} ({why})"))
    if not store.bucket_exists(bucket):
        store.make_bucket(bucket)
    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="put-file") as pool:
        done = list(pool.map(lambda upload: store.upload_file(upload.path, upload.uri), plan.uploads))
    if as_json:
        display.print_json([{"uri": entry.uri, "size": entry.size} for entry in done])
    else:
        total = size(sum(entry.size for entry in done))
        display.out.print(display.text(f"{plural(len(done), 'file')}, {total}, now in {uri}"))


def _listed(store: Store, uri: str, limit: int) -> tuple[list[str], list[Entry]]:
    """Folders (buckets for the URI "gs://") and objects, no more than `limit` of them together by much."""
    if uri == "gs://":
        return [f"gs://{name}/" for name in store.list_buckets()], []
    at = Uri.parse(uri)
    if has_glob(at):
        objects = list(islice(list_matches(store, uri), limit))
        if not objects:
            raise NothingMatchesError(f"no file matches {uri}", [uri])
        return [], objects
    folder = folder_to_list(store, uri)
    folders: list[str] = []
    objects = []
    for page in store.list_folder(folder):
        folders += page.folders
        objects += page.objects
        if len(folders) + len(objects) >= limit:
            break
    if not folders and not objects and at.path:
        try:
            return [], [store.stat(at)]
        except ObjectNotFoundError as e:
            raise ObjectNotFoundError(uri, "there is no such object or folder") from e
    return folders, objects

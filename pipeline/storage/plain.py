"""PlainStore: buckets and local folders as they are, each asked by what knows its kind.

What knows buckets is loaded when the first one is asked for: Google's clients take a quarter of a second, which whoever
looks into a local file would wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import NoStackError, StorageError
from pipeline.storage.access_policy import AccessLists
from pipeline.storage.backends import Objects, Versions
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Entry, ListingPage, ReadStream, Version, WriteStream, in_pages
from pipeline.storage.local import LocalFiles
from pipeline.storage.local_versions import LocalVersions, remove_empty_folder
from pipeline.storage.name_ranges import Share
from pipeline.storage.patience import JOB, Patience
from pipeline.storage.store import Store
from pipeline.uri import Uri
from pipeline.user_project import check_user_project

if TYPE_CHECKING:
    from pipeline.storage.gcs import Buckets
    from pipeline.storage.gcs_client import Terms

_LOCAL, _LOCAL_VERSIONS = LocalFiles(), LocalVersions()
_FOUND = Cloud()


@dataclass(frozen=True)
class PlainStore(Store):
    """A Store that nothing bounds.

    patience   how long a bucket that fails is asked again
    cloud      which service gs:// is; where there is none, every method raises NoStackError, before anything leaves
               this machine
    user_project   which project is billed for what is asked of a bucket whose owner has requesters pay

    Raises SettingsError for a project that can be none.
    """

    patience: Patience = JOB
    cloud: Cloud = _FOUND
    user_project: str | None = None

    def __post_init__(self) -> None:
        check_user_project(self.user_project)

    def billed_to(self, project: str | None) -> PlainStore:
        return self if project is None else replace(self, user_project=project)

    @property
    def access(self) -> AccessLists:
        return AccessLists()

    def with_patience(self, patience: Patience) -> PlainStore:
        return replace(self, patience=patience)

    def bucket_exists(self, bucket: str) -> bool:
        return not bucket or self._buckets().bucket_exists(bucket)

    def check_deletes(self, bucket: str) -> None:
        if bucket:
            self._buckets().check_deletes(bucket)

    def list_buckets(self) -> list[str]:
        return self._buckets().list_buckets()

    def make_bucket(self, bucket: str) -> None:
        self._buckets().make_bucket(bucket)

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        return self._of(at := _file(prefix)).list_objects(at, recursive=recursive)

    def list_pages(self, prefix: str, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        at = _file(prefix)
        if at.is_local:
            return in_pages(_LOCAL.list_objects(at, recursive=True))
        return self._buckets(at).list_pages(at, share)

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[ListingPage]:
        return self._of(at := _file(folder)).list_folder(at, page_size=page_size)

    def stat(self, uri: str) -> Entry:
        return self._of(at := _file(uri)).stat(at)

    def is_archive(self, uri: str) -> bool:
        del uri
        return False  # it looks into none

    def open_read(
        self, uri: str, *, first_bytes: int | None = None, generation: int | None = None
    ) -> ReadStream:
        return self._of(at := _file(uri)).open_read(at, first_bytes, generation)

    def check_gives(self, uri: str) -> None:
        if not (at := _file(uri)).is_local:
            self._buckets(at).check_gives(at)

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        return self._of(at := _file(uri)).read_range(at, start, end)

    def open_write(self, uri: str, *, owner: str | None = None) -> WriteStream:
        return self._of(at := _file(uri)).open_write(at, owner)

    def write_bytes(self, uri: str, data: bytes, *, create_only: bool = False) -> None:
        self._of(at := _file(uri)).write_bytes(at, data, create_only=create_only)

    def upload_file(self, path: str, uri: str) -> Entry:
        return self._of(at := _file(uri)).upload_file(path, at)

    def look(self, uri: str) -> Version:
        return self._versions(at := _file(uri)).look(at)

    def list_versions(self, prefix: str, *, recursive: bool = False) -> Iterator[Version]:
        return self._versions(at := _file(prefix)).list_versions(at, recursive=recursive)

    def read_version(self, uri: str) -> tuple[bytes, int]:
        return self._versions(at := _file(uri)).read_version(at)

    def swap(self, uri: str, data: bytes, generation: int, *, owner: str | None = None) -> int:
        return self._versions(at := _file(uri)).swap(at, data, generation, owner)

    def move(self, source: str, target: str, *, generation: int, over: int = 0) -> Version:
        return self._versions(at := _file(source)).move(at, _file(target), generation, over)

    def delete_version(self, uri: str, generation: int) -> bool:
        return self._versions(at := _file(uri)).delete_version(at, generation)

    def delete(self, uris: Iterable[str]) -> None:
        files = [_file(uri) for uri in uris]
        if files:
            self._of(files[0]).delete(files)

    def delete_tree(self, folder: str) -> None:
        self._of(at := _file(folder)).delete_tree(at)

    def remove_empty_folder(self, folder: str) -> None:
        if (at := _file(folder)).is_local:
            remove_empty_folder(at)

    def linked_folders(self, folder: str) -> Iterator[str]:
        return _LOCAL.linked_folders(at) if (at := _file(folder)).is_local else iter(())

    def is_local_folder(self, path: str) -> bool:
        return (at := Uri.parse(path)).is_local and not at.members and _LOCAL.is_folder(at)

    @property
    def _terms(self) -> Terms:
        from pipeline.storage.gcs_client import Terms

        return Terms(self.cloud, self.patience, self.user_project)

    def _buckets(self, uri: str = "gs://") -> Buckets:
        from pipeline.storage.gcs import Buckets

        self._check_reach(uri)
        return Buckets(self._terms)

    def _of(self, uri: Uri) -> Objects:
        """Where this is: all buckets, or all local files."""
        return _LOCAL if uri.is_local else self._buckets(uri)

    def _versions(self, uri: Uri) -> Versions:
        """The same for changes of what was seen."""
        if uri.is_local:
            return _LOCAL_VERSIONS
        from pipeline.storage.gcs_versions import BucketVersions

        self._check_reach(uri)
        return BucketVersions(self._terms)

    def _check_reach(self, uri: str) -> None:
        """Raises NoStackError where a bucket may only be a local stack's, and none runs."""
        if not self.cloud.is_there:
            raise NoStackError(uri)


def _file(text: str) -> Uri:
    """Of an object or a local file, or what such begin with: "" in the folder that this process is in.

    Raises StorageError for what is in an archive.
    """
    uri = Uri.parse(text) if text else Uri("", "")
    if uri.members:
        raise StorageError(
            uri, "is in an archive, and archives are only read (an object's name has !!/ for each !/ of it)"
        )
    return uri

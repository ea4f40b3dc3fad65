"""PlainStore: buckets and local folders as they are, each asked by what knows its kind.

What knows buckets is loaded when the first one is asked for: Google's clients take a quarter of a second, which whoever
looks into a local file would wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import NoStackError
from pipeline.storage.access_policy import AccessLists
from pipeline.storage.backends import Objects, Versions
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Entry, ListingPage, ReadStream, Version, WriteStream, in_pages
from pipeline.storage.local import LocalFiles
from pipeline.storage.local_versions import LocalVersions, remove_empty_folder
from pipeline.storage.name_ranges import Share
from pipeline.storage.patience import JOB, Patience
from pipeline.storage.store import Store
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
        return not bucket or self._buckets.bucket_exists(bucket)

    def check_deletes(self, bucket: str) -> None:
        if bucket:
            self._buckets.check_deletes(bucket)

    def list_buckets(self) -> list[str]:
        return self._buckets.list_buckets()

    def make_bucket(self, bucket: str) -> None:
        self._buckets.make_bucket(bucket)

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        return self._of(prefix).list_objects(prefix, recursive=recursive)

    def list_pages(self, prefix: str, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        if prefix.startswith("gs://"):
            return self._buckets.list_pages(prefix, share)
        return in_pages(_LOCAL.list_objects(prefix, recursive=True))

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[ListingPage]:
        return self._of(folder).list_folder(folder, page_size=page_size)

    def stat(self, uri: str) -> Entry:
        return self._of(uri).stat(uri)

    def is_archive(self, uri: str) -> bool:
        del uri
        return False  # it looks into none

    def open_read(
        self, uri: str, *, first_bytes: int | None = None, generation: int | None = None
    ) -> ReadStream:
        return self._of(uri).open_read(uri, first_bytes, generation)

    def check_gives(self, uri: str) -> None:
        if uri.startswith("gs://"):
            self._buckets.check_gives(uri)

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        return self._of(uri).read_range(uri, start, end)

    def open_write(self, uri: str, *, owner: str | None = None) -> WriteStream:
        return self._of(uri).open_write(uri, owner)

    def write_bytes(self, uri: str, data: bytes, *, create_only: bool = False) -> None:
        self._of(uri).write_bytes(uri, data, create_only=create_only)

    def upload_file(self, path: str, uri: str) -> Entry:
        return self._of(uri).upload_file(path, uri)

    def look(self, uri: str) -> Version:
        return self._versions(uri).look(uri)

    def list_versions(self, prefix: str, *, recursive: bool = False) -> Iterator[Version]:
        return self._versions(prefix).list_versions(prefix, recursive=recursive)

    def read_version(self, uri: str) -> tuple[bytes, int]:
        return self._versions(uri).read_version(uri)

    def swap(self, uri: str, data: bytes, generation: int, *, owner: str | None = None) -> int:
        return self._versions(uri).swap(uri, data, generation, owner)

    def move(self, source: str, target: str, *, generation: int, over: int = 0) -> Version:
        return self._versions(source).move(source, target, generation, over)

    def delete_version(self, uri: str, generation: int) -> bool:
        return self._versions(uri).delete_version(uri, generation)

    def delete(self, uris: Iterable[str]) -> None:
        uris = list(uris)
        if uris:
            self._of(uris[0]).delete(uris)

    def delete_tree(self, folder: str) -> None:
        self._of(folder).delete_tree(folder)

    def remove_empty_folder(self, folder: str) -> None:
        if not folder.startswith("gs://"):
            remove_empty_folder(folder)

    def linked_folders(self, folder: str) -> Iterator[str]:
        return iter(()) if folder.startswith("gs://") else _LOCAL.linked_folders(folder)

    def is_local_folder(self, path: str) -> bool:
        return not path.startswith("gs://") and _LOCAL.is_folder(path)

    @property
    def _terms(self) -> Terms:
        from pipeline.storage.gcs_client import Terms

        return Terms(self.cloud, self.patience, self.user_project)

    @property
    def _buckets(self) -> Buckets:
        from pipeline.storage.gcs import Buckets

        self._check_reach("gs://")
        return Buckets(self._terms)

    def _of(self, uri: str) -> Objects:
        """Where this is: all buckets, or all local files."""
        if not uri.startswith("gs://"):
            return _LOCAL
        self._check_reach(uri)
        return self._buckets

    def _versions(self, uri: str) -> Versions:
        """The same for changes of what was seen."""
        if not uri.startswith("gs://"):
            return _LOCAL_VERSIONS
        from pipeline.storage.gcs_versions import BucketVersions

        self._check_reach(uri)
        return BucketVersions(self._terms)

    def _check_reach(self, uri: str) -> None:
        """Raises NoStackError where a bucket may only be a local stack's, and none runs."""
        if not self.cloud.is_there:
            raise NoStackError(uri)

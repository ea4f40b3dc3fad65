"""The files in an archive that is read from its beginning to its end, each as a file of its own.

A compressed tar can be read no other way. What is read here in order too are archives that nobody took for one before
they were opened, and archives in archives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pipeline.archives.members import Member, Outline, Told
from pipeline.archives.names import DEEPEST
from pipeline.archives.scan import ZIP, Scan, scan, scan_in_order
from pipeline.archives.store import ArchiveStore, store_of_archives
from pipeline.archives.streams import Ahead, RangeReader, Spooled, StreamedReader, ZipReader
from pipeline.codecs import HEAD_BYTES
from pipeline.codecs.formats import compression_of
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, ObjectChangedError, StorageError, StoreUnavailableError
from pipeline.inputs.wanted import Wanted, WantedMembers
from pipeline.ledger import FileRecord
from pipeline.progress import tally
from pipeline.read.file import ReadFile, ReadOptions, read_file
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

Tell = Callable[[str, int], None]  # of a file in a selected folder that no pattern takes: its URI and size
_TOO_DEEP = "is an archive within an archive in an archive, and no deeper is read; unpack one of them"
_NO_ARCHIVE = "is named as an archive and is none: it is neither a tar, compressed or not, nor a zip"
_AGAIN = "files whose names came before in it, and of each name read the first"


def files_in(
    file: ReadFile, options: ReadOptions, wanted: Wanted, tell: Tell | None = None
) -> Iterator[ReadFile]:
    """The file itself; or the wanted files in it, where it is an archive; or what is told where it should be one."""
    uri = file.record.uri
    if file.archive is not None:
        tally("read-bytes", -file.record.size)  # its files are counted as they are read
        tally("raw-bytes", -file.record.raw_bytes)
        if len(Uri.parse(uri).members) < DEEPEST:
            yield from read_members(file.archive, uri, options, wanted, tell)
        else:
            yield ReadFile(replace(file.record, error=_TOO_DEEP))
    elif wanted.holds_wanted(uri) and not wanted.matches(uri):
        yield from _unwanted(file, wanted)
    else:
        yield file


def read_members(
    store: Store, uri: str, options: ReadOptions, wanted: Wanted, tell: Tell | None = None
) -> Iterator[ReadFile]:
    """Each wanted file of an archive, once its lines were taken the next; then what is to be told of the archive.

    Raises StoreUnavailableError where the store is at fault, also when that shows after files were given: their bundle
    is to be repeated.
    """
    archive = _Archive(store_of_archives(store), uri, options, wanted, tell=tell)
    try:
        yield from archive.files()
    except StoreUnavailableError:
        raise
    except (BadFileError, StorageError) as e:
        archive.outline.fault = e.about_it if isinstance(e, StorageError) else str(e)
    if record := own_record(uri, archive.outline, archive.generation):
        yield ReadFile(record)


def read_named(
    store: Store, archive: tuple[str, int | None], uris: Iterable[str], options: ReadOptions, wanted: Wanted
) -> Iterator[ReadFile]:
    """The files of these URIs in an archive that is read in order, by its URI and version; each, be it there or not.

    What is to be told of the archive has been told. Raises as `read_members`.
    """
    left = set(uris)
    uri, generation = archive
    reader = _Archive(store_of_archives(store), uri, options, wanted, only=left, version=generation)
    try:
        yield from reader.files()
    except StoreUnavailableError:
        raise
    except (BadFileError, StorageError) as e:
        reader.outline.fault = e.about_it if isinstance(e, StorageError) else str(e)
    fault = reader.outline.fault or "has no such file any more"
    for uri in sorted(left):
        yield ReadFile(
            FileRecord(uri, "failed", generation, error=f"was not read, since the archive {fault}")
        )


def own_record(
    uri: str, outline: Outline, generation: int | None, job_id: str | None = None
) -> FileRecord | None:
    """The record of an archive itself: that it is at fault, or what was passed over in it. None where neither is so."""
    if outline.fault:
        return FileRecord(uri, "failed", generation, error=outline.fault, note=outline.note, job_id=job_id)
    return FileRecord(uri, "skipped", generation, note=outline.note, job_id=job_id) if outline.note else None


class _Archive:
    """One archive that is read in order. Attributes: outline, generation."""

    def __init__(
        self,
        store: ArchiveStore,
        uri: str,
        options: ReadOptions,
        wanted: Wanted,
        *,
        only: set[str] | None = None,
        version: int | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._store, self._uri, self._options, self._wanted = store, uri, options, wanted
        self._only, self._version = only, version  # the files that are left to be read, where they are named
        self._tell = tell
        self._place = Uri.parse(uri)
        self.outline = Outline()
        self.generation: int | None = None

    def files(self) -> Iterator[ReadFile]:
        with self._store.open_read(self._uri) as stream:
            self.generation = stream.generation
            if self._only is not None and self.generation != self._version:
                raise ObjectChangedError(self._uri, "was replaced since the files in it were listed")
            intake = BufferedStream(stream)
            if compression_of(intake.peek(HEAD_BYTES)) != ZIP:
                found = scan_in_order(intake, self._place.written_path)
                yield from self._members(found, stream)
                if not self.outline.fault and not self._place.members:
                    stream.verify()
            elif self._place.members and not isinstance(stream, RangeReader):
                with Spooled(stream, intake) as copy:
                    yield from self._members(scan(copy, copy, self._place.written_path), copy)
            else:
                yield from self._members(scan(intake, stream, self._place.written_path), stream)
            if self.outline.fault:
                stream.prove()

    def _members(self, found: Scan | None, stream: ReadStream) -> Iterator[ReadFile]:
        if found is None:
            raise BadFileError(_NO_ARCHIVE, of_the_file=True)
        of = self._wanted.of(self._uri)
        seen: set[int] = set()
        missing = of.missing()
        told = Told()
        for member in found:
            name = self._place.of(member.name)
            inside = of.holds_wanted(name)
            if not self._is_wanted(name, of, inside=inside):
                if self._tell is not None and of.is_in_folder(name):
                    self._tell(name, member.size)
                continue
            missing.found(name)
            if (number := hash(member.name)) in seen:
                told.pass_over(_AGAIN, member.name)
                continue
            seen.add(number)
            yield from self._files_of(_Current(name, member, stream, found), inside=inside)
        self.outline = found.outline
        if not self.outline.fault:
            self.outline.fault = told.note()
        for missed in missing.names() if self._only is None else ():
            yield read_file(self._store, missed, self._options)

    def _is_wanted(self, uri: str, of: WantedMembers, *, inside: bool) -> bool:
        if self._only is None:
            return inside or of.takes(uri)
        if uri not in self._only:
            return False
        self._only.discard(uri)
        return True

    def _files_of(self, current: _Current, *, inside: bool) -> Iterator[ReadFile]:
        """One member, or the files in it, where it is an archive."""
        store, uri = self._store.holding(current), current.place
        if inside and len(current.place.members) < DEEPEST:
            yield from read_members(store, uri, self._options, self._wanted, self._tell)
        else:
            file = read_file(store, uri, self._options)
            yield from files_in(file, self._options, self._wanted, self._tell)


class _Current:
    """The member at which a scan stands: opened out of it once, and after that as any other."""

    def __init__(self, place: Uri, member: Member, archive: ReadStream, found: Scan) -> None:
        self.place = place
        self._member, self._archive, self._scan = member, archive, found
        self._taken = False

    def open(self, store: ArchiveStore, uri: Uri) -> ReadStream | None:
        if uri != self.place or self._taken:
            return None
        if not self._scan.is_in_order:
            reader = ZipReader if self._member.entry else RangeReader
            return reader(uri, self._member, Ahead(self._archive, 0, b""))
        self._taken = True
        return StreamedReader(
            uri, self._member, self._archive, self._scan, lambda: store.open_read(uri), owned=False
        )


def _unwanted(file: ReadFile, wanted: Wanted) -> Iterator[ReadFile]:
    """What is on record where a file is no archive, or cannot be read, and only members of it were wanted."""
    file.lines.drop()
    uri, of = file.record.uri, wanted.of(file.record.uri)
    if file.record.status == "failed":
        reason = f"what it should be in {file.record.error}"
    else:
        reason = "is in no archive: what is named as one is neither a tar, compressed or not, nor a zip"
    for name in sorted(of.literal):
        yield ReadFile(FileRecord(name, "failed", file.record.generation, error=reason))
    if of.globs:
        error = file.record.error or _NO_ARCHIVE
        yield ReadFile(FileRecord(uri, "failed", file.record.generation, error=error))

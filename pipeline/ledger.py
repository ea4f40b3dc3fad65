"""One record for each input file, and the reconciliation of all of them with what was written.

A record is one JSON object on a line of ledger/ledger-*.ndjson:

    uri          the file, as it was listed; a member of an archive is ARCHIVE!/NAME
    generation   which version of the object was read, of a member its archive's; null for a local file
    size         compressed bytes read, all of them when status is complete; of a skipped file those it has
    codec        what the bytes were decoded as; null when that was not found out
    rawBytes     bytes decoded, up to the fault if there was one
    lines        lines of this file in the output, with a view its rows; 0 when skipped, or failed unless partial
                 files were to be kept
    outputBytes  the bytes of those lines: rawBytes, and one for each line end that was missing
    crc32c       of the compressed bytes, base64, as the bucket shows it; null if not all of them were read
    status       complete | failed | skipped: not read, since another file of the selection holds the same records,
                 or since it is no data that lies beside data in an archive; or an archive itself, whose files have
                 records of their own, and whose note has what was passed over in it
    error        why it failed, for a person to read; else null
    note         what is worth knowing of a complete one, such as a name that says another codec, files in a zip that
                 were passed over as no data, padding behind its end, or that it looks like a JSON array or CSV and
                 not like NDJSON; or null
    seconds      spent reading and decoding it, without those for which it waited for a core
    wireSeconds  of these, waiting for the store
    diskSeconds  of these, writing its lines to the temporary disk
    jobId        the job that read it; null in ledgers from before records had it, as the next three are
    shard        the file of output/ in which its lines begin; null when it has none
    offset       the byte of that shard at which they begin. They are outputBytes bytes in one piece, and go on at
                 the beginning of the next shard where that one ends before them
    outputCrc32c of those bytes, base64; null when there are none

With a view (`pipeline.sources.view`) there are besides, all null or left out without one:

    rows         rows of this file in the output, as `lines` says
    badLines     its lines that do not decode, passed over; the first of them are in `note` with their numbers
    pieces       where its rows are, if the output is divided into folders and they are in several places: for each
                 {shard, offset, rows, crc32c}; `shard` and `offset` are then of the first, and outputCrc32c is null

In Parquet and in a workbook `offset` is the row of the shard at which the file's rows begin, from 0 on, outputBytes is
0 since no bytes are one file's alone, and outputCrc32c is of the rows (`pipeline.rows.checksum`), but for the columns
that name folders. In NDJSON and CSV all is as for lines; in CSV the first bytes of each shard are its header and no
file's.

In a job's temporary ledger `shard` is the part that the lines were written to (`pipeline.write.line_offsets`
resolves it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from pipeline.errors import JobError, ReconciliationError, TooManyFailuresError
from pipeline.job_options import FORMATS
from pipeline.uri import SEPARATOR

_EMPTY = "is empty"


@dataclass(frozen=True)
class Piece:
    """Rows of one file that are in one place of the output."""

    shard: str
    offset: int
    rows: int
    crc32c: str


@dataclass(frozen=True)
class FileRecord:
    """What became of one input file; the module's docstring has the fields."""

    uri: str
    status: str
    generation: int | None = None
    size: int = 0
    codec: str | None = None
    raw_bytes: int = 0
    lines: int = 0
    output_bytes: int = 0
    crc32c: str | None = None
    error: str | None = None
    note: str | None = None
    seconds: float = 0.0
    wire_seconds: float = 0.0
    disk_seconds: float = 0.0
    job_id: str | None = None
    shard: str | None = None
    offset: int | None = None
    output_crc32c: str | None = None
    rows: int | None = None
    bad_lines: int = 0
    pieces: tuple[Piece, ...] | None = None

    @property
    def was_read(self) -> bool:
        """Whether its bytes came, so that where it failed they are why; else it failed for a fault of the store.

        A member of an archive may be refused for what the archive says of it.
        """
        return self.size > 0 or SEPARATOR in self.uri or (self.error or "").startswith(_EMPTY)

    def to_line(self) -> bytes:
        """One line of the ledger, with its end. Names that are no UTF-8 (local ones may be) are escaped."""
        return json.dumps(self.to_json(), separators=(",", ":")).encode() + b"\n"

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object, by the names of the ledger."""
        document = {_NAMES.get(name, name): value for name, value in vars(self).items()}
        if self.rows is None:
            for name in _OF_A_VIEW:
                del document[name]
        elif self.pieces is not None:
            document["pieces"] = [vars(piece) for piece in self.pieces]
        return document

    @classmethod
    def from_line(cls, line: bytes) -> FileRecord:
        """The inverse of `to_line`; fields of a later version are left out."""
        fields = {name: _NAMES.get(name, name) for name in cls.__dataclass_fields__}
        document: dict[str, Any] = json.loads(line)
        values = {name: document[key] for name, key in fields.items() if key in document}
        if values.get("pieces") is not None:
            values["pieces"] = tuple(Piece(**piece) for piece in values["pieces"])
        return cls(**values)


_NAMES = {
    "raw_bytes": "rawBytes",
    "output_bytes": "outputBytes",
    "wire_seconds": "wireSeconds",
    "disk_seconds": "diskSeconds",
    "job_id": "jobId",
    "output_crc32c": "outputCrc32c",
    "bad_lines": "badLines",
}
_OF_A_VIEW = ("rows", "badLines", "pieces")


@dataclass(frozen=True)
class Totals:
    """Sums over records, or over anything that can be added up: they merge in any order."""

    complete: int = 0
    failed: int = 0
    skipped: int = 0
    noted: int = 0
    skipped_bytes: int = 0
    size: int = 0
    raw_bytes: int = 0
    output_bytes: int = 0
    lines: int = 0
    bad_lines: int = 0

    @property
    def listed(self) -> int:
        return self.complete + self.failed + self.skipped

    def add(self, record: FileRecord) -> Totals:
        if record.status == "skipped":
            return replace(self, skipped=self.skipped + 1, skipped_bytes=self.skipped_bytes + record.size)
        good = record.status == "complete"
        return replace(
            self,
            complete=self.complete + good,
            failed=self.failed + (not good),
            noted=self.noted + (record.note is not None),
            size=self.size + record.size,
            raw_bytes=self.raw_bytes + record.raw_bytes,
            output_bytes=self.output_bytes + record.output_bytes,
            lines=self.lines + record.lines,
            bad_lines=self.bad_lines + record.bad_lines,
        )

    def merge(self, other: Totals) -> Totals:
        mine, theirs = asdict(self), asdict(other)
        return Totals(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True, order=True)
class Part:
    """One file that a worker wrote under a temporary name."""

    uri: str
    size: int  # bytes
    lines: int  # or rows
    crc32c: str | None
    generation: int = 0  # 0 where it was not told
    folder: str = ""  # below output/, of rows that are divided into folders; it ends in "/"
    header: int = 0  # bytes at the beginning that are no file's

    @property
    def name(self) -> str:
        """Its name in the folder that it is in."""
        return self.uri.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """What its bytes are, as its name says."""
        ending = self.uri.rpartition(".")[2]
        return ending if ending in FORMATS else "ndjson"


class Written(Protocol):
    """What was written: a part, or the sums over some."""

    @property
    def lines(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def header(self) -> int: ...


def reconcile(
    listed: int,
    totals: Totals,
    output: Iterable[Written],
    ledger: Iterable[Written],
    where: str,
    *,
    unit: str = "lines",
    by_bytes: bool = True,
) -> None:
    """Compare what was listed, what the records say, and what was written; `unit` is lines or rows.

    by_bytes  whether each byte of the output is one file's, so that the bytes have to agree as well

    Raises ReconciliationError with every difference: that is a fault in chimera or under it, never in the
    input, and nothing may be published then.
    """
    output, ledger = list(output), list(ledger)
    accounts = [
        ("files listed", listed, "files in the ledger", totals.listed),
        ("lines in the ledger's files", sum(p.lines for p in ledger), "files in the ledger", listed),
        (f"{unit} by the ledger", totals.lines, f"{unit} in the output", sum(p.lines for p in output)),
    ]
    if by_bytes:
        written = sum(p.size - p.header for p in output)
        accounts.append(("bytes by the ledger", totals.output_bytes, "bytes in the output", written))
    wrong = [
        f"{left:,} {what} but {right:,} {other}" for what, left, other, right in accounts if left != right
    ]
    if wrong:
        raise ReconciliationError(
            f"{where}: {'; '.join(wrong)}. Nothing was published; run the job again, and report this"
        )


def judge(totals: Totals, max_failures: int | None, where: str) -> None:
    """Raise TooManyFailuresError when every file failed, or more than the job allows; JobError for none read."""
    total = totals.complete + totals.failed
    if totals.skipped and not total:
        raise JobError(
            f"all {totals.skipped:,} files were skipped, each for another that holds the same, or as no data; {where} "
            "has the reason for each, and every-file reads them all, but for what is no data"
        )
    if not total:
        raise JobError("no file matches any more: the selection was emptied after the job was submitted")
    if not totals.complete:
        what = f"all {total:,} files" if total != 1 else "the one file"
        raise TooManyFailuresError(
            f"{what} failed; {where} has the reason{' for each' if total != 1 else ''}"
        )
    if max_failures is not None and totals.failed > max_failures:
        raise TooManyFailuresError(
            f"{totals.failed:,} of {total:,} files failed, and max-failures allows {max_failures:,}; "
            f"{where} has the reason for each"
        )

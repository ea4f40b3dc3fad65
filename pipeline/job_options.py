"""The options of a job: one row each, of which command lines, form, code and documentation are made.

How a Dataflow job runs besides is `chimera_nb.dataflow_options`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pipeline.errors import RefusedError, UnknownNameError
from pipeline.options import Option
from pipeline.user_project import USER_PROJECT, check_user_project

MAX_SHARDS = 99_999  # five digits in output-00000-of-NNNNN.ndjson
FORMATS = ("ndjson", "parquet", "csv", "xlsx")
TEXT_FORMATS = ("ndjson", "csv")  # those of which each byte is one file's, but for a header
LAST = "last"  # in place of a job: the target's own last one
RAW = "raw"  # in place of a view: a file's lines as they are
MAX_RATIO = 1000  # gzip cannot pass 1,032, and market files come to about 15
RATIO_FROM = 16 << 20  # raw bytes: less is no harm, and small honest files may compress to next to nothing
SPLIT_MB = 256  # half a minute of one core
BUDGET = r"(\d{1,9}(?:\.\d{1,6})?)(h?)"  # an amount, or worker-hours


def check_budget(text: str | None) -> None:
    """Raise RefusedError for what is neither an amount nor worker-hours."""
    if text is not None and (not re.fullmatch(BUDGET, text) or not float(text.rstrip("h"))):
        raise RefusedError(
            f"budget is {text!r}; give an amount in the currency of the prices (12.50), or hours of one machine (8h)"
        )


def check_manifest(uri: str | None) -> None:
    """Raise RefusedError for what cannot be the manifest of an inventory report."""
    if uri is not None and not uri.endswith("_manifest.json"):
        raise RefusedError(
            f"inventory is {uri!r}; give the URI of a report's manifest, gs://BUCKET/..._manifest.json"
        )


def check_format(name: str) -> None:
    """Raise UnknownNameError for what is no format of rows."""
    if name not in FORMATS:
        raise UnknownNameError("format", name, list(FORMATS))


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """How a job reads and writes. `pipeline.spec.JobSpec` checks them."""

    source: Annotated[
        str, Option("The source plugin; `chimera sources` lists them", part="read", label="Source")
    ] = "ndjson"
    view: Annotated[
        str,
        Option(
            "The table that is made of the records, a view of the source; raw: their lines as they are",
            metavar="NAME",
            part="read",
            label="View",
            hint="The table that is made of the records. Left open: their lines as they are.",
        ),
    ] = RAW
    view_options: Annotated[
        str | None,
        Option(
            "The view's own options, as NAME=VALUE with commas between them",
            unset="as the view has them",
            metavar="NAME=VALUE,...",
            part="read",
            label="View options",
            placeholder="as the view has them",
        ),
    ] = None
    format: Annotated[
        str,
        Option(
            f"How a view's rows are written: {', '.join(FORMATS)}",
            check=check_format,
            metavar="NAME",
            part="write",
            label="Format",
        ),
    ] = "ndjson"
    partition_by: Annotated[
        str | None,
        Option(
            "Columns of the view by which Parquet is divided into folders, with commas between them",
            unset="one folder",
            metavar="COLUMN,...",
            part="write",
            label="Partition by",
            placeholder="one folder",
        ),
    ] = None
    every_file: Annotated[
        bool,
        Option(
            "Read every file of the selection: also those whose names the source passes over, and those that hold what "
            "another one holds",
            part="more",
            label="Read every file of the selection",
        ),
    ] = False
    newest: Annotated[
        bool,
        Option(
            "Read the newest version of a file that was replaced after it was listed; else it has failed",
            part="more",
            label="Read the newest version of a file that is replaced meanwhile",
        ),
    ] = False
    inventory: Annotated[
        str | None,
        Option(
            "Take the files from a Storage Insights inventory report in place of a listing, by the URI of its manifest",
            unset="the bucket is listed",
            check=check_manifest,
            once=True,
            metavar="MANIFEST",
        ),
    ] = None
    since: Annotated[
        str | None,
        Option(
            "Read only files that are new or replaced since this job, and write beside its output what adds to it; a "
            f"job's id, the folder that it wrote, or {LAST}: the last job that wrote to the target or added to it",
            unset="every file of the selection is read",
            once=True,
            metavar=f"JOB|TARGET|{LAST}",
        ),
    ] = None
    shards: Annotated[
        int | None,
        Option(
            "How many output files",
            unset="as the workers find fastest",
            least=1,
            most=MAX_SHARDS,
            part="write",
            label="Output files",
            placeholder="as is fastest",
        ),
    ] = None
    keep_partial: Annotated[
        bool,
        Option(
            "Keep what was read of a file before its fault",
            part="more",
            label="Keep what was read of a file before its fault",
        ),
    ] = False
    max_failures: Annotated[
        int | None,
        Option(
            "Fail the job if more files than this fail",
            unset="a job fails when all of its files do",
            part="more",
            label="Max failed files",
            placeholder="any number",
        ),
    ] = None
    max_bad_lines: Annotated[
        int,
        Option(
            "Fail a file of a view if more of its lines than this do not decode",
            part="more",
            label="Max bad lines",
            placeholder="0",
            hint="Of a file, with a view; a file of more lines that do not decode has failed.",
        ),
    ] = 0
    max_ratio: Annotated[
        int,
        Option(
            "Fail a file of more raw bytes for each stored byte, from 16 MiB on",
            zero="no bound",
            part="more",
            label="Max ratio",
            placeholder=f"{MAX_RATIO:,}",
            hint="Unpacked bytes for each stored byte; a file of more has failed, as a bomb. 0: no bound.",
        ),
    ] = MAX_RATIO
    spool_mb: Annotated[
        int | None,
        Option(
            "MB of temporary disk for each process, beyond which a file is read twice",
            unset="half of what is free",
            part="more",
            label="Temporary disk, MB",
            placeholder="half of it",
            hint="Of each process; a file that does not fit is read twice. Left open: half of what is free.",
        ),
    ] = None
    split_mb: Annotated[
        int | None,
        Option(
            "Decode a file of so many MB or more by several workers, where it has blocks: bz2, and xz, zstd and "
            "gzip (BGZF) of several",
            unset=f"{SPLIT_MB:,}",
            zero="never",
            part="more",
            label="Split files from, MB",
            placeholder=f"{SPLIT_MB:,}",
            hint="A larger file is decoded by several workers, where its format has blocks. 0: never.",
        ),
    ] = None
    budget: Annotated[
        str | None,
        Option(
            "Refuse or cancel the job when it would come to more than this: an amount of money, or worker-hours (8h)",
            unset="no bound",
            check=check_budget,
            metavar="AMOUNT|HOURSh",
            part="more",
            label="Budget",
            placeholder="no bound",
            hint="An amount (12.50) or machine hours (8h); a job that would pass it is refused, or cancelled.",
        ),
    ] = None
    overwrite: Annotated[
        bool,
        Option(
            "Replace the output that the target holds",
            once=True,
            part="write",
            label="Replace what is there",
        ),
    ] = False
    user_project: Annotated[
        str | None,
        Option(
            "The project to be billed where a bucket's requesters pay",
            unset=USER_PROJECT,
            check=check_user_project,
            variable=USER_PROJECT,
            metavar="PROJECT",
            part="more",
            label="Billed project",
            placeholder="my-team-1234",
            hint="Billed where a bucket's requesters pay. Left open: as the settings say.",
        ),
    ] = None

"""%chimera in a notebook, after `%load_ext chimera_nb`: the first look, in few keys. Each gives a DataFrame.

    %chimera ls URI                      what is in a folder, or what a glob matches; gs:// for the buckets
    %chimera peek URI [N]                the first records of a file
    %chimera sample PATH... [-n N] [-s SEED] [--source NAME]
                                         a uniform sample of many
    %chimera jobs [N]                    the newest jobs

`frame = %chimera peek …` keeps it. Python values go in braces: `%chimera peek {uri}`.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class

from chimera_nb.jobs.log.entries import Entry, UnreadableRecord
from chimera_nb.session import Session, connect
from pipeline.errors import ChimeraError, NothingMatchesError, RefusedError
from pipeline.glob import Pattern
from pipeline.inputs.selection import list_matches
from pipeline.printable import printable
from pipeline.storage import Store
from pipeline.uri import has_glob, join_uri, split_uri

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 1000


@magics_class
class ChimeraMagics(Magics):
    """The line magic %chimera."""

    @line_magic
    def chimera(self, line: str) -> pd.DataFrame | None:
        """See the module's docstring. What goes wrong is said in one line, without a traceback."""
        try:
            return run(line)
        except ChimeraError as e:
            print(printable(e), file=sys.stderr)  # noqa: T201
        return None


def run(line: str) -> pd.DataFrame:
    """What one line asks for. Raises RefusedError for a line that cannot be read, and what the call raises."""
    try:
        words = shlex.split(line)
    except ValueError as e:
        raise RefusedError(f"%chimera {line}: {e}; close the quote") from e
    asked = vars(_parser().parse_args(words))
    call = asked.pop("call")
    frame: pd.DataFrame = call(**asked)
    return frame


def ls(uri: str) -> pd.DataFrame:
    """The folders and objects right in a folder, or what a glob matches; the first thousand."""
    import pandas as pd

    store = Session().store_for(uri)
    found = list(islice(_listed(store, uri), _LISTED))
    if not found:
        raise NothingMatchesError(f"nothing is in {uri}, and no file matches it; check its name", [uri])
    frame = pd.DataFrame(found, columns=["uri", "size", "updated"])
    return frame.astype({"uri": "string", "size": "Int64", "updated": "string"})


def jobs(n: int) -> pd.DataFrame:
    """The newest jobs."""
    import pandas as pd

    with connect() as session:
        entries = session.service.list(limit=n).entries
    rows = [_job(entry) for entry in entries]
    names = ["job", "status", "created", "source", "files", "failed", "lines", "target", "error"]
    frame = pd.DataFrame(rows, columns=names)
    texts = dict.fromkeys(("job", "status", "source", "target", "error"), "string")
    return frame.astype({**texts, **dict.fromkeys(("files", "failed", "lines"), "Int64")})


def _job(entry: Entry) -> dict[str, Any]:
    import pandas as pd

    if isinstance(entry, UnreadableRecord):
        created = pd.to_datetime(entry.created_at, errors="coerce", utc=True)
        return {"job": entry.job_id, "status": "unreadable", "created": created, "error": entry.problem}
    return {
        "job": entry.job_id,
        "status": entry.status_word,
        "created": pd.Timestamp(entry.created_at),
        "source": entry.source_type,
        "files": entry.progress.get("filesComplete"),
        "failed": entry.progress.get("filesFailed"),
        "lines": entry.progress.get("lines"),
        "target": join_uri(entry.target_bucket, entry.output_prefix),
        "error": entry.error,
    }


def _listed(store: Store, uri: str) -> Any:
    """(URI, size, time of change) of what is there; a folder's URI ends in "/" and has neither."""
    if uri == "gs://":
        yield from ((f"gs://{name}/", None, None) for name in store.list_buckets())
        return
    _, path = split_uri(uri)
    if has_glob(path):
        Pattern(path)
        yield from ((entry.uri, entry.size, entry.updated) for entry in list_matches(store, uri))
        return
    empty = True
    for page in store.list_folder(uri if uri.endswith("/") else f"{uri}/"):
        for folder in page.folders:
            empty = False
            yield folder, None, None
        for entry in page.objects:
            empty = False
            yield entry.uri, entry.size, entry.updated
    if empty and path and not path.endswith("/") and store.exists(uri):
        entry = store.stat(uri)
        yield entry.uri, entry.size, entry.updated


def _peek(uri: str, n: int) -> pd.DataFrame:
    from chimera_nb.data.sampling.sample import peek

    return peek(uri, n)


def _sample(paths: Sequence[str], n: int, seed: int, source: str) -> pd.DataFrame:
    from chimera_nb.data.sampling.sample import sample

    return sample(paths, n, seed=seed, source=source)


class _Parser(argparse.ArgumentParser):
    """One that raises where the usual one ends the process."""

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise RefusedError(f"{message}; write {usage}")


def _parser() -> argparse.ArgumentParser:
    top = _Parser(prog="%chimera", add_help=False)
    commands = top.add_subparsers(required=True, metavar="ls|peek|sample|jobs", parser_class=_Parser)
    one = commands.add_parser("ls", add_help=False)
    one.add_argument("uri")
    one.set_defaults(call=ls)
    one = commands.add_parser("peek", add_help=False)
    one.add_argument("uri")
    one.add_argument("n", type=int, nargs="?", default=10)
    one.set_defaults(call=_peek)
    one = commands.add_parser("sample", add_help=False)
    one.add_argument("paths", nargs="+")
    one.add_argument("-n", type=int, default=1000)
    one.add_argument("-s", "--seed", type=int, default=0)
    one.add_argument("--source", default="ndjson")
    one.set_defaults(call=_sample)
    one = commands.add_parser("jobs", add_help=False)
    one.add_argument("n", type=int, nargs="?", default=20)
    one.set_defaults(call=jobs)
    return top

"""%chimera in a notebook, after `%load_ext chimera_nb`: the first look, in few keys. Each gives a DataFrame.

    %chimera ls URI                      what is in a folder, or what a glob matches; gs:// for the buckets
    %chimera peek URI [N] [--view NAME]  the first records of a file, or rows of a view of it
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
from typing import TYPE_CHECKING, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class

from chimera_nb.data.listing import ls
from chimera_nb.job_handle import jobs
from pipeline.errors import ChimeraError, RefusedError
from pipeline.printable import printable

if TYPE_CHECKING:
    import pandas as pd


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


def _peek(uri: str, n: int, view: str | None) -> pd.DataFrame:
    from chimera_nb.data.sampling.sample import peek

    return peek(uri, n, view=view)


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
    usage = "%%chimera peek uri [n] [--view NAME]"
    one = commands.add_parser("peek", add_help=False, usage=usage)
    one.add_argument("uri")
    one.add_argument("n", type=int, nargs="?", default=10)
    one.add_argument("--view")
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

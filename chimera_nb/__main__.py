"""`chimera`, and `python -m chimera_nb`: the command line, and what its exit codes mean.

0 done, 1 the job failed or something is out of order, 2 the input was refused.

Whatever happens ends in one line. What was not foreseen shows its traceback where CHIMERA_TRACEBACK is set.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence

from pipeline.errors import ChimeraError, JobNotFoundError, ObjectNotFoundError, RefusedError
from pipeline.imports import import_for_good
from pipeline.printable import guard_terminal, let_go_of, printable
from pipeline.storage import access_policy

TRACEBACK_VARIABLE = "CHIMERA_TRACEBACK"
_REFUSED = (RefusedError, JobNotFoundError, ObjectNotFoundError)
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    guard_terminal()
    logging.getLogger(access_policy.__name__).setLevel(
        logging.ERROR
    )  # what it refuses, a command says itself
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except OSError as e:  # nobody reads what is printed, or it cannot be written
        let_go_of(sys.stdout)
        code = 1
        if not isinstance(e, BrokenPipeError):
            _say(f"error: standard output cannot be written: {e.strerror or e}")
    try:
        sys.stderr.flush()
    except OSError:
        let_go_of(sys.stderr)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """The exit code of a command. Raises OSError for standard output alone."""
    try:
        import_for_good("chimera_nb.cli")
        from chimera_nb.cli import run

        run(arguments)
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as e:
        if os.environ.get(TRACEBACK_VARIABLE) and not isinstance(e, ChimeraError):
            raise
        sys.stdout.flush()  # where that is what cannot be done, it is said, and nothing else
        refused = isinstance(e, _REFUSED)
        _say(f"{'refused' if refused else 'error'}: {explained(e)}")
        if "--json" in arguments:
            document = {"error": {"kind": type(e).__name__, "message": explained(e)}}
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return 2 if refused else 1
    return 0


def explained(error: Exception) -> str:
    """What went wrong, in one line: our errors in their own words, the system's with the path."""
    if isinstance(error, ChimeraError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"{package} is not installed here; install all of it: pip install 'chimera-nb[notebook,local]'"
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{where}{error.strerror}"
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return f"{said}; this was not foreseen: set {TRACEBACK_VARIABLE}=1 to see where it was, and report it"


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()

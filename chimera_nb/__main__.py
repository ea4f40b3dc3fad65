"""`chimera`, and `python -m chimera_nb`: the command line, and what its exit codes mean.

0 done, 1 the job failed or something is out of order, 2 the input was refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from chimera_nb.cli import app
from pipeline.errors import ChimeraError, JobNotFoundError, ObjectNotFoundError, RefusedError
from pipeline.printable import guard_terminal, printable

_REFUSED = (RefusedError, JobNotFoundError, ObjectNotFoundError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    guard_terminal()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="chimera")
    except ChimeraError as e:
        refused = isinstance(e, _REFUSED)
        print(printable(f"{'refused' if refused else 'error'}: {e}"), file=sys.stderr)  # noqa: T201
        if "--json" in given:
            print(json.dumps({"error": {"kind": type(e).__name__, "message": str(e)}}, indent=2))  # noqa: T201
        sys.exit(2 if refused else 1)


if __name__ == "__main__":
    main()

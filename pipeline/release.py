"""The last act of a process that is told to end: `python -m pipeline.release EXIT_CODE SPEC`.

The process goes on as this one, under its own id: that ends all of its threads at once. A thread that still read, wrote
or renamed could leave something after the clean-up.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from pipeline.errors import ChimeraError
from pipeline.interruption import ignore
from pipeline.printable import guard_terminal, printable
from pipeline.spec import JobSpec
from pipeline.storage import PERSON, PlainStore, bounded
from pipeline.storage.access_policy import AccessLists
from pipeline.target.lifecycle import abandon_target


def give_back(spec: JobSpec, exit_code: int) -> NoReturn:
    """Leave nothing of this process's job but its ledger, and end with that exit code; 0 if its output is whole."""
    short = replace(spec, inputs=spec.inputs[:1])  # an argument has 128 KiB on Linux
    go_on_as("pipeline.release", str(exit_code), json.dumps(short.to_json()))


def go_on_as(module: str, *arguments: str) -> NoReturn:
    """Run a module as this very process, from here on. SIGTERM and SIGINT are ignored in it from the first moment."""
    ignore()
    sys.stdout.flush()
    sys.stderr.flush()
    safe_path = ["-P"] if sys.flags.safe_path else []
    given = [argument.replace("\0", "\\0") for argument in arguments]
    os.execv(sys.executable, [sys.executable, *safe_path, "-m", module, *given])  # noqa: S606 - no shell is wanted


def main(arguments: Sequence[str]) -> int:
    code, document = arguments
    spec = JobSpec.from_json(json.loads(document))
    try:
        plain = PlainStore(PERSON, user_project=spec.user_project)
        summary = abandon_target(bounded(plain, AccessLists.from_environment()), spec)
    except ChimeraError as e:
        print(printable(f"failed: the target cannot be given back: {e}"), file=sys.stderr)  # noqa: T201
        return int(code)
    if summary is not None:  # the signal came too late
        print(json.dumps(summary, indent=2))  # noqa: T201
        return 0
    print(printable(f"target {spec.target} is given back"), file=sys.stderr)  # noqa: T201
    return int(code)


if __name__ == "__main__":
    guard_terminal()
    sys.exit(main(sys.argv[1:]))

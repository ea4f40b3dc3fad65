"""May this job run: every check that needs the store, before anything is written."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.selection import check_apart, check_inputs, patterns_by_input
from pipeline.spec import JobSpec
from pipeline.target import prepare_target


def admit(spec: JobSpec, is_alive: Callable[[str], bool | None]) -> list[str]:
    """Check the inputs and the target, and take the target; give the patterns, each once, in order.

    `is_alive` is as in `prepare_target`. Raises RefusedError with nothing touched.
    """
    by_input = patterns_by_input(spec)
    patterns = list(dict.fromkeys(pattern for found in by_input.values() for pattern in found))
    check_apart(spec, patterns)
    check_inputs(by_input)
    prepare_target(spec, is_alive)
    return patterns

"""All checks side by side: none waits for another, and none is waited for longer than the time there is."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from chimera_nb.doctor.buckets import bucket_checks
from chimera_nb.doctor.credentials import NETWORK, check_credentials
from chimera_nb.doctor.finding import Check, Finding, fault, ok
from chimera_nb.doctor.host import check_data_folder, check_memory, check_proxies
from chimera_nb.doctor.installed import check_packages, check_python
from chimera_nb.doctor.services import check_dataflow, check_job_log
from chimera_nb.doctor.stack import check_stack
from chimera_nb.session import connect
from chimera_nb.settings import Settings
from pipeline.errors import ChimeraError

SECONDS = 15.0


def examine(
    data_dir: Path | None = None,
    *,
    read: Iterable[str] = (),
    write: Iterable[str] = (),
    seconds: float = SECONDS,
) -> list[Finding]:
    """Every finding, in the order in which a person reads them; back within `seconds`, whatever answers.

    `read` and `write` name buckets (gs://) to be asked about, besides those of the settings. Changes nothing, neither
    here nor elsewhere. Raises RefusedError for what is no bucket.
    """
    checks: list[tuple[str, Check]] = [("python", check_python), ("packages", check_packages)]
    try:
        settings = connect(data_dir=data_dir).settings
    except ChimeraError as e:
        said = [fault("settings", str(e), "correct what it names; chimera doctor looks at the rest then")]
        return [*side_by_side(checks, seconds), *said]
    buckets = bucket_checks(settings, read, write, has_store=_has_store(settings))
    checks += [
        ("settings", lambda: [ok("settings", f"place {settings.place}, job log {settings.job_log}")]),
        ("data folder", lambda: check_data_folder(settings)),
        ("memory", check_memory),
        ("proxy", lambda: check_proxies(settings)),
        ("local stack", lambda: check_stack(settings)),
        ("credentials", lambda: check_credentials(settings)),
        *(("buckets", check) for check in buckets),
        ("dataflow", lambda: check_dataflow(settings)),
        ("job log", lambda: check_job_log(settings)),
    ]
    return side_by_side(checks, seconds)


def side_by_side(checks: Sequence[tuple[str, Check]], seconds: float) -> list[Finding]:
    """The findings of the checks, in their order. One that takes longer than `seconds` has a finding that says so."""
    done: queue.Queue[tuple[int, list[Finding]]] = queue.Queue()

    def run(number: int, name: str, check: Check) -> None:
        try:
            found = list(check())
        except Exception as e:  # noqa: BLE001 - a check that breaks hides no other
            found = [fault(name, f"cannot be looked at: {type(e).__name__}: {e}", "report this")]
        done.put((number, found))

    for number, (name, check) in enumerate(checks):
        # Daemons: what still waits for an answer does not keep the process.
        threading.Thread(target=run, args=(number, name, check), name=f"check {name}", daemon=True).start()
    found = _gathered(done, len(checks), time.monotonic() + seconds)
    late = {
        number: [fault(name, f"no answer within {seconds:g} s", NETWORK)]
        for number, (name, _) in enumerate(checks)
        if number not in found
    }
    return [finding for number in range(len(checks)) for finding in (found | late)[number]]


def _gathered(
    done: queue.Queue[tuple[int, list[Finding]]], count: int, deadline: float
) -> dict[int, list[Finding]]:
    found: dict[int, list[Finding]] = {}
    while len(found) < count:
        try:
            number, findings = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[number] = findings
    return found


def _has_store(settings: Settings) -> bool:
    """Whether there is a store to be asked: with place local, one on this machine."""
    return settings.store.cloud.is_there

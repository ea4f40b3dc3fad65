"""`chimera submit --every`: what runs a job again and again, as texts for cron, systemd and Cloud Scheduler.

Each run reads what came since the last complete one (`--since last`), whenever that was: of runs that were missed, the
next one reads all, once.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from chimera_nb.widgets.job_form.as_code import shell_command
from pipeline.errors import RefusedError
from pipeline.folders import current_folder
from pipeline.spec import JobSpec

_EVERY = re.compile(r"([1-9]\d{0,3})([mhdw])")
_MOST_INPUTS = 20
_TEXT = """\
# Every {every}, each time only what is new or replaced since the last complete run. A run that was missed
# is caught up by the next one, once. Choose one of these; nothing was submitted.

# cron (crontab -e). flock leaves a run out while the one before it goes on.
{cron}

# systemd: a timer, which makes up for a missed run as soon as the machine is on again (Persistent).
# {folder}.service
{service}
# {folder}.timer
{timer}
systemctl --user daemon-reload && systemctl --user enable --now {name}.timer

{cloud}"""
_OVER_CLOUD_RUN = """\
# Cloud Scheduler, over a job of Cloud Run: the image of the Dockerfile; set PROJECT, REGION, IMAGE, ACCOUNT,
# and the environment as docs/deploy.md has it.
"""
_NO_CLOUD = "# Cloud Scheduler is for --runner dataflow over gs:// alone."


@dataclass(frozen=True)
class Interval:
    """How often: as cron and as systemd have it."""

    text: str
    cron: str
    calendar: str

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Of 30m, 6h, 1d, 1w. Raises RefusedError for others, and for those that cron's fields cannot say."""
        found = _EVERY.fullmatch(text)
        number, unit = (int(found[1]), found[2]) if found else (0, "")
        if unit == "m" and 60 % number == 0 and number < 60:
            return cls(text, f"*/{number} * * * *", f"*:0/{number}")
        if unit == "h" and 24 % number == 0 and number < 24:
            return cls(text, f"0 */{number} * * *", f"0/{number}:00:00")
        if (number, unit) in ((1, "d"), (24, "h")):
            return cls(text, "0 3 * * *", "*-*-* 03:00:00")
        if (number, unit) in ((1, "w"), (7, "d")):
            return cls(text, "0 3 * * 1", "Mon *-*-* 03:00:00")
        raise RefusedError(
            f"--every is {text!r}; give minutes that divide an hour (30m), hours that divide a day (6h), 1d or 1w"
        )


@dataclass(frozen=True)
class Schedule:
    """A command and what runs it; `cloud` is empty where the job is not one of buckets on Dataflow."""

    every: str
    command: tuple[str, ...]
    cron: str
    service: str
    timer: str
    cloud: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "every": self.every,
            "command": [*self.command],
            "cron": self.cron,
            "systemd": {"service": self.service, "timer": self.timer},
            "cloudScheduler": [*self.cloud],
        }

    def text(self) -> str:
        """All of it with the words between."""
        name = name_of(self.command)
        return _TEXT.format(
            every=self.every,
            cron=self.cron,
            folder=f"~/.config/systemd/user/{name}",
            service=self.service,
            timer=self.timer,
            name=name,
            cloud=_OVER_CLOUD_RUN + "\n".join(self.cloud) if self.cloud else _NO_CLOUD,
        )


def schedule_of(
    every: str,
    spec: JobSpec,
    runner: str,
    runner_options: dict[str, Any],
    data_dir: Path | None,
) -> Schedule:
    """What runs `spec` so often. Raises RefusedError for an interval, or inputs, that cannot be scheduled."""
    interval = Interval.parse(every)
    if len(spec.inputs) > _MOST_INPUTS:
        raise RefusedError(
            f"{len(spec.inputs):,} single paths cannot be scheduled, since new files are none of them; give a folder "
            "or a glob"
        )
    folder = None if data_dir is None else Path(current_folder(), data_dir)
    said = shlex.split(shell_command(spec, runner, runner_options, folder).replace("\\\n", " "))
    command = (*_program(), *said[1:], "--wait")
    name = name_of(command)
    locked = shlex.join(["flock", "--nonblock", f"/tmp/{name}.lock", *command])  # noqa: S108 - as cron's users do
    return Schedule(
        every,
        command,
        f"{interval.cron} {locked}".replace("%", r"\%"),
        f"[Unit]\nDescription={shlex.join(said[:2]).replace('%', '%%')}\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={current_folder().replace('%', '%%')}\n"
        f"ExecStart={' '.join(map(_for_systemd, command))}\n",
        f"[Unit]\nDescription={name}\n\n[Timer]\nOnCalendar={interval.calendar}\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n",
        _cloud(name, interval, [*said[1:], "--wait"])
        if runner == "dataflow" and spec.bucket and spec.writes.bucket
        else (),
    )


def name_of(command: Sequence[str]) -> str:
    """A name that another job does not have, and this one each time."""
    return f"chimera-{sha256(repr(tuple(command)).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _program() -> tuple[str, ...]:
    """This program by its full path: a scheduler has a PATH of its own."""
    found = shutil.which("chimera")
    return (found,) if found else (sys.executable, "-m", "chimera_nb")


def _for_systemd(word: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:=,@-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _cloud(name: str, interval: Interval, arguments: Sequence[str]) -> tuple[str, ...]:
    """Cloud Run runs the command, Cloud Scheduler asks it to. With another delimiter, since arguments have commas."""
    given = "^~^" + "~".join(arguments)
    uri = f"https://run.googleapis.com/v2/projects/PROJECT/locations/REGION/jobs/{name}:run"
    run = f"gcloud run jobs create {name} --region=REGION --image=IMAGE --service-account=ACCOUNT"
    ask = f"gcloud scheduler jobs create http {name} --location=REGION --http-method=POST --uri={uri}"
    return (
        f"{run} --task-timeout=24h --max-retries=0 --command=chimera --args={shlex.quote(given)}",
        f"{ask} --schedule={shlex.quote(interval.cron)} --oauth-service-account-email=ACCOUNT",
    )

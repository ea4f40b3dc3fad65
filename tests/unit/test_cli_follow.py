from __future__ import annotations

import pytest
import typer

from chimera_nb.cli.job_commands import follow
from chimera_nb.jobs.record import JobRecord
from pipeline.spec import JobSpec


class Interrupted:
    """A service whose job takes longer than the one who waits has patience."""

    def wait(self, job_id, on_change=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize("as_json", [False, True])
def test_whoever_stops_waiting_is_told_that_the_job_goes_on_and_how_to_see_it(capsys, as_json):
    record = JobRecord.from_spec(JobSpec(("/in",), "/out", "2026-01-31-1a2b3c4d"), runner="direct")
    with pytest.raises(typer.Exit) as caught:
        follow(Interrupted(), record, wait=True, as_json=as_json)
    assert caught.value.exit_code == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        "job 2026-01-31-1a2b3c4d goes on; see it with: chimera jobs show 2026-01-31-1a2b3c4d, "
        "end it with: chimera jobs cancel 2026-01-31-1a2b3c4d"
    )

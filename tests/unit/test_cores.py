from __future__ import annotations

import os

from chimera_nb.jobs.forecast.machine import machine_of
from pipeline.cores import usable_cores


def test_a_process_counts_the_cores_that_it_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 2}, raising=False)
    assert usable_cores() == [2, 5]
    assert machine_of("direct", {}).cores == 2


def test_where_the_system_does_not_tell_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores() == [0, 1, 2]
    assert machine_of("direct", {}).cores == 3

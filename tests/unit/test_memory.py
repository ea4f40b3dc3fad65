"""How much memory may be taken: the machine's, less what its groups of processes (cgroups) bound."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from chimera_nb.machine.memory import available_memory

MB = 1 << 20


def group(folder: Path, version: int, *, limit: str | int, used: int, **pages: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        ("memory.max", "memory.current")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    )
    for name, value in zip(names, (limit, used), strict=True):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(
        "anon 1\n" + "".join(f"{name} {size}\n" for name, size in pages.items())
    )


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    return tmp_path


def test_pages_of_files_are_given_back_in_a_container_of_version_2(root):
    (root / "proc/self/cgroup").write_text("0::/\n")
    group(root / "sys/fs/cgroup", 2, limit=100 * MB, used=95 * MB, inactive_file=60 * MB, active_file=10 * MB)
    assert available_memory(root) == 75 * MB


def test_pages_of_files_are_given_back_in_a_container_of_version_1(root):
    # Docker tells the host's path, and mounts the container's own group at the top.
    (root / "proc/self/cgroup").write_text("9:name=systemd:/docker/x\n4:cpu,memory:/docker/x\n")
    pages = {"total_inactive_file": 60 * MB, "total_active_file": 10 * MB, "inactive_file": 1}
    group(root / "sys/fs/cgroup/memory", 1, limit=100 * MB, used=95 * MB, **pages)
    assert available_memory(root) == 75 * MB


def test_the_narrowest_of_the_groups_around_counts(root):
    (root / "proc/self/cgroup").write_text("0::/user.slice/session.scope\n")
    top = root / "sys/fs/cgroup"
    group(top / "user.slice", 2, limit=50 * MB, used=20 * MB, inactive_file=5 * MB)
    group(top / "user.slice/session.scope", 2, limit="max", used=19 * MB)
    assert available_memory(root) == 35 * MB


def test_a_group_that_is_full_leaves_nothing(root):
    (root / "proc/self/cgroup").write_text("0::/\n")
    group(root / "sys/fs/cgroup", 2, limit=100 * MB, used=130 * MB)
    assert available_memory(root) == 0


@pytest.mark.parametrize("limit", ["max", "9223372036854771712", "rubbish"])
def test_without_a_limit_it_is_the_machines(root, limit):
    (root / "proc/self/cgroup").write_text("0::/\n4:memory:/\n")
    group(root / "sys/fs/cgroup", 2, limit=limit, used=MB)
    group(root / "sys/fs/cgroup/memory", 1, limit=limit, used=MB)
    assert available_memory(root) == pytest.approx(psutil.virtual_memory().available, rel=0.5)


def test_a_machine_without_groups_has_its_own(tmp_path):
    assert available_memory(tmp_path) > MB

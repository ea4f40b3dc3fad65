from __future__ import annotations

import bz2
import json
import sys
import threading
from pathlib import Path

import psutil
import pytest

from benchmarks import __main__ as bench
from benchmarks import run as runs
from benchmarks.command import run
from benchmarks.data import find_lbzip2, many_files
from benchmarks.row import BenchmarkError, Context, Goal, MissingPeerError, Row, median_ratio, slope, table

MET = Row("speed", 88.4, "MB/s", Goal(at_least=0.5), "lbzip2 -n2", 120.0, 0.74)
MISSED = Row("speed", 30.0, "MB/s", Goal(at_least=5), "ReadFromText", 11.0, 2.73)
LIGHT = Row("memory", 320.0, "MB", Goal(under=400))


def test_a_slope_leaves_out_what_is_paid_once() -> None:
    start_up, speed = 4.0, 50e6
    once, twice = start_up + 175e6 / speed, start_up + 350e6 / speed
    assert slope(175_000_000, once, 350_000_000, twice) == pytest.approx(50)


def test_a_slope_that_does_not_rise_is_no_result() -> None:
    with pytest.raises(BenchmarkError, match="too busy"):
        slope(1, 3.0, 2, 3.0)


def test_ratios_are_taken_pair_by_pair() -> None:
    # The middle of the ratios, not the ratio of the middles: those are 50 / 100.
    assert median_ratio([50, 80, 10], [100, 100, 40]) == 0.5
    assert median_ratio([60, 50, 10], [100, 10, 40]) == 0.6
    with pytest.raises(ValueError, match="zip"):
        median_ratio([1, 2], [1])


def test_a_goal_is_met_by_the_ratio_or_by_our_own_figure() -> None:
    assert MET.ok
    assert LIGHT.ok
    assert not MISSED.ok
    assert Row("edge", 1, "MB/s", Goal(at_least=0.5), "p", 2, 0.5).ok
    assert not Row("edge", 400, "MB", Goal(under=400)).ok
    assert not Row("no peer", 1, "MB/s", Goal(at_least=0.5)).ok


def test_the_table_is_aligned_and_says_who_won() -> None:
    head, first, second, third = table([MET, MISSED, LIGHT], judged=True).split("\n")
    assert head.split() == ["what", "ours", "peer", "ratio", "goal", "ok"]
    assert first.split("  ")[-1] == "yes"
    assert second.endswith("NO")
    for line, peer, goal in (
        (first, "lbzip2", ">= 0.5"),
        (second, "ReadFromText", ">= 5"),
        (third, "-", "< 400 MB"),
    ):
        assert line[head.index("peer") :].startswith(peer)
        assert line[head.index("goal") :].startswith(goal)
    assert "NO" not in table([MISSED], judged=False)


def run_main(tmp_path: Path, rows: list[Row], *options: str) -> int:
    results = ["--results", str(tmp_path / "RESULTS.md")]
    return bench.main(
        ["--data-dir", str(tmp_path / "data"), *results, *options], {"fake": lambda context: rows}
    )


def test_a_missed_goal_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(tmp_path, [MET, LIGHT]) == 0
    assert run_main(tmp_path, [MET, MISSED]) == 1
    assert run_main(tmp_path, [MISSED], "--quick") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("cores ")
    assert "apache-beam 2." in first


def test_the_rows_are_written_as_json(tmp_path: Path) -> None:
    run_main(tmp_path, [MET, MISSED], "--json", str(tmp_path / "rows.json"))
    document = json.loads((tmp_path / "rows.json").read_text())
    assert [(row["ratio"], row["ok"]) for row in document["rows"]] == [(0.74, True), (2.73, False)]
    assert {"cores", "Python", "apache-beam"} <= set(document["machine"])


def test_a_failed_measurement_ends_with_1_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(context: Context) -> list[Row]:
        (context.work / "left").write_text("behind")
        raise BenchmarkError("outputs differ")

    assert bench.main(["--data-dir", str(tmp_path)], {"fails": fails}) == 1
    assert "no result: outputs differ" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_fails_is_told_and_costs_no_other_its_result(tmp_path: Path) -> None:
    def breaks(_: Context) -> list[Row]:
        raise OSError("no such page")

    def fails(_: Context) -> list[Row]:
        raise BenchmarkError("outputs differ\nby much")

    written = tmp_path / "RESULTS.md"
    arguments = ["--data-dir", str(tmp_path / "data"), "--results", str(written)]
    benchmarks = {"breaks": breaks, "one": lambda _: [MET], "fails": fails, "two": lambda _: [LIGHT]}
    assert bench.main(arguments, benchmarks) == 1
    told = written.read_text("utf-8")
    for line in (
        "| speed | 88 MB/s | lbzip2 -n2 120 MB/s | 0.74 | >= 0.5 | yes |",
        "| breaks | OSError: no such page |",
        "| fails | outputs differ |",
        "| memory | 320 MB | - | - | < 400 MB | yes |",
    ):
        assert line in told


def test_without_lbzip2_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPeerError):
        find_lbzip2()
    assert bench.main(["--data-dir", str(tmp_path), "--only", "throughput"]) == 2
    assert "apt-get install lbzip2" in capsys.readouterr().err


def test_memory_is_that_of_all_processes_together(tmp_path: Path) -> None:
    # The parent and its child hold 60 MB each until both do.
    child = "x = bytearray(60 << 20); print('held', flush=True); input()"
    parent = f"""
import subprocess, sys, time
x = bytearray(60 << 20)
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
time.sleep(0.3)  # what is measured samples every 20 ms
child.communicate(b"\\n")
"""
    usage = run([sys.executable, "-c", parent], cwd=tmp_path, memory=True)
    assert 120 << 20 < usage.total_bytes < 250 << 20
    assert 60 << 20 < usage.below_bytes < usage.total_bytes - (60 << 20)
    assert 60 << 20 < usage.largest_bytes < 120 << 20
    assert usage.seconds > 0.3


def test_a_command_that_fails_is_no_result_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"(?s)ended with 3:\nthe reason"):
        run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], cwd=tmp_path)


@pytest.mark.parametrize("memory", [False, True])
def test_a_command_past_its_limit_is_stopped_with_what_it_started(tmp_path: Path, *, memory: bool) -> None:
    starts_a_session = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
pathlib.Path("pid").write_text(str(child.pid))
child.wait()
"""
    with pytest.raises(BenchmarkError, match="stopped"):
        run([sys.executable, "-c", starts_a_session], cwd=tmp_path, memory=memory, limit=2)
    assert not is_running(int((tmp_path / "pid").read_text()))


def is_running(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(timeout=10)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return True
    return False


def test_the_files_are_different_markets_and_made_once(tmp_path: Path) -> None:
    made = many_files(tmp_path, 30)  # more than the bases that they are derived from
    paths = sorted(made.twice.rglob("*"))
    files = {path: bz2.decompress(path.read_bytes()) for path in paths if path.is_file()}
    assert len(files) == 60 == len(set(files.values()))
    assert {path.suffix for path in files} == {".bz2"}
    once = [raw for path, raw in files.items() if path.parent == made.once]
    assert len(once) == made.files == 30
    assert sum(map(len, once)) == made.raw_once
    assert sum(map(len, files.values())) == made.raw_twice
    for path, raw in files.items():
        assert abs(len(raw) - 292_000) < 29_200
        assert {json.loads(line)["mc"][0]["id"] for line in raw.splitlines()} == {path.stem}
    stamp = paths[-1].stat().st_mtime_ns
    assert many_files(tmp_path, 30) == made
    assert paths[-1].stat().st_mtime_ns == stamp
    (tmp_path / "files-60.json").write_text("{}")
    paths[-1].unlink()
    assert many_files(tmp_path, 30) == made
    assert paths[-1].exists()


def test_results_have_machine_date_rows_seconds_and_a_profile_of_the_slowest(tmp_path: Path) -> None:
    busy = "import sys, time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: sum(range(100))\n"

    def work(context: Context) -> list[Row]:
        run([sys.executable, "-c", busy], cwd=context.root)
        return [MET]

    written = tmp_path / "RESULTS.md"
    arguments = ["--data-dir", str(tmp_path / "data"), "--results", str(written)]
    assert bench.main(arguments, {"one": work, "two": lambda _: [MISSED], "three": lambda _: []}) == 1
    told = written.read_text("utf-8")
    for part in (
        "| cores |",
        "UTC.",
        "| speed | 88 MB/s | lbzip2 -n2 120 MB/s | 0.74 | >= 0.5 | yes |",
        "| NO |",
    ):
        assert part in told
    assert "## Where one spends its time" in told
    assert "`<string> <module>`" in told
    assert told.count("## Where") == 2


def test_a_quick_run_begins_nothing_after_its_time_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "_QUICK_SECONDS", -1)
    assert run_main(tmp_path, [MET], "--quick") == 0
    assert "left out, since there was no time for them: fake" in capsys.readouterr().out
    assert "fake" in (tmp_path / "RESULTS.md").read_text("utf-8")


def test_a_quick_run_stops_what_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "_QUICK_STOPPED", 0.2)

    def endless(_: Context) -> list[Row]:
        threading.Event().wait(90)
        return [MET]

    options = ["--quick", "--data-dir", str(tmp_path / "data"), "--results", str(tmp_path / "RESULTS.md")]
    assert bench.main(options, {"fake": endless}) == 0
    assert "there was no time left for it" in capsys.readouterr().err

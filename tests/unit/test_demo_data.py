from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chimera_nb.local.demo.bucket import put_demo
from chimera_nb.local.demo.event import make_event
from chimera_nb.local.demo.files import FEWEST_FILES, DemoFile, demo_files, market_of_size
from chimera_nb.local.demo.market import FEWEST_MESSAGES, LADDER, PLANS, make_market
from pipeline.codecs import HEAD_BYTES, choose_codec
from pipeline.errors import BadFileError, RefusedError

DAY = datetime(2016, 1, 1, tzinfo=UTC)
LAYOUT = re.compile(r"(ADVANCED|BASIC|PRO)/2016/Jan/[1-4]/(\d{8})/1\.\d{9}( \(cópia de São Paulo\))?\.bz2")
# Computed once: it changes when the demo does, and never with the machine.
DEMO_OF_40_SHA256 = "22ea4bf96193b0abfa9d11382a1075a3256da42179585dad96b34ecc71ac5461"


def decode(file: DemoFile) -> bytes:
    codec = choose_codec(file.data[:HEAD_BYTES], file.name)
    return b"".join(codec.decode(io.BytesIO(file.data)))


def events() -> Iterator[Any]:
    for number in range(40):
        yield from make_event(number, DAY, number)


def prices(changes: list[dict[str, Any]]) -> Iterator[float]:
    for change in changes:
        yield from (price for side in ("atb", "atl", "trd") for price, _ in change.get(side, []))
        yield from (price for side in ("batb", "batl") for _, price, _ in change.get(side, []))
        yield from (change[name] for name in ("ltp", "spn", "spf") if change.get(name, "NaN") != "NaN")


@pytest.fixture(scope="module")
def demo() -> list[DemoFile]:
    return list(demo_files(files=40))


def test_the_ladder_is_betfairs() -> None:
    steps = [
        ("1.01", "0.01", "2"),
        ("2", "0.02", "3"),
        ("3", "0.05", "4"),
        ("4", "0.1", "6"),
        ("6", "0.2", "10"),
    ]
    steps += [
        ("10", "0.5", "20"),
        ("20", "1", "30"),
        ("30", "2", "50"),
        ("50", "5", "100"),
        ("100", "10", "1000"),
    ]
    ladder = [Decimal("1.01")]
    for _, step, end in steps:
        while ladder[-1] < Decimal(end):
            ladder.append(ladder[-1] + Decimal(step))
    assert [float(price) for price in ladder] == list(LADDER)
    assert len(LADDER) == 350


def test_the_same_seed_gives_the_same_bytes_everywhere(demo: list[DemoFile]) -> None:
    digest = hashlib.sha256()
    for file in demo:
        digest.update(file.name.encode())
        digest.update(file.data)
    assert digest.hexdigest() == DEMO_OF_40_SHA256
    assert list(demo_files(files=40)) == demo


def test_another_seed_gives_other_files(demo: list[DemoFile]) -> None:
    other = list(demo_files(seed=7, files=40))
    assert not {file.name for file in other} & {file.name for file in demo}
    assert make_market(1, 50) != make_market(2, 50)


@pytest.mark.parametrize("plan", PLANS)
def test_a_market_opens_trades_and_is_settled_in_order(plan: str) -> None:
    for seed, market in enumerate(events()):
        raw = make_market(seed, 60, plan=plan, market=market)
        assert raw.endswith(b"\n")
        messages = [json.loads(line) for line in raw.splitlines()]
        assert len(messages) == 60
        times = [message["pt"] for message in messages]
        assert times == sorted(times)
        assert all(message["op"] == "mcm" and len(message["mc"]) == 1 for message in messages)
        changes = [message["mc"][0] for message in messages]
        assert {change["id"] for change in changes} == {market.market_id}
        definitions = [change["marketDefinition"] for change in changes if "marketDefinition" in change]
        assert changes[0]["marketDefinition"] is definitions[0]
        assert definitions[0]["status"] == "OPEN"
        assert [d["status"] for d in definitions].count("CLOSED") == 1
        assert any(d["inPlay"] for d in definitions) == market.in_play
        last = changes[-1]["marketDefinition"]
        assert last["status"] == "CLOSED"
        assert "settledTime" in last
        settled = {runner["id"]: runner["status"] for runner in last["runners"]}
        winners = [number for number, status in settled.items() if status == "WINNER"]
        assert sorted(winners) == sorted(market.winners)
        assert len(winners) == last["numberOfWinners"]
        removed = [number for number, status in settled.items() if status == "REMOVED"]
        assert removed == [market.withdrawn] * (market.withdrawn is not None)
        assert set(settled.values()) <= {"WINNER", "LOSER", "REMOVED"}


@pytest.mark.parametrize("plan", PLANS)
def test_every_price_is_on_the_ladder_and_every_change_names_a_runner(plan: str) -> None:
    ladder, fields, seen = set(LADDER), set(), 0
    for seed, market in enumerate(events()):
        runners = {runner.id for runner in market.runners}
        for line in make_market(seed, 60, plan=plan, market=market).splitlines():
            changes = json.loads(line)["mc"][0].get("rc", [])
            assert {change["id"] for change in changes} <= runners
            fields |= {name for change in changes for name in change}
            found = list(prices(changes))
            assert set(found) <= ladder
            seen += len(found)
    assert seen > 1000
    assert (
        fields
        == {
            "BASIC": {"id", "ltp"},
            "ADVANCED": {"id", "ltp", "trd", "tv", "batb", "batl"},
            "PRO": {"id", "ltp", "trd", "tv", "atb", "atl", "spn", "spf"},
        }[plan]
    )


def offers(change: dict[str, Any], side: str) -> Iterator[tuple[float, float, float]]:
    """(what is replaced, price, size): a level in ADVANCED, the price itself in PRO."""
    yield from ((level, price, size) for level, price, size in change.get(f"b{side}", []))
    yield from ((price, price, size) for price, size in change.get(side, []))


@pytest.mark.parametrize("plan", ["ADVANCED", "PRO"])
def test_what_is_offered_to_back_stays_below_what_is_offered_to_lay(plan: str) -> None:
    compared = 0
    for seed in range(5):
        book: dict[tuple[int, str], dict[float, tuple[float, float]]] = {}
        for line in make_market(seed, 300, plan=plan).splitlines():
            changes = json.loads(line)["mc"][0].get("rc", [])
            for change in changes:
                for side in ("atb", "atl"):
                    for key, price, size in offers(change, side):
                        book.setdefault((change["id"], side), {})[key] = (price, size)
            for runner in {change["id"] for change in changes}:
                back, lay = (
                    [p for p, s in book.get((runner, side), {}).values() if s] for side in ("atb", "atl")
                )
                if len(back) >= 3 and len(lay) >= 3:
                    compared += 1
                    assert max(back) < min(lay)
    assert compared > 500


def test_starting_prices_are_now_and_then_the_string_nan() -> None:
    starting = [
        runner["bsp"]
        for seed, market in enumerate(events())
        for runner in json.loads(make_market(seed, 40, market=market).splitlines()[-1])["mc"][0][
            "marketDefinition"
        ]["runners"]
        if "bsp" in runner
    ]
    assert "NaN" in starting
    assert starting.count("NaN") < len(starting) / 5
    assert all(isinstance(price, float) and price >= 1.01 for price in starting if price != "NaN")


def test_four_sports_take_part() -> None:
    assert {market.event_type for market in events()} == {"1", "2", "7", "4339"}
    ids = [market.market_id for market in events()]
    assert len(ids) == len(set(ids))


def test_a_market_too_short_and_an_unknown_plan_are_refused() -> None:
    with pytest.raises(RefusedError, match=f"ask for {FEWEST_MESSAGES}"):
        make_market(1, FEWEST_MESSAGES - 1)
    with pytest.raises(RefusedError, match="no plan is named 'GOLD'"):
        make_market(1, 50, plan="GOLD")
    assert len(make_market(1, FEWEST_MESSAGES).splitlines()) == FEWEST_MESSAGES


def test_the_files_lie_as_in_betfairs_archive(demo: list[DemoFile]) -> None:
    for file in demo:
        assert LAYOUT.fullmatch(file.name), file.name
    assert len({file.name for file in demo}) == len(demo) == 40
    assert len({file.name.split("/")[0] for file in demo}) > 1


@pytest.mark.parametrize("seed", [2016, 3, 4])
def test_what_is_called_a_fault_is_one_and_nothing_else_is(seed: int) -> None:
    faults = 0
    for file in demo_files(seed=seed, files=FEWEST_FILES):
        if file.fault is None:
            raw = decode(file)
            assert all(json.loads(line)["op"] == "mcm" for line in raw.splitlines())
            assert f'"{Path(file.name).name[:11]}"'.encode() in raw
        else:
            faults += 1
            with pytest.raises(BadFileError):
                decode(file)
    assert faults == 6


def test_odd_but_good_files_are_what_their_notes_say(demo: list[DemoFile]) -> None:
    odd = {file.note: file for file in demo if file.note}
    assert len(odd) == 3
    assert gzip.decompress(odd["gzip named .bz2: the bytes decide"].data).endswith(b"\n")
    assert not odd["a name beyond ASCII"].name.isascii()
    assert not bz2.decompress(odd["no line end after the last line"].data).endswith(b"\n")


def test_too_few_files_are_refused() -> None:
    with pytest.raises(RefusedError, match=f"ask for {FEWEST_FILES}"):
        next(demo_files(files=FEWEST_FILES - 1))


@pytest.mark.parametrize("plan", PLANS)
def test_a_market_of_a_size_is_about_that_size(plan: str) -> None:
    for seed in range(3):
        for size in (100_000, 292_000, 2_000_000):
            assert abs(len(market_of_size(seed, size, plan=plan)) - size) < size / 10


def test_one_tar_holds_the_files_of_one_plan() -> None:
    class Kept(dict[str, bytes]):
        """A store of what is written to it."""

        def bucket_exists(self, _: str) -> bool:
            return True

        def list_objects(self, _: str) -> list[Any]:
            return []

        def write_bytes(self, uri: str, data: bytes) -> None:
            self[uri] = data

    kept = Kept()
    made = put_demo(kept)  # type: ignore[arg-type]
    with tarfile.open(fileobj=io.BytesIO(kept.pop(made.archive))) as tar:
        held = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert len(kept) == made.files
    assert held == {
        name.removeprefix(made.inputs): data for name, data in kept.items() if "/ADVANCED/" in name
    }

"""Catalogues in a bucket, by the command line, on to a job; and the view `catalogue` of many markets as one job."""

from __future__ import annotations

import json
import os

import pytest

import chimera_nb as ch
from pipeline.__main__ import main
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from tests.fixtures.command import run_chimera
from tests.fixtures.made_markets import made_markets
from tests.fixtures.tars import Put, tar

pytestmark = pytest.mark.timeout(600)
MARKETS = int(os.environ.get("CHIMERA_MARKETS", "300"))


def chimera(folder, *arguments, code=0):
    return run_chimera(folder, *arguments, code=code, CHIMERA_DATA_DIR=f"{folder}/data")


def test_files_are_chosen_by_the_command_line_and_go_on_to_a_job(tmp_path):
    made = list(made_markets(60))
    for one in made:
        path = tmp_path / "in" / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    (tmp_path / "in/1.5.bz2").write_bytes(made[0].data[:-30])
    country = next(one.market.country for one in made if one.market.event_type == "7")
    wanted = [one for one in made if one.market.country == country and one.market.market_type == "WIN"]
    asked = ("catalogue", "in", "--country", country, "--market-type", "WIN")
    document = json.loads(chimera(tmp_path, *asked, "--json").stdout)
    assert (document["files"], document["rows"]) == (len(made) + 1, len(wanted))
    assert sorted(document["uris"]) == sorted(f"{tmp_path}/in/{one.name}" for one in wanted)
    assert [one["uri"] for one in document["failed"]] == [f"{tmp_path}/in/1.5.bz2"]
    sports = {one["value"]: one["name"] for one in document["facets"]["event_type_id"]}
    assert sports["7"] == "Horse Racing"

    shown = chimera(tmp_path, *asked, "--values", "1")
    assert f"{len(wanted)} files of {len(made) + 1} match" in shown.stdout
    assert "1.5.bz2: the bz2 data is cut off" in shown.stderr

    (tmp_path / "ids.csv").write_text(f"market_id\n{wanted[0].market.market_id}\n1.9\n")
    listed = chimera(tmp_path, *asked, "--ids", "ids.csv", "--list")
    assert listed.stdout == f"{tmp_path}/in/{wanted[0].name}\n"
    assert "1 id of the list is in no file: 1.9" in listed.stderr
    (tmp_path / "files.txt").write_text(chimera(tmp_path, *asked, "--list").stdout)
    job = (
        "submit",
        "--paths-from",
        "files.txt",
        "--target",
        "out",
        "--source",
        "betfair",
        "--view",
        "runners",
    )
    record = json.loads(chimera(tmp_path, *job, "--wait", "--json").stdout)
    assert record["status"] == "complete"
    frame = ch.read_output(str(tmp_path / "out"))
    assert set(frame.market_id) == {one.market.market_id for one in wanted}

    refused = chimera(tmp_path, "catalogue", "in", "--where", "colour=red", code=2)
    assert "no facet is named 'colour'" in refused.stderr


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_files_in_a_bucket(on_stack, bucket, tmp_path, kind):
    store, made = PlainStore(), list(made_markets(30))
    if kind == "tar":
        inputs, inside = f"gs://{bucket}/data.tar", f"gs://{bucket}/data.tar!/"
        store.write_bytes(inputs, tar([Put(one.name, one.data) for one in made]))
    else:
        inputs = inside = f"gs://{bucket}/in/"
        for one in made:
            store.write_bytes(inputs + one.name, one.data)
    session = ch.connect(data_dir=tmp_path)
    catalogue = ch.catalogue(inputs, session=session)
    assert sorted(catalogue.uris) == sorted(inside + one.name for one in made)
    assert catalogue.frame().file_generation.notna().all()
    if kind == "folder":
        store.write_bytes(inputs + made[0].name, made[1].data)  # another generation
        again = ch.catalogue(inputs, session=session)
        changed = again.frame().set_index("file").loc[inputs + made[0].name]
        assert changed.event_name == made[1].market.event_name


def test_the_catalogue_of_many_markets_in_one_job_is_what_the_generator_knows(tmp_path):
    """CHIMERA_MARKETS=10000 for that many."""
    expected = {}
    store = PlainStore()
    for one in made_markets(MARKETS):
        store.write_bytes(f"{tmp_path}/in/{one.name}", one.data)
        expected[one.market.market_id] = one
    options = ("--source", "betfair", "--view", "catalogue", "--format", "parquet")
    assert main(["--input", f"{tmp_path}/in/", "--target", f"{tmp_path}/out", *options]) == 0
    assert read_summary(store, f"{tmp_path}/out")["rows"] == MARKETS
    frame = ch.read_output(f"{tmp_path}/out")
    assert len(frame) == len(expected) == MARKETS
    for row in frame.to_dict("records"):
        one = expected[row["market_id"]]
        market = one.market
        for name, value in one.expected.items():
            found = row[name]
            assert (found == value) if value is not None else not isinstance(found, str), (name, row)
        assert list(row["winner_ids"]) == sorted(market.winners, key=[r.id for r in market.runners].index)
        assert row["n_runners"] == len(market.runners)
        assert row["n_removed"] == (market.withdrawn is not None)
        assert row["n_winners"] == len(market.winners)
        assert row["plan"] == one.plan
        assert (row["updates"] > 0, row["partial"]) == (True, False)
        assert (row["total_matched"] >= 0) == (one.plan != "BASIC")  # a short market may have no trade

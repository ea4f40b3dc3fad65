"""The source that a form chooses for a selection, by the names of its files."""

from __future__ import annotations

import pytest

from chimera_nb.widgets.job_form.source_guess import guess_by_names, guess_source
from pipeline.storage import PlainStore

SOURCES = ("betfair", "ndjson")
MARKETS = [f"BASIC/2016/Jan/1/27636896/1.12273792{n}.bz2" for n in range(5)]


@pytest.mark.parametrize(
    ("names", "source", "why"),
    [
        (MARKETS, "betfair", "files named as 1.122737920.bz2 are betfair's"),
        ([*MARKETS, "notes.txt"], "betfair", "1.122737920.bz2"),
        (["notes.txt", "a.csv.gz", MARKETS[0]], "ndjson", "no other source knows these"),
        (["a.json.gz"], "ndjson", "files of any name"),
    ],
)
def test_a_source_is_chosen_by_the_names_that_only_it_knows(names, source, why):
    guess = guess_by_names(names, SOURCES)
    assert guess is not None
    assert guess.source == source
    assert why in guess.why


def test_a_source_that_cannot_be_used_is_chosen_for_nothing():
    guess = guess_by_names(MARKETS, ("no-such", "ndjson"))
    assert guess is not None
    assert guess.source == "ndjson"
    assert guess_by_names(MARKETS[:0] or ["x"], ("betfair",)) is None


def test_folders_are_looked_into_and_a_selection_of_nothing_has_no_source(tmp_path):
    folder = tmp_path / "in" / "27636896"
    folder.mkdir(parents=True)
    assert guess_source(PlainStore(), [f"{tmp_path}/in/"], SOURCES) is None
    for name in MARKETS:
        (folder / name.rpartition("/")[2]).write_bytes(b"x")
    for selected in (f"{tmp_path}/in/", f"{tmp_path}/in/**/*.bz2", f"{folder}/1.122737920.bz2"):
        guess = guess_source(PlainStore(), [selected], SOURCES)
        assert guess is not None
        assert guess.source == "betfair"

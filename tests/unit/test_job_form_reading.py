"""What a plan says will be read and what not: the same as a job does, in whatever order files are listed."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.widgets.job_form.model import Fields
from chimera_nb.widgets.job_form.reading import NAMES_KEPT, Reading
from chimera_nb.widgets.job_form.survey import Survey
from chimera_nb.widgets.job_form.unread import unread_text
from chimera_nb.widgets.job_form.words import button
from pipeline.inputs.once import Copy, fullest
from pipeline.sources.betfair import BetfairSource
from pipeline.storage import Entry, PlainStore

STORE = PlainStore()
SECONDS = 30.0
PATHS = [
    f"{plan}/2020/Jan/{day}/29614797/{name}.bz2"
    for plan in ("BASIC", "ADVANCED", "PRO")
    for day in (1, 2)
    for name in ("29614797", "1.167210123", "1.167210124", "other")
]


def read_by_a_job(files: dict[str, int]) -> set[str]:
    """The files that are read, by the rules one after another."""
    held = {path: BetfairSource().holds(path) for path in files}
    copies = defaultdict(list)
    for path, size in files.items():
        copies[held[path].what if held[path] else path].append(
            Copy(path, held[path].rank if held[path] else 0, size)
        )
    read = {fullest(several).uri for several in copies.values()}
    parts = {one.part_of for one in held.values() if one and one.part_of}
    return {path for path in read if not (held[path] and held[path].whole_of in parts)}


@given(st.dictionaries(st.sampled_from(PATHS), st.integers(0, 9), min_size=1), st.randoms())
def test_a_plan_agrees_with_the_job_in_any_order(sizes, order):
    listed = [*sizes.items()]
    order.shuffle(listed)
    reading = Reading(BetfairSource())
    for path, size in listed:
        reading.take(Entry(f"gs://b/{path}", size))
    read = read_by_a_job(sizes)
    assert (reading.files, reading.bytes) == (len(read), sum(sizes[path] for path in read))
    assert (reading.skipped, reading.files + reading.skipped) == (len(sizes) - len(read), len(sizes))
    assert reading.bytes + reading.skipped_bytes == sum(sizes.values())
    assert len(reading.names("")) == reading.skipped


def test_only_the_first_names_of_what_is_not_read_are_kept():
    reading = Reading(None)
    for number in range(NAMES_KEPT + 5):
        reading.pass_over(Entry(f"gs://b/{number}.txt", 1))
    assert (reading.unmatched, len(reading.names("not .bz2"))) == (NAMES_KEPT + 5, NAMES_KEPT)
    assert reading.names("not .bz2")[0] == ("gs://b/0.txt", "not .bz2")


def lay(tmp_path, *names: str) -> None:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 10)


def surveyed(inputs, source="betfair", **options) -> Survey:
    survey = Survey(inputs, source, **options)
    survey.advance(STORE, SECONDS)
    assert not survey.error
    return survey


def counts(survey: Survey) -> tuple[int, int, int]:
    return survey.tally.files, survey.reading.skipped, survey.reading.unmatched


def test_a_survey_tells_what_of_a_folder_is_not_read_and_why(tmp_path):
    lay(tmp_path, "a/1.1.bz2", "a/1.2.bz2", "a/note.txt", "a/x/data.json", "b.txt")
    survey = surveyed([f"{tmp_path}/a/"])
    assert (counts(survey), survey.why, survey.without_files) == ((2, 0, 2), "not .bz2", None)
    assert sorted(survey.reading.names(survey.why)) == [
        (f"{tmp_path}/a/note.txt", "not .bz2"),
        (f"{tmp_path}/a/x/data.json", "not .bz2"),
    ]
    assert counts(surveyed([f"{tmp_path}/a/"], every_file=True)) == (4, 0, 0)
    assert counts(surveyed([f"{tmp_path}/a/"], "ndjson")) == (4, 0, 0)
    assert counts(surveyed([f"{tmp_path}/a/*.bz2"])) == (2, 0, 0)


def test_inputs_that_overlap_are_counted_once_and_what_one_of_them_takes_is_read(tmp_path):
    lay(tmp_path, "a/1.1.bz2", "a/x/1.2.bz2", "a/x/2.json", "a/x/3.txt", "b.bz2")
    folder, inner = f"{tmp_path}/a/", f"{tmp_path}/a/x/"
    for inputs in ([folder, inner], [inner, folder], [folder, inner, f"{tmp_path}/**/2.*"]):
        survey = surveyed(inputs)
        takes_json = len(inputs) == 3
        assert counts(survey) == (2 + takes_json, 0, 2 - takes_json)
        assert survey.without_files is None
    assert surveyed([folder, f"{tmp_path}/a/*.bz2", f"{tmp_path}/b.bz2"]).without_files is None
    assert surveyed([folder, f"{tmp_path}/a/*.gz"]).without_files == f"{tmp_path}/a/*.gz"


def test_an_event_file_is_not_read_beside_its_markets_unless_every_file_is(tmp_path):
    lay(tmp_path, "PRO/2020/Jan/1/29614797/1.1.bz2", "PRO/2020/Jan/1/29614797/29614797.bz2")
    lay(tmp_path, "BASIC/2020/Jan/1/29614797/1.1.bz2")
    survey = surveyed([f"{tmp_path}/"])
    assert counts(survey) == (1, 2, 0)
    assert survey.tally.bytes == 10
    assert {why for _, why in survey.reading.names("")} == {
        "the event's own file; its markets stand beside it",
        "another file holds the same, and is fuller",
    }
    assert counts(surveyed([f"{tmp_path}/"], every_file=True)) == (3, 0, 0)


@pytest.mark.parametrize(
    ("unmatched", "skipped", "short", "whole"),
    [
        (0, 0, "", ""),
        (2, 0, "2 of 5 files will not be read", "2 of 5 files (2.0 kB) will not be read: not .bz2"),
        (0, 1, "1 of 4 files will not be read", "1 of 4 files (500 B) will not be read: held by other files as well"),
        (
            2,
            1,
            "3 of 6 files will not be read",
            "3 of 6 files (2.5 kB) will not be read: 2 not .bz2, 1 held by other files as well",
        ),
    ],
)  # fmt: skip
def test_what_is_not_read_is_said_with_the_reasons_and_never_that_all_is_well(
    unmatched, skipped, short, whole
):
    class Told(Reading):
        def __init__(self) -> None:
            super().__init__(None)
            self.listed = 3 + skipped
            self.unmatched, self.unmatched_bytes = unmatched, 1000 * unmatched
            self._lost, self._lost_bytes = skipped, 500 * skipped

    assert unread_text(Told(), "not .bz2") == (short, whole)
    assert button(Fields(), {}, unread=short).says == (f"{short}." if short else "Ready to launch.")

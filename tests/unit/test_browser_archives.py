"""An archive in the browser: a row that opens, its levels as they are found, its selection, its faults."""

from __future__ import annotations

import threading
import zipfile

import pytest

from chimera_nb.data.preview import MAX_BYTES, preview
from chimera_nb.widgets.browser import counting
from chimera_nb.widgets.browser.counting import Count, Tally, entries_of
from chimera_nb.widgets.browser.model import Browser
from chimera_nb.widgets.browser.navigation import BUCKETS, BrowsingScope, as_folder, crumbs, parent, typed
from chimera_nb.widgets.job_form.survey import Survey
from pipeline.archives.store import store_of_archives
from pipeline.errors import ChimeraError, RefusedError
from pipeline.storage import PlainStore
from pipeline.storage.local_streams import FileReader
from tests.fixtures.files import lines
from tests.fixtures.tars import PACKERS, Put, months, tar

STORE = store_of_archives(PlainStore())
ONE = lines(1, 60) + b"\n"
SMALL = [
    Put("2020/Jan/1.bz2", b"x" * 10),
    Put("2020/Jan/2.bz2", b"x" * 20),
    Put("2020/a.csv", b"x"),
    Put("top.txt"),
]


@pytest.fixture
def asked(monkeypatch):
    """(start, size) of what is read of files by place: what a request is to a bucket."""
    found, read_at = [], FileReader.read_at

    def counted(self, start, size):
        found.append((start, size))
        return read_at(self, start, size)

    monkeypatch.setattr(FileReader, "read_at", counted)
    return found


@pytest.fixture
def opened(tmp_path):
    """A function that lays an archive, and gives a browser of its folder or of one in it, all loaded."""

    def make(name, data, within=None):
        (tmp_path / name).write_bytes(data)
        top = f"{tmp_path}/"
        made = Browser(top, BrowsingScope(top=top))
        if within is not None:
            made.open(f"{top}{name}!/{within}")
        load(made)
        return made

    return make


def load(browser):
    while not browser.shown.complete:
        browser.shown.take(browser.shown.fetch(STORE))


def names(browser):
    return [*browser.shown.folders, *(row.name for row in browser.shown.objects)]


def chosen(browser, *how):
    browser.select(browser.gesture(*how))
    return [uri.removeprefix(browser.scope.top) for uri in browser.selected]


def counted(browser):
    while active := [count for count in browser.counts if count.active]:
        counting.advance(STORE, active, 10)
    assert [count.error for count in browser.counts] == [None] * len(browser.counts)
    return browser.total()


@pytest.mark.parametrize("kind", [*PACKERS, "zip"])
def test_an_archive_opens_level_by_level(opened, tmp_path, kind):
    data = PACKERS[kind](tar(SMALL)) if kind != "zip" else b""
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "made", "w") as made:
            for put in SMALL:
                made.writestr(put.name, put.content)
        data = (tmp_path / "made").read_bytes()
        (tmp_path / "made").unlink()
    browser = opened(f"x.{kind}", data)
    (row,) = browser.shown.objects
    assert (row.name, row.size, row.opens) == (f"x.{kind}", len(data), True)
    assert row.codec
    browser.open(browser.shown.uri(0))
    load(browser)
    assert names(browser) == ["2020/", "top.txt"]
    message = browser.rows_message()
    assert message.archive is not None
    assert (message.archive.read, message.archive.fault) == (0, "")
    browser.open(f"{browser.folder}2020/")
    load(browser)
    assert names(browser) == ["Jan/", "a.csv"]
    browser.open(browser.above)
    assert browser.above == browser.scope.top
    browser.narrow("to")
    load(browser)
    assert names(browser) == ["top.txt"]


def test_a_name_of_an_archive_is_a_folder_and_its_crumb_is_the_name():
    folder = "gs://b/in/data.tar!/2020/"
    assert [crumb.label for crumb in crumbs(folder)] == ["Buckets", "b", "in", "data.tar", "2020"]
    assert crumbs(folder)[-2].uri == parent(folder) == "gs://b/in/data.tar!/"
    assert parent(parent(folder)) == "gs://b/in/"
    assert crumbs("gs://b/odd!!/x/")[-2].label == "odd!!"  # a folder of that name
    assert as_folder("gs://b/data.tar") == typed("b/data.tar!") == "gs://b/data.tar!/"
    assert as_folder("gs://b/data.tar/") == "gs://b/data.tar/"
    assert typed("") == BUCKETS


def test_an_archive_in_an_archive_opens_and_one_within_that_does_not(opened):
    deepest = tar([Put("deep.bz2", b"x")])
    browser = opened("a.tar", tar([Put("b.tar", tar([Put("c.tar", deepest), Put("d", ONE)]))]), "")
    assert browser.shown.objects[0].opens
    browser.open(browser.shown.uri(0))
    load(browser)
    assert [(row.name, row.opens) for row in browser.shown.objects] == [("c.tar", False), ("d", False)]
    assert chosen(browser, "toggle", 0) == ["a.tar!/b.tar!/c.tar"]


def test_members_folders_and_the_archive_are_selected_and_counted(opened):
    browser = opened("x.tar", tar(SMALL))
    assert chosen(browser, "toggle", 0, 0) == ["x.tar!/"]
    assert counted(browser) == Tally(4, 31)
    browser.open(browser.shown.uri(0))
    load(browser)
    assert chosen(browser, "toggle", -1) == ["x.tar!/top.txt"]  # all of it but 2020/
    assert counted(browser) == Tally(1, 0)
    assert chosen(browser, "range", -1, -1) == ["x.tar!/top.txt", "x.tar!/2020/"]
    assert counted(browser) == Tally(4, 31)
    assert chosen(browser, "all") == ["x.tar!/"]
    pattern = browser.pattern("**/*.bz2")
    browser.select([pattern])
    assert pattern == f"{browser.folder}**/*.bz2"
    assert counted(browser) == Tally(2, 30)
    browser.select([browser.folder.removesuffix("!/"), f"{browser.scope.top}"])
    assert counted(browser) == Tally(4, 31)


def test_a_folder_counts_the_members_of_its_archives_as_a_job_reads_them(opened, tmp_path):
    (tmp_path / "y.bz2").write_bytes(b"1234567")
    (tmp_path / "no.zip").write_bytes(b"none")
    browser = opened("x.tar", tar(SMALL))
    browser.select([browser.folder])
    assert counted(browser) == Tally(6, 31 + 7 + 4)
    browser.select([f"{browser.folder}**/*.bz2"])
    assert counted(browser) == Tally(3, 37)
    survey = Survey((browser.folder, f"{browser.folder}x.tar!/top.txt"), "ndjson")
    while survey.active:
        survey.advance(STORE, 1)
    assert (survey.error, survey.without_files, survey.tally) == (None, None, Tally(6, 42))


def surveyed(*inputs, source="betfair"):
    survey = Survey(inputs, source)
    while survey.active:
        survey.advance(STORE, 1)
    assert survey.error is None
    return survey


@pytest.mark.parametrize("kind", PACKERS)
def test_a_plan_counts_the_members_that_a_job_reads_each_once(opened, tmp_path, kind):
    market = [Put(f"2020/9{n}/1.{n}.bz2", b"x" * n) for n in range(30)]
    browser = opened(f"x.{kind}", PACKERS[kind](tar([*market, Put("2020/notes.txt", b"{}\n")])))
    folder, archive = browser.scope.top, f"{browser.scope.top}x.{kind}!/"
    total = Tally(30, sum(range(30)))
    assert surveyed(archive).tally == total
    # The source's pattern matches x.tar.bz2 itself in its folder, and then all that is in it is read.
    whole = Tally(31, total.bytes + 3) if kind == "tar.bz2" else total
    assert surveyed(folder).tally == surveyed(folder, archive).tally == whole
    assert surveyed(archive.removesuffix("!/")).tally == total
    ticked = [f"{archive}{put.name}" for put in market]
    assert surveyed(*ticked).tally == total
    assert surveyed(*ticked[:3], f"{archive}2020/91/").tally == Tally(3, 3)
    assert surveyed(f"{archive}**/1.2?.bz2").tally == Tally(10, sum(range(20, 30)))
    assert surveyed(folder, source="ndjson").tally == Tally(31, total.bytes + 3)
    assert surveyed(ticked[0], f"{archive}no.bz2").without_files == f"{archive}no.bz2"
    assert surveyed(folder, f"{archive}**/*.csv").without_files == f"{archive}**/*.csv"
    looked = surveyed(archive)
    looked.inspect(STORE)
    assert all(found.uri.startswith(archive) for found in looked.previews)


def test_a_count_of_many_archives_pauses(opened, monkeypatch, tmp_path):
    for n in range(5):
        (tmp_path / f"{n}.tar").write_bytes(tar(SMALL))
    monkeypatch.setattr(counting, "FILES_AT_ONCE", 25_000)
    count = Count(f"{tmp_path}/")
    while count.active:
        count.advance(STORE, float("inf"))
    assert count.tally == Tally(9, count.tally.bytes, more=True)
    count.resume()
    while count.active:
        count.advance(STORE, float("inf"))
    assert count.tally == Tally(20, 5 * 31)


# What it costs


def test_of_22_000_members_the_first_rows_come_after_a_read_or_two_and_the_rest_in_one_pass(opened, asked):
    data = months(22_000, 2_000)
    browser = opened("x.tar", data)
    browser.open(f"{browser.folder}x.tar!/")
    assert asked == []
    browser.shown.take(browser.shown.fetch(STORE))
    assert names(browser) == ["BASIC/"]
    assert len(asked) <= 2
    assert sum(size for _, size in asked) <= 3 << 20 < len(data) // 10
    state = browser.rows_message().archive
    assert state is not None
    assert 0 < state.read < state.size == len(data)
    load(browser)
    browser.open(f"{browser.folder}BASIC/2020/Jan/")
    load(browser)
    assert len(browser.shown.folders) == 31
    assert sum(size for _, size in asked) <= len(data) + (1 << 20)  # no byte twice
    assert len(asked) < 20


def test_a_preview_of_a_member_reads_its_beginning_alone(opened, asked):
    raw = lines(1, 60_000) + b"\n"
    browser = opened("x.tar", tar([Put("a.json", raw), Put("b.json", ONE)]), "")
    uri = browser.shown.uri(0)
    asked.clear()
    found = preview(uri, store=STORE)
    assert (found.size, found.read_bytes, found.complete) == (len(raw), MAX_BYTES, False)
    assert raw.startswith(b"\n".join(found.lines))
    assert [size for _, size in asked] == [MAX_BYTES]
    assert preview(browser.shown.uri(1), store=STORE).complete
    archive = preview(f"{browser.scope.top}x.tar", store=STORE)
    assert (archive.uri, archive.note) == (uri, "the first file of data in the archive: a.json")


def test_whoever_leaves_an_archive_leaves_it_where_it_is(opened, asked):
    browser = opened("x.tar", months(8_000, 2_000))
    browser.open(f"{browser.folder}x.tar!/nothing-so/")
    before = 0
    while not browser.shown.complete:
        rows = browser.shown.fetch(STORE)
        browser.shown.take(rows)
        if (index := browser.shown.index) and index.reached and not before:
            before = len(asked)
            browser.open(browser.scope.top)
            load(browser)
    assert before == len(asked)


def test_a_count_of_what_matches_nothing_in_an_archive_can_be_stopped(opened, asked):
    browser = opened("x.tar", months(8_000, 2_000))
    found = entries_of(STORE, f"{browser.folder}x.tar!/**/*.csv")
    assert next(found) is None
    assert 0 < len(asked) < 4
    assert [entry for entry in found if entry] == []


def test_two_may_look_through_one_archive_at_once(opened, asked):
    data = months(4_000, 2_000)
    browser = opened("x.tar", data)
    folder = f"{browser.folder}x.tar!/"
    tallies = []

    def count():
        counted = Count(folder)
        while counted.active:
            counted.advance(STORE, 0)
        tallies.append(counted.tally.files)

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tallies == [4_000, 4_000]
    assert sum(size for _, size in asked) <= len(data) + (1 << 20)


# What is wrong with it


def fault(browser):
    state = browser.rows_message().archive
    assert state is not None
    return state.fault.replace(browser.scope.top, "")


def test_a_tar_that_is_cut_off_shows_what_is_whole_and_says_so(opened):
    data = tar([Put("a", ONE), Put("b", ONE * 9)])
    browser = opened("x.tar", data[: len(data) // 3], "")
    assert names(browser) == ["a", "b"]
    assert fault(browser) == "x.tar is cut off within 'b'; what is whole before that is shown"


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "tar.bz2", "tar.zst"])
def test_a_compressed_tar_that_is_cut_off_says_so(opened, kind):
    data = PACKERS[kind](tar([Put("a", ONE), Put("b", ONE * 99)]))
    browser = opened(f"x.{kind}", data[: len(data) * 2 // 3])
    browser.open(browser.shown.uri(0))
    try:
        load(browser)
    except ChimeraError as e:  # not one block of it is whole
        said = str(e).replace(browser.scope.top, "")
    else:
        said = fault(browser)
    assert said.startswith(f"x.{kind}")
    assert "cut off" in said
    assert "\n" not in said


def test_what_is_no_archive_says_so(opened):
    browser = opened("x.zip", b"<html>")
    browser.open(browser.shown.uri(0))
    with pytest.raises(ChimeraError, match=r"x\.zip is no archive, so that nothing is in it"):
        load(browser)


@pytest.mark.parametrize(("locked", "said"), [(2, "its files are"), (1, "1 of its 2 files are")])
def test_an_encrypted_zip_says_so(opened, tmp_path, locked, said):
    with zipfile.ZipFile(tmp_path / "made", "w") as made:
        for name in ("a", "b"):
            made.writestr(name, ONE)
    data = bytearray((tmp_path / "made").read_bytes())
    at = -1
    for _ in range(locked):
        at = data.index(b"PK\1\2", at + 1)
        data[at + 8] |= 1
    browser = opened("x.zip", bytes(data), "")
    assert names(browser) == ["a", "b"]
    assert fault(browser) == f"x.zip: {said} encrypted; upload it without a password"


def test_what_is_passed_over_is_told(opened):
    browser = opened("x.tar", tar([Put("a", ONE), Put("soft", b"a", b"2")]), "")
    state = browser.rows_message().archive
    assert state is not None
    assert state.note == "passed over 1 link: 'soft'"


def test_names_in_an_archive_are_no_paths_of_this_machine(opened):
    browser = opened("x.tar", tar([Put("../../etc/passwd", ONE), Put("/abs", ONE)]), "")
    assert names(browser) == ["../", "/"]
    browser.open(f"{browser.folder}../")
    load(browser)
    assert names(browser) == ["../"]
    with pytest.raises(RefusedError, match="this browser shows what is in"):
        browser.open(f"{browser.scope.top}../x.tar!/")

"""A long listing goes over workers, and gives each file once: as one worker by itself gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.graph import list_stages
from pipeline.graph.archive_stages import LookedFor
from pipeline.graph.elements import UNMATCHED, listed_files
from pipeline.inputs.listing import listings
from pipeline.storage import Entry, PlainStore
from pipeline.storage.around import StoreAround
from pipeline.storage.name_ranges import RangedListing

NAMES = sorted(f"in/2020/{n % 5}/1.{17_000 + n}.{('bz2', 'txt', 'zip')[n % 11 % 3]}" for n in range(2_000))
LOOKED_FOR = ["gs://b/in/**/*.bz2", "gs://b/in/**/*.zip", "gs://b/in/2020/3/*.txt", "gs://b/in/"]


class Named(NamedTuple):
    name: str


@dataclass(frozen=True)
class Long(StoreAround):
    """A bucket of NAMES, ten a page, which notes the shares that it is asked for."""

    noted: str

    def list_pages(self, prefix, share=None):
        with open(self.noted, "a") as file:  # noqa: PTH123 - one line a share, of whichever worker
            file.write(f"{share.pages}\n")

        def ask(start, end, most):
            found = [name for name in NAMES if name >= start and (not end or name < end)]
            return [Named(name) for name in found[:most]], len(found) > most

        for page in RangedListing(ask, prefix.removeprefix("gs://b/"), share, page=10, threads=3).pages():
            yield [Entry(f"gs://b/{one.name}", len(one.name), 7, "AAAAAA==") for one in page]


def test_a_long_listing_goes_over_workers_and_gives_each_file_once(tmp_path, monkeypatch):
    monkeypatch.setattr(list_stages, "LISTED_PAGES", (20, 30, None))
    store = Long(PlainStore(), str(tmp_path / "noted"))
    wanted = LookedFor(store, LOOKED_FOR, "")
    stage = list_stages.ListFiles(store, "gs://b/out", wanted, by_ranges=True)
    found, told = tmp_path / "found", tmp_path / "told"

    def note(where):
        def noted(element):
            with open(where, "a") as file:  # noqa: PTH123
                file.write(f"{element}\n")

        return noted

    with beam.Pipeline(runner=FnApiRunner()) as root:
        given = root | beam.Create(listings(LOOKED_FOR)) | stage
        for tag in ("files", list_stages.ARCHIVES):
            uris = given[tag] | f"uris {tag}" >> beam.FlatMap(
                lambda element: [file.uri for file in listed_files(element)]
            )
            uris | f"note {tag}" >> beam.Map(note(str(found)))
        given[UNMATCHED] | beam.Map(lambda one: one.files) | beam.Map(note(str(told)))
    taken = [name for name in NAMES if name.endswith((".bz2", ".zip")) or name.startswith("in/2020/3/")]
    assert sorted(found.read_text().split()) == [f"gs://b/{name}" for name in taken]
    assert sum(map(int, told.read_text().split())) == len(NAMES) - len(taken)
    shares = (tmp_path / "noted").read_text().split()
    assert shares.count("20") == 1
    assert "30" in shares

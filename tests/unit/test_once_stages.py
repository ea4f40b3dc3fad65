"""Files are grouped by what they hold in packets, and one of each is read: as if all were compared at once."""

from __future__ import annotations

from collections import defaultdict

from apache_beam.pvalue import TaggedOutput
from msgspec import structs

from pipeline.graph import once_stages
from pipeline.graph.elements import FILES, listed_files
from pipeline.inputs.packets import ListedFile, Packer
from pipeline.storage import PlainStore

FOLDERS = ("PRO/2020/Jan/1/29", "ADVANCED/2020/Jan/1/29", "BASIC/2020/Jan/1/29")


def run(stage, elements):
    """What a stage gives for a bundle, by its tags."""
    given = defaultdict(list)
    stage.start_bundle()
    for found in [*(one for element in elements for one in stage.process(element)), *stage.finish_bundle()]:
        tag, value = (found.tag, found.value) if isinstance(found, TaggedOutput) else ("main", found)
        given[tag].append(getattr(value, "value", value))  # at a bundle's end in its window
    return given


def grouped(pairs):
    groups = defaultdict(list)
    for group, packet in pairs:
        groups[group].append(packet)
    return groups


def uris(elements):
    assert all(element.startswith(FILES) for element in elements)
    return [file.uri for element in elements for file in listed_files(element)]


def test_many_files_are_few_packets_and_one_of_each_market_is_read():
    # Each market in one plan, each third in two; of every other event its own file; and files of other names.
    files = [
        ListedFile(f"gs://b/{FOLDERS[n % 3]}{n % 50:03}/1.{170_000_000 + n}.bz2", 100, n + 1, "AAAAAA==")
        for n in range(3_000)
    ]
    files += [
        structs.replace(file, uri=file.uri.replace("BASIC", "PRO")) for file in files if "BASIC" in file.uri
    ]
    events = [f"gs://b/{FOLDERS[0]}{n:03}/29{n:03}.bz2" for n in range(0, 60, 2)]
    others = [f"gs://b/mine/{n}.bz2" for n in range(30)]
    packer = Packer()
    listed = [*files, *(ListedFile(uri, 1, 1) for uri in (*events, *others))]
    packets = [FILES + packet for file in listed for packet in packer.add(file)]
    packets += [FILES + packet for packet in packer.rest()]

    named = run(once_stages.NameRecords("betfair"), packets)
    assert sorted(uris(named["main"])) == sorted(others)
    assert len(named["named"]) <= 1024
    assert len(named["parts"]) <= 200  # events by plan
    store = PlainStore()
    chosen = run(once_stages.ReadFullest(store, "job"), grouped(named["named"]).items())
    parts, wholes = grouped(named["parts"]), grouped(chosen["wholes"])
    both = [
        (group, {"wholes": wholes.get(group, []), "parts": parts.get(group, [])})
        for group in {*parts, *wholes}
    ]
    whole = run(once_stages.ReadParts(store, "job"), both)

    basic = [file.uri for file in files if "BASIC" in file.uri]
    in_parts = [uri for uri in events if int(uri[-7:-4]) < 50]
    read = [file.uri for file in files if "BASIC" not in file.uri]
    assert sorted(uris(chosen["main"])) == sorted(read)
    assert sorted(record.uri for record in chosen["skipped"]) == sorted(basic)
    assert sorted(uris(whole["main"])) == sorted({*events} - {*in_parts})
    assert sorted(record.uri for record in whole["skipped"]) == sorted(in_parts)
    assert len(chosen["main"]) < len(read) / 50

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from pipeline.graph.elements import (
    FILES,
    each_file,
    encode_file,
    encode_uri,
    files_to_read,
    listed_file,
    listed_files,
)
from pipeline.inputs.packets import PACKET_BYTES, PACKET_FILES, UNKNOWN_SIZE, ListedFile, Packer, pack, unpack

IN_A_BUCKET = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9).map(
    "gs://b/in/{}".format
)
LOCAL = st.binary(max_size=9).map(lambda raw: "/in/" + os.fsdecode(raw.replace(b"\0", b"")))


def listed_at(uris: st.SearchStrategy[str]) -> st.SearchStrategy[ListedFile]:
    return st.builds(
        ListedFile,
        uris,
        st.sampled_from([UNKNOWN_SIZE, 0, 1, PACKET_BYTES // 3, PACKET_BYTES, 1 << 40]),
        st.none() | st.integers(1, 1 << 60),
        st.sampled_from([None, "AAAAAA=="]),
    )


FILE = listed_at(IN_A_BUCKET) | listed_at(LOCAL)
OF_A_JOB = st.lists(listed_at(IN_A_BUCKET), max_size=20) | st.lists(listed_at(LOCAL), max_size=20)


def packed(files: list[ListedFile]) -> list[bytes]:
    packer = Packer()
    return [packet for file in files for packet in packer.add(file)] + list(packer.rest())


@given(OF_A_JOB)
def test_each_file_is_in_one_packet_as_it_was_listed(files):
    found = [list(unpack(packet)) for packet in packed(files)]
    assert sorted((file for some in found for file in some), key=repr) == sorted(files, key=repr)
    for some in found:
        assert len(some) == 1 or sum(file.size for file in some) <= PACKET_BYTES
        assert len(some) == 1 or UNKNOWN_SIZE not in {file.size for file in some}


def test_small_files_come_by_count():
    files = [ListedFile(f"gs://b/{number}", 10, number, "AAAAAA==") for number in range(1000)]
    assert [len(list(unpack(packet))) for packet in packed(files)] == [PACKET_FILES] * 3 + [232]


def test_a_packet_of_a_buckets_files_takes_few_bytes_a_file():
    names = [
        f"gs://bucket/ADVANCED/2020/Jan/3/29{n % 40:06}/1.{167_000_000 + 37 * n}.bz2" for n in range(256)
    ]
    files = [
        ListedFile(name, 2000 + n % 977, 1_700_000_000_000_000 + 7919 * n, f"{n:05x}g==")
        for n, name in enumerate(names)
    ]
    assert len(pack(files)) < 45 * len(files)


@given(OF_A_JOB.filter(bool))
def test_elements_say_which_files_they_are(files):
    element = FILES + pack(files)
    assert [*listed_files(element)] == files
    assert [item.listed for item in files_to_read(element)] == files
    alone = [one for one, _ in each_file(element)]
    assert [listed_file(one) for one in alone] == files
    assert [item.listed for one in alone for item in files_to_read(one)] == files
    assert [[*listed_files(one)] for one in alone] == [[file] for file in files]


@given(FILE)
def test_an_element_of_one_file_says_what_was_listed_or_its_uri_alone(file):
    assert listed_file(encode_file(file)) == file
    assert list(each_file(encode_file(file))) == [(encode_file(file), file)]
    assert listed_file(encode_uri(file.uri)) == ListedFile(file.uri)

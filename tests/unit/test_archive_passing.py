"""A compressed tar of which many members are asked for is gone through once."""

from __future__ import annotations

import gzip
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from chimera_nb.data.sampling.sample import sample
from pipeline.__main__ import main
from pipeline.archives.passing import PassingScans
from pipeline.archives.store import store_of_archives
from pipeline.errors import BadFileError
from pipeline.proof import verify
from pipeline.storage import PlainStore
from pipeline.storage.local_streams import FileReader
from tests.fixtures.tars import PACKERS, Put, tar

STORE = store_of_archives(PlainStore())
_MEMBERS = 300
_random = random.Random(4)
CONTENTS = {
    f"d/{n:03}.json": b'{"n": "%s"}\n' % _random.randbytes(1500).hex().encode() for n in range(_MEMBERS)
}
LARGE = b'{"n": "%s"}\n' % _random.randbytes(900_000).hex().encode()


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Path of a tar.gz of random bytes, which has its members in no order of names, and the bytes read of it so far."""
    names = [*CONTENTS]
    _random.shuffle(names)
    path = tmp_path / "in" / "data.tar.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(tar([Put(name, CONTENTS[name]) for name in names]), 1))
    read = [0]
    real = FileReader._next

    def next_(self, size):
        data = real(self, size)
        read[0] += len(data) if self.uri == str(path) else 0
        return data

    monkeypatch.setattr(FileReader, "_next", next_)
    return path, names, read


@pytest.mark.parametrize("kind", [kind for kind in PACKERS if kind != "tar"])
@pytest.mark.parametrize("threads", [1, 8])
def test_members_come_whole_whatever_the_order_and_however_many_threads_ask(tmp_path, kind, threads):
    found = {**CONTENTS, "e/large.json": LARGE, "e/larger.json": LARGE + LARGE, "f/last.json": b"{}\n"}
    path = tmp_path / f"{kind}.data"
    path.write_bytes(PACKERS[kind](tar([Put(name, data) for name, data in found.items()])))
    uris = {f"{path}!/{name}": data for name, data in found.items()}
    asked = [*uris, *_random.sample([*uris], 20)]
    if threads == 1:
        _random.shuffle(asked[:20])
    with PassingScans() as scans:
        store = STORE.holding(scans)

        def read(uri: str) -> bytes:
            with store.open_read(uri) as stream:
                assert stream.read_at(0, 2) == uris[uri][:2]
                return stream.read_whole()

        with ThreadPoolExecutor(threads) as pool:
            assert [*pool.map(read, asked)] == [uris[uri] for uri in asked]


def test_threads_that_ask_in_the_archives_order_have_it_read_once(counted):
    path, names, read = counted
    size = path.stat().st_size
    STORE.index(str(path)).complete()
    read[0] = 0
    with PassingScans() as scans:
        store = STORE.holding(scans)
        uris = scans.in_order(store, [f"{path}!/{name}" for name in sorted(names)])
        assert uris == [f"{path}!/{name}" for name in names]

        def whole(uri: str) -> int:
            with store.open_read(uri) as stream:
                return len(stream.read_whole())

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(whole, uris)) == sum(map(len, CONTENTS.values()))
    assert read[0] < 1.2 * size + (1 << 20)


def test_a_sample_and_a_deep_proof_go_through_it_a_few_times_and_not_for_each_member(counted, tmp_path):
    path, names, read = counted
    size = path.stat().st_size
    frame = sample(str(path), _MEMBERS, store=STORE, seed=1)
    assert sorted(frame["_file"]) == [f"{path}!/{name}" for name in sorted(names)]
    assert read[0] < 4 * size
    target = str(tmp_path / "out")
    assert main(["--input", str(path), "--target", target]) == 0
    read[0] = 0
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.to_json()
    assert read[0] < 4 * size


def test_a_member_behind_a_fault_says_what_it_would_say_by_itself(tmp_path):
    path = tmp_path / "cut.tar.gz"
    packed = gzip.compress(tar([Put(name, data) for name, data in CONTENTS.items()]), 1)
    path.write_bytes(packed[: len(packed) // 2])
    uris = [entry.uri for entry in STORE.list_objects(f"{path}!/")]
    with PassingScans() as scans:
        store = STORE.holding(scans)
        for uri in uris[:-1]:
            with store.open_read(uri) as stream:
                assert stream.read_whole() == CONTENTS[uri.partition("!/")[2]]
        with pytest.raises(BadFileError, match="cut off"), store.open_read(uris[-1]) as stream:
            stream.read_whole()

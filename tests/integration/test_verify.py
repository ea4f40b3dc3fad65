"""What `chimera verify` finds: nothing on outputs that are whole, and each kind of fault by its name and place."""

from __future__ import annotations

import bz2
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pipeline.__main__ import main
from pipeline.errors import RefusedError
from pipeline.ledger import FileRecord
from pipeline.proof import Verdict, verify
from pipeline.storage import PlainStore
from pipeline.target.layout import shards_uri, summary_uri
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.files import lines, put_all

pytestmark = pytest.mark.timeout(120)
STORE = PlainStore()
FIRST = "2016/Jan/1/10/1.1.bz2"


def run(place: str, *arguments: str) -> str:
    put_all(f"{place}/in")
    assert main(["--input", f"{place}/in/", "--target", f"{place}/out", *arguments]) == 0
    return f"{place}/out"


def differences(verdict: Verdict) -> set[str]:
    return {finding.kind for finding in verdict.findings if finding.refutes}


def notes(verdict: Verdict) -> set[str]:
    return {finding.kind for finding in verdict.findings if not finding.refutes}


@pytest.mark.parametrize("shards", [None, 1, 3, 40])
@pytest.mark.parametrize("arguments", [[], ["--keep-partial"]])
def test_an_output_that_is_whole_is_proved(place, shards, arguments):
    target = run(place, *(("--shards", str(shards)) if shards else ()), *arguments)
    for deep in (False, True):
        verdict = verify(STORE, target, deep=deep)
        assert verdict.proved, verdict.findings
        assert verdict.findings == ()
        assert verdict.job_id == read_summary(STORE, target)["jobId"]
        assert verdict.checked["files"] == verdict.checked["records"] == 23
        assert verdict.checked["shards"] == len(output_shards(STORE, target))
        assert verdict.checked["lines"] == read_summary(STORE, target)["lines"]
        assert verdict.checked.get("filesCompared", 0) == (
            sum(record.lines > 0 for record in ledger_records(STORE, target)) if deep else 0
        )


# Outputs that are spoiled


@pytest.fixture(scope="module", params=["local", "gcs"])
def whole(request, tmp_path_factory):
    """A place with files and, in out/, an output of three shards that is whole; it stays as it is."""
    if request.param == "local":
        place = str(tmp_path_factory.mktemp("whole"))
    else:
        request.getfixturevalue("stack")
        bucket = f"test-{uuid.uuid4().hex[:12]}"
        STORE.make_bucket(bucket)
        place = f"gs://{bucket}/place"
    run(place, "--shards", "3")
    return place


@pytest.fixture
def target(whole):
    """A copy of that output, for a test to spoil."""
    copy = f"{whole}/copy-{uuid.uuid4().hex[:8]}"
    for entry in STORE.list_objects(f"{whole}/out/"):
        STORE.write_bytes(entry.uri.replace(f"{whole}/out/", f"{copy}/"), STORE.read_bytes(entry.uri))
    return copy


@dataclass
class Spoiled:
    """What can be done to a target, and to what it was made of."""

    target: str

    @property
    def shard(self) -> str:
        return output_shards(STORE, self.target)[1]

    @property
    def ledger(self) -> str:
        return f"{self.target}/ledger/ledger-00000-of-00001.ndjson"

    @property
    def source(self) -> str:
        return f"{self.target.rpartition('/')[0]}/in/{FIRST}"

    def change(self, uri: str, change: Callable[[bytes], bytes]) -> None:
        data = change(STORE.read_bytes(uri))
        STORE.delete([uri])
        STORE.write_bytes(uri, data)

    def change_record(self, **changes: object) -> None:
        def edit(data: bytes) -> bytes:
            edited = [json.loads(line) for line in data.splitlines()]
            for document in edited:
                if document["uri"] == self.source:
                    document.update(changes)
            return b"".join(
                json.dumps(document, separators=(",", ":")).encode() + b"\n" for document in edited
            )

        self.change(self.ledger, edit)


def flip_a_byte(it: Spoiled) -> None:
    it.change(it.shard, lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:])


def lose_the_last_line(it: Spoiled) -> None:
    it.change(it.shard, lambda data: data[: data[:-1].rfind(b"\n") + 1])


def cut_the_last_byte(it: Spoiled) -> None:
    it.change(it.shard, lambda data: data[:-1])


def write_a_line_twice(it: Spoiled) -> None:
    it.change(it.shard, lambda data: data[: data.find(b"\n") + 1] + data)


def add_a_shard(it: Spoiled) -> None:
    STORE.write_bytes(f"{it.target}/output/output-00007-of-00008.ndjson", STORE.read_bytes(it.shard))


def lose_a_shard(it: Spoiled) -> None:
    STORE.delete([it.shard])


def replace_a_source(it: Spoiled) -> None:
    STORE.write_bytes(it.source, bz2.compress(lines(99)))


def lose_a_record(it: Spoiled) -> None:
    it.change(
        it.ledger,
        lambda data: b"".join(line for line in data.splitlines(keepends=True) if FIRST.encode() not in line),
    )


def write_a_record_twice(it: Spoiled) -> None:
    it.change(it.ledger, lambda data: data + data.splitlines(keepends=True)[0])


def edit_a_record(it: Spoiled) -> None:
    it.change_record(lines=49)


def edit_the_place_of_a_record(it: Spoiled) -> None:
    it.change_record(shard="output-00000-of-00003.ndjson", offset=1 << 40)


def garble_a_record(it: Spoiled) -> None:
    """Of a file that has lines: records are in no order."""

    def garbled(data: bytes) -> bytes:
        first, *others = sorted(data.splitlines(keepends=True), key=lambda line: -json.loads(line)["lines"])
        return first.replace(b"}", b"", 1) + b"".join(others)

    it.change(it.ledger, garbled)


def take_a_record_of_another_job(it: Spoiled) -> None:
    it.change_record(jobId="another")


def lose_the_ledger(it: Spoiled) -> None:
    STORE.delete([it.ledger])


def edit_the_summary(it: Spoiled) -> None:
    it.change(
        summary_uri(it.target), lambda data: data.replace(b'"betfair"', b'"x"').replace(b"ndjson", b"nd", 1)
    )


def edit_a_number_of_the_summary(it: Spoiled) -> None:
    it.change(summary_uri(it.target), lambda data: data.replace(b'"failed": 8', b'"failed": 0'))


def garble_the_summary(it: Spoiled) -> None:
    it.change(summary_uri(it.target), lambda data: data[:-20])


def edit_the_list(it: Spoiled) -> None:
    it.change(shards_uri(it.target), lambda data: data.replace(b'"crc32c":"', b'"crc32c":"x', 1))


def lose_the_list(it: Spoiled) -> None:
    STORE.delete([shards_uri(it.target)])


SHARD = "output-00001-of-00003.ndjson"
LEDGER = "ledger-00000-of-00001.ndjson"
# What is done, the kinds of differences there are then, and what one of them names and says.
SPOILED = [
    (flip_a_byte, {"shard-changed", "lines-changed"}, (SHARD, "has other bytes than were published")),
    (lose_the_last_line, {"shard-changed", "lines-changed"}, (SHARD, "lacks 1 line: it holds")),
    (cut_the_last_byte, {"shard-changed", "lines-changed"}, (SHARD, "lacks 1 line: it holds")),
    (write_a_line_twice, {"shard-changed", "lines-changed"}, (SHARD, "has 1 line too many: it holds")),
    (add_a_shard, {"shard-extra"}, ("output-00007-of-00008.ndjson", "is not one of the files")),
    (lose_a_shard, {"shard-missing", "lines-changed"}, (SHARD, "is missing, with its ")),
    (lose_the_list, {"list-missing"}, ("shards.ndjson", "is gone")),
    (
        lose_the_ledger,
        {"ledger-missing", "totals-differ", "lines-unaccounted"},
        (LEDGER, "is missing, with its 23"),
    ),
    (edit_a_record, {"ledger-changed", "totals-differ"}, (LEDGER, "has other bytes")),
    (write_a_record_twice, {"ledger-changed", "record-twice"}, (LEDGER, "has 1 line too many")),
    (
        edit_the_place_of_a_record,
        {"ledger-changed", "lines-nowhere", "lines-unaccounted"},
        (FIRST, "has its lines by the ledger, and is not there"),
    ),
    (
        garble_a_record,
        {"ledger-changed", "record-unreadable", "totals-differ", "lines-unaccounted"},
        (f"{LEDGER}:1", "is no record of a file"),
    ),
    (
        take_a_record_of_another_job,
        {"ledger-changed", "record-foreign", "totals-differ", "lines-unaccounted"},
        (FIRST, "is of job another"),
    ),
    (edit_the_summary, {"summary-changed"}, ("summary.json", "was edited")),
    (edit_a_number_of_the_summary, {"summary-changed", "totals-differ"}, ("summary.json", "was edited")),
    (garble_the_summary, {"summary-changed"}, ("summary.json", "cannot be read")),
    (edit_the_list, {"list-changed", "shard-changed"}, ("shards.ndjson", "was edited")),
]


RECORDS_LOST = [lose_the_ledger, garble_a_record, take_a_record_of_another_job]


@pytest.mark.parametrize(("spoil", "kinds", "told"), SPOILED)
def test_an_output_that_is_spoiled_is_refuted_by_what_and_where(target, spoil, kinds, told):
    spoil(Spoiled(target))
    verdict = verify(STORE, target)
    assert not verdict.proved
    if target.startswith("gs://") and spoil in RECORDS_LOST:
        kinds = {*kinds, "source-unrecorded"}  # a bucket's own time tells that the files were there
    assert differences(verdict) == kinds, verdict.findings
    name, text = told
    assert any(f.uri.endswith(name) and text in f.text for f in verdict.findings), verdict.findings


def test_a_copy_of_an_output_is_as_whole_as_the_first(target):
    assert verify(STORE, target, deep=True).findings == ()


def test_a_source_that_is_gone_is_told(place):
    target = run(place)
    STORE.delete([f"{place}/in/{FIRST}"])
    for deep in (False, True):
        (finding,) = [finding for finding in verify(STORE, target, deep=deep).findings if finding.refutes]
        assert (finding.kind, finding.uri, finding.text) == ("source-gone", f"{place}/in/{FIRST}", "is gone")


def test_a_source_that_was_replaced_is_told_and_with_deep_so_is_what_it_decodes_to(place):
    target = run(place)
    it = Spoiled(target)
    replace_a_source(it)
    verdict = verify(STORE, target)
    (finding,) = [finding for finding in verdict.findings if finding.refutes]
    assert finding.uri == it.source
    if place.startswith("gs://"):
        assert finding.kind == "source-replaced"
        assert "was replaced by other bytes" in finding.text
    else:
        assert finding.kind == "source-changed"
    assert not verify(STORE, target, deep=True).proved


def test_a_source_that_was_written_again_with_the_same_bytes_is_told_by_its_generation(bucket):
    target = run(f"gs://{bucket}/place")
    it = Spoiled(target)
    it.change(it.source, lambda data: data)
    (finding,) = verify(STORE, target, deep=True).findings
    assert (finding.kind, finding.uri) == ("source-replaced", it.source)
    assert "was replaced by the same bytes" in finding.text


def test_a_local_file_of_the_same_size_is_found_changed_by_reading_it(tmp_path):
    target = run(str(tmp_path))
    source = tmp_path / "in/top.ndjson"
    source.write_bytes(source.read_bytes().replace(b'"n":7,', b'"n":8,'))
    verdict = verify(STORE, target)
    assert verdict.proved
    assert notes(verdict) == {"source-newer"}
    verdict = verify(STORE, target, deep=True)
    (finding,) = [finding for finding in verdict.findings if finding.refutes]
    assert (finding.kind, finding.uri) == ("lines-differ", str(source))
    assert (
        "line 8 of it is another in the output: output/output-00000-of-00001.ndjson from byte" in finding.text
    )


def test_a_lost_record_is_missed_where_the_store_knows_the_file_was_there(target):
    it = Spoiled(target)
    lose_a_record(it)
    verdict = verify(STORE, target)
    local = not target.startswith("gs://")
    lost = {"ledger-changed", "totals-differ", "lines-unaccounted"}
    assert differences(verdict) == (lost if local else {*lost, "source-unrecorded"})
    (finding,) = [f for f in verdict.findings if f.kind == ("source-new" if local else "source-unrecorded")]
    assert finding.uri == it.source


def test_files_that_have_come_since_are_told_and_refute_nothing(place):
    target = run(place)
    for name in ("new.bz2", "2016/new.bz2"):
        STORE.write_bytes(f"{place}/in/{name}", bz2.compress(b"{}\n"))
    verdict = verify(STORE, target)
    assert verdict.proved
    assert sorted((f.kind, f.uri) for f in verdict.findings) == [
        ("source-new", f"{place}/in/2016/new.bz2"),
        ("source-new", f"{place}/in/new.bz2"),
    ]


def test_a_file_that_failed_may_be_mended_or_go_without_refuting_the_output(place):
    target = run(place)
    STORE.delete([f"{place}/in/bad/empty.bz2"])
    STORE.write_bytes(f"{place}/in/bad/cut.bz2", bz2.compress(b"{}\n"))
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.findings
    expected = {"failed-source-gone"}
    if place.startswith("gs://"):
        expected.add("failed-source-replaced")
    assert notes(verdict) == expected


def test_lines_swapped_between_files_are_found_by_decoding_even_if_all_else_was_made_to_agree(tmp_path):
    """An output that is consistent with itself, and wrong: only the files can tell."""
    target = run(str(tmp_path))
    shard = tmp_path / "out/output/output-00000-of-00001.ndjson"
    (record,) = ledger_records(STORE, target, about=FIRST)
    data = bytearray(shard.read_bytes())
    at = record.offset + 5
    data[at] ^= 1
    shard.write_bytes(bytes(data))
    published = [json.loads(line) for line in (tmp_path / "out/shards.ndjson").read_bytes().splitlines()]
    from pipeline.proof.files import measure
    from pipeline.write.publish import summary_crc32c

    published[0]["crc32c"] = measure(STORE, str(shard)).crc32c
    listed = tmp_path / "out/shards.ndjson"
    listed.write_bytes(b"".join(json.dumps(document).encode() + b"\n" for document in published))
    summary = read_summary(STORE, target)
    told = measure(STORE, str(listed))
    summary["shardsFile"] |= {"bytes": told.size, "crc32c": told.crc32c}
    summary["crc32c"] = summary_crc32c(summary)
    (tmp_path / "out/summary.json").write_text(json.dumps(summary))
    assert verify(STORE, target).proved
    (finding,) = verify(STORE, target, deep=True).findings
    assert (finding.kind, finding.uri) == ("lines-differ", record.uri)
    assert "line 1 of it is another in the output" in finding.text


def test_an_output_of_before_there_was_a_list_is_verified_as_far_as_it_can_be(target):
    it = Spoiled(target)

    def old(data: bytes) -> bytes:
        fields = ("jobId", "shard", "offset", "outputCrc32c")
        documents = [json.loads(line) for line in data.splitlines()]
        return b"".join(
            json.dumps({k: v for k, v in document.items() if k not in fields}).encode() + b"\n"
            for document in documents
        )

    it.change(it.ledger, old)
    STORE.delete([shards_uri(target)])
    summary = {k: v for k, v in read_summary(STORE, target).items() if k not in ("crc32c", "shardsFile")}
    it.change(summary_uri(target), lambda _: json.dumps(summary).encode())
    for deep in (False, True):
        verdict = verify(STORE, target, deep=deep)
        assert verdict.proved, verdict.findings
        assert notes(verdict) == {"not-checked"}
        assert verdict.counts["not-checked"] == 3
    lose_the_last_line(it)
    assert differences(verify(STORE, target)) == {"shards-differ"}
    add_a_shard(it)
    assert "shard-extra" in differences(verify(STORE, target))
    lose_a_shard(it)
    assert "shard-missing" in differences(verify(STORE, target))


def test_where_there_is_no_output_there_is_nothing_to_prove(place):
    with pytest.raises(RefusedError, match="holds no output: there is no "):
        verify(STORE, f"{place}/nothing")
    STORE.write_bytes(f"{place}/out/output/output-00000-of-00001.ndjson", b"{}\n")
    with pytest.raises(RefusedError, match="holds no output"):
        verify(STORE, f"{place}/out")


def test_a_name_that_is_no_text_is_verified_as_well(tmp_path):
    odd = str(tmp_path / "in/\udcff\udcfe.bz2")
    STORE.write_bytes(odd, bz2.compress(lines(1)))
    target = run(str(tmp_path))
    assert verify(STORE, target, deep=True).proved
    STORE.delete([odd])
    (finding,) = verify(STORE, target, deep=True).findings[:1]
    assert (finding.kind, finding.uri) == ("source-gone", odd)


def test_records_are_no_more_than_they_say(tmp_path):
    """Types that are wrong in a ledger are told, not raised."""
    target = run(str(tmp_path))
    it = Spoiled(target)
    for changes in ({"lines": "7"}, {"size": -1}, {"offset": 1 << 70}, {"shard": 3}, {"status": "fine"}):
        before = STORE.read_bytes(it.ledger)
        it.change_record(**changes)
        verdict = verify(STORE, target, deep=True)
        assert "record-unreadable" in differences(verdict), (changes, verdict.findings)
        it.change(it.ledger, lambda _, before=before: before)
    assert FileRecord.from_line(before.splitlines()[0])

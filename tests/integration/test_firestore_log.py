"""What only the Firestore job log has: a search by tokens, the bounds of a document, a server that is away."""

from __future__ import annotations

import socket

import pytest
from google.api_core.exceptions import DeadlineExceeded, FailedPrecondition
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.jobs.log import firestore_client, firestore_pages, firestore_words
from chimera_nb.jobs.log.firestore import FirestoreJobLog
from chimera_nb.jobs.log.firestore_words import FIELD, may_have, tokens_of
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.transitions import Change
from pipeline.errors import JobLogError
from tests.fixtures.job_logs import a_record, all_entries, all_pages, put_in


def test_fields_of_a_later_version_stay_in_a_firestore_document(firestore_job_log):
    firestore_job_log.create(record := a_record())
    document = firestore_job_log._collection.document(record.job_id)
    document.update({"later": "kept"})
    firestore_job_log.update(record.job_id, Change(status=Status.RUNNING))
    assert document.get().get("later") == "kept"


def test_a_search_in_text_reads_only_so_many_documents_for_a_page(firestore_job_log, monkeypatch):
    monkeypatch.setattr(firestore_pages, "_READ_AT_ONCE", 2)
    monkeypatch.setattr(firestore_pages, "_MOST_READ", 4)
    records = [
        a_record(day=day, target="gs://out/rare" if day == 1 else "gs://out/usual") for day in range(1, 8)
    ]
    for record in records:  # of an earlier version
        put_in(firestore_job_log, record.job_id, record.to_document())
    page = firestore_job_log.list(text="rare", limit=1)
    assert page.records == ()
    assert page.next_page_token
    assert all_pages(firestore_job_log, text="rare", limit=1) == [records[0].job_id]


def test_a_search_in_text_looks_into_no_record_that_has_its_tokens(firestore_job_log, monkeypatch):
    log, looked = firestore_job_log, []
    monkeypatch.setattr(firestore_words, "_PROBE_SECONDS", 90.0)
    monkeypatch.setattr(
        firestore_pages, "may_have", lambda found, text: looked.append(found.id) or may_have(found, text)
    )
    records = [a_record(day=day, target=f"gs://out/{'rare' if day % 3 else 'usual'}") for day in range(1, 10)]
    for record in records[:4]:
        put_in(log, record.job_id, record.to_document())
    put_in(log, "rare number", {"createdAt": 5})
    put_in(log, "rare list", {"createdAt": ["rare"]})
    put_in(log, "rare and undated", {})
    for record in records[4:]:
        log.create(record)
    dated = [records[day - 1].job_id for day in (8, 7, 5, 4, 2, 1)]
    for limit in (2, 50):
        looked.clear()
        found = [entry.job_id for entry in all_entries(log, text="RARE", limit=limit)]
        assert found == ["rare list", *dated, "rare number", "rare and undated"]
        assert not {record.job_id for record in records[4:]} & set(looked)
    log.update(records[3].job_id, Change(note="rarely seen"))  # whatever is changed has tokens from then on
    log.update(records[6].job_id, Change(name="Boxing day"))
    log._words._until = 0.0
    looked.clear()
    assert all_pages(log, text="rarely") == [records[3].job_id]
    assert records[3].job_id not in looked
    assert all_pages(log, text="boxing d", statuses=[Status.PENDING]) == [records[6].job_id]
    assert all_pages(log, text="boxing d", statuses=[Status.FAILED]) == []


def test_a_record_with_too_much_text_for_tokens_is_found_as_well(firestore_job_log):
    inputs = tuple(f"gs://in/{number:05}-{number * 7919 % 100_003}/" for number in range(300))
    records = [a_record(day=1, inputs=inputs), a_record(day=2)]
    for record in records:
        firestore_job_log.create(record)
    assert len(firestore_job_log._collection.document(records[0].job_id).get().get(FIELD)) == 2
    assert all_pages(firestore_job_log, text=f"{299:05}-{299 * 7919 % 100_003}") == [records[0].job_id]


@pytest.mark.parametrize(
    "fault", [FailedPrecondition("the query requires an index"), DeadlineExceeded("504")]
)
def test_a_search_that_no_index_serves_reads_as_it_did_before(firestore_job_log, monkeypatch, fault):
    def counted(documents, seconds=None):
        if seconds:
            raise fault
        return firestore_words.counted(documents)

    firestore_job_log.create(record := a_record(target="gs://out/rare"))
    firestore_job_log.create(a_record())
    monkeypatch.setattr(firestore_words, "counted", counted)
    assert all_pages(firestore_job_log, text="rare", limit=1) == [record.job_id]
    assert firestore_job_log._words.since("rare") == firestore_words.NEVER


@given(st.text(max_size=40), st.data())
def test_each_part_of_a_text_is_made_of_the_tokens_of_the_whole(text, data):
    start = data.draw(st.integers(0, len(text)))
    part = text[start : data.draw(st.integers(start, len(text)))]
    assert set(tokens_of(part)) <= set(tokens_of(text))


def test_the_emulator_holds_documents_to_one_mebibyte(firestore_job_log):
    with pytest.raises(Exception, match=r"exceeds the maximum|longer than|too large"):
        firestore_job_log._collection.document("large").set({"text": "x" * (1 << 20)})


def test_a_firestore_that_is_away_is_named_and_not_waited_for(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("localhost", 0))
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"localhost:{unused.getsockname()[1]}")
        monkeypatch.setattr(firestore_client, "SECONDS", 1.0)
        log = FirestoreJobLog("demo-chimera", collection="away")
        record = a_record()
        calls = [log.list, lambda: log.get(record.job_id), lambda: log.create(record)]
        for call in calls:
            with pytest.raises(JobLogError, match=r"'away'.*cannot be reached"):
                call()
        log.close()

"""Two sessions in one process: other stores, lists and logs side by side, and nothing of them is the process's."""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chimera_nb.data.output import read_output
from chimera_nb.data.preview import preview
from chimera_nb.data.proof import verify
from chimera_nb.data.sampling.sample import peek, sample
from chimera_nb.local import stack as local
from chimera_nb.session import Session, connect
from chimera_nb.settings import Settings
from chimera_nb.widgets.browser.widget import BucketBrowser
from pipeline.errors import NotAllowedError
from pipeline.storage import PlainStore

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def sessions(stack, tmp_path, monkeypatch):
    """One of each of two stacks, in an environment that names neither; the second has lists."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in [*os.environ]:
        if name.startswith(("CHIMERA_", "GOOGLE_", "GCE_", "CLOUDSDK_", "STORAGE_EMULATOR", "FIRESTORE_")):
            monkeypatch.delenv(name)
    other = local.start(tmp_path / "other")
    places = ("shared", "results")
    one, two = (
        connect(["gs://shared/"], data_dir=stack.data_dir),
        connect(
            ["gs://shared/"],
            settings=Settings(
                data_dir=other.data_dir, read_buckets=places, write_buckets=("results", "chimera-temp")
            ),
        ),
    )
    assert one.settings.storage_endpoint != two.settings.storage_endpoint
    # A store that bounds nothing puts the data there.
    for session, names in ((one, ["a", "b"]), (two, ["c"])):
        open_store = PlainStore(cloud=session.store.cloud)
        for bucket in ("shared", "results", "chimera-temp"):
            if not open_store.bucket_exists(bucket):
                open_store.make_bucket(bucket)
        for name in names:
            open_store.write_bytes(f"gs://shared/in/{name}.ndjson", f'{{"name":"{name}"}}\n'.encode())
    yield one, two
    one.close()
    two.close()
    local.stop(tmp_path / "other")


def names_in(session: Session) -> list[str]:
    return [entry.uri for entry in session.store.list_objects("gs://shared/in/")]


async def rows_of(session: Session) -> list[str]:
    browser = BucketBrowser("gs://shared/in/", session)
    sent = []
    browser.send = sent.append
    browser._on_message(browser, {"kind": "hello", "view": "one"}, [])
    give_up = time.monotonic() + 30
    while not (browser._model.shown.objects or browser.error):
        assert time.monotonic() < give_up, browser.error
        await asyncio.sleep(0.01)
    assert browser.error == ""
    browser.close()
    return [row.name for row in browser._model.shown.objects]


def test_two_sessions_with_other_stores_lists_and_logs_work_side_by_side(sessions):
    one, two = sessions
    before = dict(os.environ)

    # What is read, by threads that take turns.
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(names_in, [one, two] * 20))
    listed = [["gs://shared/in/a.ndjson", "gs://shared/in/b.ndjson"], ["gs://shared/in/c.ndjson"]]
    assert found == listed * 20
    # A worker's store is the session's, without a variable that says so.
    for session, uris in zip(sessions, listed, strict=True):
        worker = pickle.loads(pickle.dumps(session.settings.job_store))
        assert [entry.uri for entry in worker.list_objects("gs://shared/in/")] == uris

    # What is looked inside of, sampled and shown.
    assert preview("gs://shared/in/a.ndjson", session=one).lines == (b'{"name":"a"}',)
    assert list(peek("gs://shared/in/c.ndjson", session=two)["name"]) == ["c"]
    assert sorted(sample("gs://shared/in/", session=one)["name"]) == ["a", "b"]
    assert sorted(sample("gs://shared/in/", session=two)["name"]) == ["c"]
    assert asyncio.run(rows_of(one)) == ["a.ndjson", "b.ndjson"]
    assert asyncio.run(rows_of(two)) == ["c.ndjson"]

    # The lists of one bound the other in nothing.
    assert not one.store.exists("gs://elsewhere/x")
    with pytest.raises(NotAllowedError):
        two.store.exists("gs://elsewhere/x")

    # Jobs of both at once, to a target of the same name; one of them goes through its stack's Dataflow.
    jobs = [
        session.service.submit(["gs://shared/in/"], "gs://results/out", runner=runner)
        for session, runner in ((one, "direct"), (two, "dataflow"))
    ]
    ended = [
        session.service.wait(job.job_id, seconds=200) for session, job in zip(sessions, jobs, strict=True)
    ]
    assert [(record.status.value, record.error) for record in ended] == [("complete", None)] * 2
    assert [record.summary["lines"] for record in ended] == [2, 1]
    for session, job, names in zip(sessions, jobs, (["a", "b"], ["c"]), strict=True):
        in_log = {record.job_id for record in session.log.list(limit=1000).records}
        assert in_log & {one.job_id for one in jobs} == {job.job_id}
        assert sorted(read_output(job.job_id, session=session)["name"]) == names
        assert verify("gs://results/out", session=session).checked["files"] == len(names)
    assert dict(os.environ) == before

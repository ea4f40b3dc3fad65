"""The data side of the toolkit on a bucket, after a real job, and in a real kernel."""

from __future__ import annotations

import bz2
import json
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
import requests
import urllib3
from jupyter_client.manager import start_new_kernel

import chimera_nb as ch
from chimera_nb import peek, read_output, sample
from chimera_nb.data.preview import MAX_BYTES, preview
from chimera_nb.data.sampling import cache
from chimera_nb.data.sampling.run import SampleCancelledError
from chimera_nb.data.sampling.sample import SampleProgress, SampleWarning
from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.local.demo.files import demo_files, market_of_size
from chimera_nb.magics import run
from chimera_nb.settings import load_settings
from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from tests.fixtures.archives import DS_STORE, Made, archive
from tests.fixtures.sampling import hold_no_sample

STORE = PlainStore()

FILES = 40


@pytest.fixture(autouse=True)
def data_dir(on_stack, tmp_path, monkeypatch):
    """A data folder of the test's own on the stack of all."""
    return hold_no_sample(monkeypatch, tmp_path / "data")


@pytest.fixture(scope="session")
def demo(stack, storage_client) -> tuple[str, list]:
    """The demo's files in a bucket of their own."""
    bucket = storage_client.create_bucket("toolkit-data")
    files = list(demo_files(files=FILES))
    for file in files:
        bucket.blob(file.name).upload_from_string(file.data)
    return "gs://toolkit-data", files


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, int]]:
    """What crosses the wire for objects, as it is asked for: (address, bytes received)."""
    seen: list[tuple[str, int]] = []
    send = requests.Session.send

    def counted(session, request, **options):
        response = send(session, request, **options)
        if "/o/" in request.url:
            seen.append((request.url, int(response.headers.get("Content-Length", 0))))
        return response

    urlopen = urllib3.PoolManager.urlopen

    def opened(manager, method, url, **options):
        answer = urlopen(manager, method, url, **options)
        if "/o/" in url:
            seen.append((url, int(answer.headers.get("Content-Length", 0))))
        return answer

    monkeypatch.setattr(requests.Session, "send", counted)
    monkeypatch.setattr(urllib3.PoolManager, "urlopen", opened)
    return seen


def test_a_preview_is_one_ranged_read(bucket, sent):
    uri = f"gs://{bucket}/1.1.bz2"
    raw = market_of_size(1, 6_000_000, plan="PRO")
    STORE.write_bytes(uri, bz2.compress(raw))
    assert STORE.stat(uri).size > 2 * MAX_BYTES
    sent.clear()
    found = preview(uri)
    assert [received for _, received in sent] == [MAX_BYTES]
    assert raw.startswith(b"\n".join(found.lines))
    assert found.estimated_raw_bytes == pytest.approx(len(raw), rel=0.2)
    sent.clear()
    frame = peek(uri, 5)
    assert len(frame) == 5
    assert sum(received for url, received in sent if "alt=media" in url) == MAX_BYTES


def test_a_folder_and_a_glob_of_a_bucket_are_said_to_be_such(on_stack, bucket):
    STORE.write_bytes(f"gs://{bucket}/in/1.json", b"{}\n")
    for path in ("", "/", "/in", "/in/"):
        with pytest.raises(
            RefusedError, match=f"is a folder with 1 file in it.* give the first: gs://{bucket}/in/1.json"
        ):
            preview(f"gs://{bucket}{path}")
    with pytest.raises(
        RefusedError, match=f"is a glob.* give the first that it matches: gs://{bucket}/in/1.json"
    ):
        peek(f"gs://{bucket}/*/*.json")
    with pytest.raises(ObjectNotFoundError, match=r"^there is no such object or bucket"):
        peek(f"gs://{bucket}/none")
    with pytest.raises(
        ObjectNotFoundError, match=r"^there is no such object or bucket: gs://none-such/none$"
    ):
        peek("gs://none-such/none")


def test_a_preview_of_a_file_in_a_zip_reads_a_part_of_it_of_one_version(bucket, sent):
    uri = f"gs://{bucket}/1.zip"
    raw = market_of_size(1, 2_000_000, plan="PRO")
    data = archive([Made("a/.DS_Store", DS_STORE), *(Made(f"a/{n}", raw, streamed=True) for n in range(3))])
    STORE.write_bytes(uri, data)
    sent.clear()
    found = preview(f"{uri}!/a/1")
    asked = [url for url, received in sent if received]
    assert len(asked) <= 6
    assert sum(f"generation={STORE.look(uri).generation}" in url for url in asked) >= 2  # directory and file
    assert (found.problem, found.read_bytes, found.size) == (None, MAX_BYTES, len(raw))
    assert raw.startswith(b"\n".join(found.lines))
    assert found.lines


def test_a_sample_of_a_bucket_is_the_same_twice_and_then_comes_from_the_cache(demo, sent):
    root, files = demo
    with pytest.warns(SampleWarning, match=f"of {FILES} files cannot be read"):
        first = sample(f"{root}/", 500, seed=3)
    assert len(first) == 500
    lines = {}
    for uri, place in zip(first._file, first._file_line, strict=True):
        file = next(file for file in files if f"{root}/{file.name}" == uri)
        assert file.fault is None
        raw = bz2.decompress(file.data) if file.data[:3] == b"BZh" else None
        if raw:
            lines[uri, place] = json.loads(raw.split(b"\n")[place - 1])
    assert len(lines) > 400
    for uri, place, clk in zip(first._file, first._file_line, first.clk, strict=True):
        if (uri, place) in lines:
            assert lines[uri, place]["clk"] == clk
    cache._memory.clear()
    sent.clear()
    with pytest.warns(SampleWarning, match="cannot be read"):
        again = sample(f"{root}/", 500, seed=3)
    assert again.equals(first)
    assert sent == []


def test_a_sample_of_a_slow_bucket_stops_when_it_is_told_to(demo, faults):
    root, _ = demo
    faults(latency_ms=300, match="alt=media")
    cancel = threading.Event()

    def look(progress: SampleProgress) -> None:
        if progress.files_total:
            cancel.set()

    began = time.monotonic()
    with pytest.raises(SampleCancelledError):
        sample(f"{root}/", 10, seed=8, on_progress=look, cancel=cancel)
    assert time.monotonic() - began < 10
    assert not [t for t in threading.enumerate() if t.name.startswith(("sample", "draw-lines"))]


def test_the_output_of_a_job_is_read_by_its_id(demo, bucket, data_dir):
    root, _ = demo
    job = ch.submit(f"{root}/ADVANCED/", f"gs://{bucket}/out", shards=3).wait(120)
    record = job.record
    frame = read_output(record.job_id)
    assert job.frame().equals(frame)
    assert job.verify().proved
    ledger = job.ledger()
    assert int(ledger.lines.sum()) == len(frame)
    assert (ledger.status == "failed").sum() == len(job.failures()) == record.summary["files"]["failed"]
    assert len(frame) == record.summary["lines"] > 0
    assert read_output(f"gs://{bucket}/out").equals(frame)
    assert read_output(record).equals(frame)
    ops = Counter(frame.op)
    assert len(read_output(record, where={"op": "mcm"}, columns=["pt"])) == ops["mcm"]
    assert sum(map(len, read_output(record, batch_rows=100))) == len(frame)
    assert run("jobs").job.tolist() == [record.job_id]
    assert run(f"ls gs://{bucket}/out").uri.tolist()[-1] == f"gs://{bucket}/out/summary.json"
    STORE.delete([f"gs://{bucket}/out/output/output-00001-of-00003.ndjson"])
    with pytest.raises(StorageError, match="is missing, with which 1 of 3"):
        read_output(record.job_id)


# In a kernel


@pytest.fixture
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def messages(client, code: str, on_message=lambda _: None) -> list[dict]:
    """Run code; all that the kernel says of it."""
    found: list[dict] = []

    def hook(message) -> None:
        found.append({"type": message["msg_type"], **message["content"]})
        on_message(found[-1])

    client.execute_interactive(code, timeout=90, output_hook=hook)
    return found


def test_in_a_kernel_there_is_a_bar_that_goes_and_no_word_else(demo, kernel):
    root, _ = demo
    _, client = kernel
    found = messages(
        client,
        "import warnings; warnings.simplefilter('ignore')\n"
        "%load_ext chimera_nb\n"
        f"frame = %chimera sample {root}/ -n 50 -s 11\n"
        "print(frame.shape[0], frame.attrs['sample']['files'])",
    )
    assert [m["text"] for m in found if m["type"] == "stream"] == [f"50 {FILES}\n"]
    assert [m for m in found if m["type"] == "error"] == []
    displayed = [m["data"] for m in found if m["type"] == "display_data"]
    assert len(displayed) == 1
    assert "application/vnd.jupyter.widget-view+json" in displayed[0]
    assert "cdn" not in json.dumps(found).lower()
    assert not any(word in json.dumps(found).lower() for word in ("jquery", "bootstrap"))
    log = open_log(load_settings())
    spec = JobSpec((f"{root}/",), "gs://results/x", new_job_id())
    log.create(replace(JobRecord.from_spec(spec, runner="direct"), status=Status.COMPLETE))
    log.close()
    code = f"import chimera_nb as ch; job = ch.job({spec.job_id!r}); print((await job).wait().status)\njob"
    found = messages(client, code)
    assert [m["text"] for m in found if m["type"] == "stream"] == ["complete\n"]
    bar, monitor = [m["data"] for m in found if m["type"] in ("display_data", "execute_result")]
    assert "application/vnd.jupyter.widget-view+json" in bar
    assert "application/vnd.jupyter.widget-view+json" in monitor
    assert spec.job_id in monitor["text/plain"]
    found = messages(client, f"%chimera peek {root}/nothing")
    assert [m["name"] for m in found if m["type"] == "stream"] == ["stderr"]
    assert [m for m in found if m["type"] == "error"] == []


def test_an_interrupted_cell_ends_and_leaves_nothing_running(demo, kernel, faults):
    root, _ = demo
    manager, client = kernel
    faults(latency_ms=400, match="alt=media")
    began = []

    def interrupt(message) -> None:
        if message["type"] == "stream" and "reading" in message["text"] and not began:
            began.append(time.monotonic())
            manager.interrupt_kernel()

    look = "lambda p: p.files_total and print('reading', flush=True)"
    code = f"from chimera_nb import sample\nsample('{root}/', 10, seed=12, on_progress={look})"
    found = messages(client, code, interrupt)
    assert [m["ename"] for m in found if m["type"] == "error"] == ["KeyboardInterrupt"]
    assert time.monotonic() - began[0] < 10
    found = messages(client, "import threading; print([t.name for t in threading.enumerate()])")
    (text,) = [m["text"] for m in found if m["type"] == "stream"]
    assert "sample" not in text
    assert "draw-lines" not in text

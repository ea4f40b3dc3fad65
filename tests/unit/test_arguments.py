from __future__ import annotations

import bz2
import json
from pathlib import Path

import numpy as np
import pytest

from chimera_nb.arguments import path_text, path_texts, whole_number
from chimera_nb.data.frames import flatten
from chimera_nb.data.output import read_output
from chimera_nb.data.preview import preview
from chimera_nb.data.sampling.sample import peek, sample
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.runners.direct import DirectJobs
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session, connect
from chimera_nb.widgets import BucketBrowser, FilePreview, JobForm
from pipeline.errors import NoStackError, RefusedError, UnknownNameError


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "in" / "a.bz2"
    path.parent.mkdir()
    path.write_bytes(bz2.compress(b'{"n":1}\n{"n":2}\n'))
    return path


def test_a_path_does_as_well_as_text(file):
    assert preview(file).lines == preview(str(file)).lines
    assert peek(file, 1).n.tolist() == [1]
    assert sorted(sample(file.parent, 1e3).n) == [1, 2]
    assert sorted(sample([file], np.int64(5), seed=1).n) == [1, 2]


def test_a_path_of_a_bucket_is_refused_with_the_way_out(file):
    with pytest.raises(RefusedError, match=r"^gs:/b/x is a Path made of a gs:// URI; give the URI as text"):
        peek(Path("gs://b/x"))


@pytest.mark.parametrize("path", [None, 7, b"/data", ["/data"]])
def test_what_is_no_path_is_refused_in_one_line(path):
    with pytest.raises(RefusedError, match=r"^[^\n]* [pP]ath"):
        path_text(path)
    with pytest.raises(RefusedError, match=r"^[^\n]*path"):
        path_texts([path])
    with pytest.raises(RefusedError):
        peek(path)


@pytest.mark.parametrize("n", [0, -1, 1.5, "5", None, True, float("nan"), float("inf"), 0.0])
def test_what_is_no_count_is_refused_by_its_name(file, n):
    with pytest.raises(RefusedError, match=r"^n is .*; give a whole number, 1 or more$"):
        peek(file, n)
    with pytest.raises(RefusedError, match=r"^n is .*; give a whole number, 1 or more$"):
        sample(file, n)
    if n is not None:
        with pytest.raises(RefusedError, match=r"^batch_rows is .*; give a whole number"):
            read_output(file.parent, batch_rows=n)


@pytest.mark.parametrize("n", [1, 1e3, np.int32(7), np.float64(2)])
def test_whole_numbers_of_any_type_are_counts(n):
    assert whole_number(n, "n", 1) == n
    assert type(whole_number(n, "n", 1)) is int


def test_a_home_is_put_in_wherever_a_path_is_taken(file, monkeypatch):
    monkeypatch.setenv("HOME", str(file.parent))
    assert peek("~/a.bz2").n.tolist() == preview_rows("~/a.bz2") == [1, 2]
    assert sorted(sample("~/", 5).n) == [1, 2]
    with pytest.raises(RefusedError, match=f"^{file.parent}/out holds no complete output"):
        read_output("~/out")


def preview_rows(path) -> list[int]:
    return [json.loads(line)["n"] for line in preview(path).lines]


@pytest.mark.parametrize("path", ["", "a\0b", None, 7, b"/x", Path("gs://b/x")])
def test_every_function_that_takes_a_path_refuses_what_is_none(path):
    for call in (peek, preview, sample, read_output, connect):
        with pytest.raises(RefusedError, match=r"^[^\n]* [pP]ath"):
            call(path)


def test_one_path_does_as_well_as_a_list_of_one(file):
    assert connect(file).settings == connect([str(file)]).settings
    for one in ("gs://b/x", ["gs://b/x"]):
        with pytest.raises(NoStackError, match=r"^gs://b/x: no local stack runs"):
            connect(one)


def test_a_file_is_read_to_its_end_however_many_bytes_are_asked_for(file):
    for many in (10**9, 1e15, 10**30):
        assert preview(file, max_bytes=many).complete


@pytest.mark.parametrize("seed", [np.int64(3), 3.0])
def test_a_seed_is_the_number_that_it_is_equal_to(file, seed):
    assert sample(file, 1, seed=seed).equals(sample(file, 1, seed=3))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": "n"}, r"^columns is the text 'n'; give a list of names: \['n'\]$"),
        ({"columns": 3}, r"^columns is 3; give a list of names$"),
        ({"columns": ["n", 1]}, r"^columns has 1 in it; names are texts$"),
        ({"explode": 3}, r"^explode is 3; give the name of one field"),
        ({"explode": ["n"]}, r"^explode is \['n'\]; give the name of one field"),
    ],
)
def test_what_is_no_choice_is_refused_by_its_name(file, options, said):
    for call in (peek, sample):
        with pytest.raises(RefusedError, match=said):
            call(file, **options)


def test_what_can_be_no_name_is_refused_by_what_it_is_for(file):
    with pytest.raises(RefusedError, match=r"^explode is 3"):
        flatten(peek(file), explode=3)
    for source in (None, 3):
        with pytest.raises(
            UnknownNameError, match=f"^no source is named '{source}'; there are: betfair, ndjson"
        ):
            sample(file, source=source)
    with pytest.raises(RefusedError, match=r"^seed is 'x'; give a whole number$"):
        sample(file, seed="x")


@pytest.fixture
def service(monkeypatch) -> JobService:
    """One that starts no process."""
    service = Session().service
    monkeypatch.setattr(DirectJobs, "launch", lambda _self, record: record)
    yield service
    service.log.close()


def test_the_counts_of_a_job_may_be_of_any_kind(service, file, tmp_path):
    counts = {"shards": 1e3, "max_failures": np.int64(3), "max_ratio": 0.0, "spool_mb": None}
    record = service.submit(file, tmp_path / "out", **counts)
    assert {name: record.spec[name] for name in ("shards", "maxFailures", "maxRatio", "spoolMb")} == {
        "shards": 1000,
        "maxFailures": 3,
        "maxRatio": 0,
        "spoolMb": None,
    }
    assert [found.job_id for found in service.list(limit=1e1, statuses="pending").entries] == [record.job_id]
    assert len(service.list(limit=np.int64(5), statuses=["pending", Status.FAILED]).entries) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shards": "3"}, r"^shards is '3'; give a whole number$"),
        ({"spool_mb": 1.5}, r"^spool_mb is 1.5; give a whole number$"),
        ({"max_ratio": None}, r"^maxRatio is None; give int$"),
        ({"runner": 3}, r"^no runner is named '3'; there are: dataflow, direct$"),
        ({"runner": []}, r"^no runner is named '\[\]'"),
        ({"runner_options": 3}, r"^runner_options is 3; give a dict"),
        ({"shard": 3}, r"^no option of a job is named 'shard'; there are: .*shards"),
        ({"job_id": "x"}, r"^no option of a job is named 'job_id'"),
    ],
)
def test_what_is_no_option_of_a_job_is_refused_by_its_name(service, file, tmp_path, options, said):
    with pytest.raises(RefusedError, match=said):
        service.submit(file, tmp_path / "out", **options)
    assert not service.list().entries


def test_what_asks_for_no_job_is_refused_in_one_line(service):
    for call in (service.get, service.wait, service.cancel, service.retry, service.clone):
        for job_id in (None, 7, b"x", Path("x")):
            with pytest.raises(RefusedError, match=r"is no job's id; an id is text"):
                call(job_id)
    for asked, said in (
        ({"limit": "3"}, r"^limit is '3'; give a whole number$"),
        ({"limit": None}, r"^limit is None"),
        ({"statuses": "nope"}, r"^statuses is 'nope'; there are: pending, running"),
        ({"statuses": 3}, r"^statuses is 3"),
        ({"text": 3}, r"^text is 3; give it as text$"),
        ({"source": ["x"]}, r"^source is \['x'\]; give it as text$"),
        ({"created_after": 3}, r"^time 3 cannot be read"),
    ):
        with pytest.raises(RefusedError, match=said):
            service.list(**asked)


def test_widgets_take_paths_as_functions_do(file):
    assert BucketBrowser(file.parent).path == f"{file.parent}/"
    assert FilePreview(file).uri == str(file)
    assert JobForm(file).inputs == JobForm([str(file)]).inputs == (str(file),)
    assert JobForm("gs://b/x").inputs == ("gs://b/x",)
    for make in (BucketBrowser, FilePreview, JobForm):
        for path in (None, 7, b"/x", Path("gs://b/x")):
            with pytest.raises(RefusedError, match=r"^[^\n]* [pP]ath"):
                make(path)
    with pytest.raises(RefusedError, match=r"^buckets is the text 'abc'"):
        BucketBrowser(buckets="abc")

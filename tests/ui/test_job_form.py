"""JobForm in a real browser, in JupyterLab and in Voilà, on the local stack."""

from __future__ import annotations

import bz2
import json
import re

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings

NASTY = "<img src=x onerror=\"document.title='owned'\">\u202e/"
PROBE = """
import json, ipywidgets
probe = ipywidgets.Textarea(layout={"width": "95%"})
def say(*_):
    probe.value = json.dumps([form.inputs, form.job_id, form.error])
form.observe(say)
say()
display(form, probe)
"""


def cell(inputs, target, more=""):
    return f"from chimera_nb.widgets import JobForm\nform = JobForm({inputs!r}, target={target!r}{more})"


def kernel(page):
    """(inputs, job_id, error) as the kernel has them."""
    return json.loads(page.locator("textarea").last.input_value())


def figure(page, label):
    return page.locator(".ch-figure").filter(has=page.get_by_text(label, exact=True)).locator("dd")


def go(page):
    return page.locator(".ch-go")


@pytest.fixture
def markets(storage_client, bucket) -> str:
    """A bucket with four .bz2 files of 100 records in 2016/, and a text beside them."""
    held = storage_client.bucket(bucket)
    data = bz2.compress(b'{"op":"mcm","pt":1451606400000}\n' * 100)
    for name in ("2016/Jan/1.1.bz2", "2016/Jan/1.2.bz2", "2016/Feb/1.3.bz2", f"2016/{NASTY}1.4.bz2"):
        held.blob(name).upload_from_string(data)
    held.blob("2016/notes.txt").upload_from_string(b"x")
    return bucket


def test_a_job_is_planned_launched_by_a_double_click_once_and_offered_again(show, markets, stack):
    page = show(
        cell([f"gs://{markets}/2016/"], f"gs://{markets}/out", ', source="betfair", runner="direct"'), PROBE
    )
    expect(figure(page, "Files")).to_have_text("4")
    expect(figure(page, "Unpacked")).to_have_text("about 12.8 kB")
    expect(figure(page, "Time")).to_have_text("under a minute")
    expect(go(page)).to_be_enabled()
    expect(page.locator(".ch-form-prefix .ch-hint")).to_have_text("Nothing is here yet.")
    go(page).dblclick()
    expect(page.locator(".ch-form-says")).to_have_text(re.compile(r"Launched \d{4}-\d\d-\d\d-[0-9a-f]{8}\."))
    job_id = kernel(page)[1]
    service = JobService(Settings(data_dir=stack.data_dir))
    assert service.wait(job_id, seconds=150).status == "complete"
    mine = [record for record in service.list().records if record.target_bucket == markets]
    assert [record.job_id for record in mine] == [job_id]

    expect(go(page)).to_be_disabled()
    page.get_by_role("button", name="Set up another").click()
    expect(page.get_by_label("Folder", exact=True)).to_have_value(re.compile(r"^out-[0-9a-f]{4}$"))
    expect(go(page)).to_be_enabled()
    page.get_by_label("Folder", exact=True).fill("out")
    expect(go(page)).to_have_text("Launched")

    page.get_by_label("Source", exact=True).select_option("ndjson")
    page.get_by_label("Start from an earlier job").select_option(job_id)
    expect(page.get_by_label("Source", exact=True)).to_have_value("betfair")
    expect(page.get_by_label("Folder", exact=True)).to_have_value(re.compile(r"^out-[0-9a-f]{4}$"))


def test_what_is_wrong_is_told_while_it_is_typed_and_a_full_target_can_be_replaced(
    voila, markets, storage_client
):
    storage_client.bucket(markets).blob("full/summary.json").upload_from_string(
        b'{"jobId": "2026-01-01-00000000"}'
    )
    page = voila(cell([f"gs://{markets}/2016/"], f"gs://{markets}/out"), PROBE)
    expect(go(page)).to_be_enabled()
    prefix, said = page.get_by_label("Folder", exact=True), page.locator(".ch-form-prefix .ch-hint")
    prefix.press_sequentially("/*")
    expect(said).to_contain_text("which stand for other characters")
    expect(prefix).to_have_attribute("aria-invalid", "true")
    expect(go(page)).to_be_disabled()
    prefix.fill("2016/out")
    expect(said).to_contain_text("is inside the input")
    expect(page.get_by_label("Replace what is there")).to_be_hidden()
    prefix.fill("full")
    expect(said).to_contain_text("The output of job 2026-01-01-00000000 is here already")
    page.get_by_label("Replace what is there").check()
    expect(said).to_contain_text("it will be replaced")
    expect(go(page)).to_be_enabled()
    page.get_by_label("Bucket").fill("no-such-bucket")
    expect(said).to_have_text("The bucket gs://no-such-bucket is made with the job.")
    page.get_by_label("Bucket").fill("/etc")
    expect(page.locator(".ch-form-bucket .ch-hint")).to_contain_text("writes to buckets")
    page.get_by_label("Bucket").fill(markets)
    expect(said).to_contain_text("is here already")  # leave to replace was given for the target of before
    page.get_by_label("Replace what is there").check()
    page.get_by_label("On Dataflow").check()
    page.get_by_label("Region").fill("europe-west1-b")
    expect(page.locator(".ch-form-region .ch-hint")).to_contain_text("it is a zone: write europe-west1")
    page.get_by_label("Region").fill("europe-west1")
    page.get_by_label("Max workers").fill("2")
    expect(go(page)).to_have_text("Launch on Dataflow")
    expect(go(page)).to_be_enabled()
    page.get_by_text("The same job as code").click()
    expect(page.locator(".ch-code")).to_contain_text(
        "runner_options={'region': 'europe-west1', 'max_workers': 2}"
    )
    page.get_by_role("tab", name="Notebook cell").press("ArrowRight")
    expect(page.locator(".ch-code")).to_contain_text("--max-workers=2")
    assert prefix.input_value() == "full"


def test_hostile_names_are_text_and_a_selection_that_matches_nothing_is_told(show, markets):
    uris = [f"gs://{markets}/2016/{NASTY}", f"gs://{markets}/2016/*.none"]
    page = show(cell(uris, f"gs://{markets}/out"), PROBE)
    expect(page.locator(".ch-form-input").first).to_contain_text("U+202E")
    expect(page.locator(".ch-form-inputs .ch-hint")).to_contain_text(f"matches gs://{markets}/2016/*.none")
    expect(go(page)).to_be_disabled()
    page.get_by_text("The same job as code").click()
    expect(page.locator(".ch-code")).to_contain_text("<img src=x")
    assert page.locator(".ch-form img").count() == 0
    assert page.title() != "owned"


def test_without_a_stack_one_line_says_how_to_start_one(voila, tmp_path):
    nowhere = (
        "import os\nos.environ.pop('STORAGE_EMULATOR_HOST', None)\n"
        f"os.environ['CHIMERA_DATA_DIR'] = {str(tmp_path)!r}"
    )
    page = voila(nowhere, cell([], ""), PROBE)
    expect(page.get_by_role("alert")).to_contain_text("chimera up --detach")
    assert "\n" not in kernel(page)[2]
    expect(page.locator(".ch-form-says")).to_contain_text("Nothing is selected yet")


def test_what_will_not_be_read_stands_in_the_plan_with_its_names_and_can_be_read_after_all(show, markets):
    page = show(cell([f"gs://{markets}/2016/"], f"gs://{markets}/out", ', source="betfair"'), PROBE)
    line = page.locator(".ch-unread-line")
    expect(line).to_contain_text("1 of 5 files (1 B) will not be read: not .bz2")
    expect(page.locator(".ch-form-says")).to_have_text("1 of 5 files will not be read.")
    expect(page.locator(".ch-unread-list")).to_be_hidden()
    line.get_by_role("button", name="Show them").click()
    expect(page.locator(".ch-unread-list li")).to_have_text([f"gs://{markets}/2016/notes.txt not .bz2"])
    line.get_by_role("button", name="Read every file").click()
    expect(figure(page, "Files")).to_have_text("5")
    expect(page.locator(".ch-form-says")).to_have_text("Ready to launch.")
    expect(line).to_contain_text("Every file of the selection is read, whatever its name.")
    line.get_by_role("button", name="Leave to the source").click()
    expect(figure(page, "Files")).to_have_text("4")
    expect(line).to_contain_text("1 of 5 files (1 B) will not be read")

"""A view from the form to the result tab, in a real browser: rows of runners, and a market drawn."""

from __future__ import annotations

import bz2

import pytest
from playwright.sync_api import expect

from chimera_nb.jobs.record import Status
from chimera_nb.local.demo.market import make_market
from pipeline.storage import PlainStore

STORE = PlainStore()


def form(bucket):
    return (
        "from chimera_nb.widgets.job_form.widget import JobForm\n"
        f'form = JobForm(["gs://{bucket}/in/"], source="betfair", target="gs://{bucket}/runners", '
        'runner="direct")\nform'  # left out, it is that of the last job on the stack
    )


def monitor(job_id):
    return f"from chimera_nb.widgets.job_monitor.widget import JobMonitor\nJobMonitor({job_id!r})"


@pytest.fixture
def markets(bucket):
    """Two markets in a bucket; their folder."""
    for seed in (1, 2):
        raw = make_market(seed, 120)
        market_id = raw.partition(b'"mc":[{"id":"')[2].partition(b'"')[0].decode()
        STORE.write_bytes(f"gs://{bucket}/in/{market_id}.bz2", bz2.compress(raw))
    return f"gs://{bucket}/in/"


@pytest.fixture
def new_job(service, bucket, markets):
    """A function that runs a view of the markets to Parquet; the id of the job."""

    def run(view):
        job = service.submit(
            [markets], f"gs://{bucket}/{view}", source="betfair", view=view, format="parquet"
        )
        assert service.wait(job.job_id, seconds=150).status is Status.COMPLETE
        return job.job_id

    return run


def test_runners_are_run_from_the_form_as_parquet_and_their_rows_shown(show, service, markets, bucket):
    page = show(form(bucket))
    page.get_by_label("View", exact=True).select_option("runners")
    page.get_by_label("Format", exact=True).select_option("parquet")
    expect(page.locator(".ch-go")).to_be_enabled()
    page.locator(".ch-go").click()
    expect(page.locator(".ch-form-says")).to_contain_text("Launched")
    (record,) = [record for record in service.list().records if record.target_bucket == bucket]
    assert service.wait(record.job_id, seconds=150).status is Status.COMPLETE

    page = show(monitor(record.job_id))
    rows = page.get_by_role("region", name="Rows of the output")
    expect(rows.locator("thead th").first).to_have_text("market_id")
    expect(rows.locator("thead th", has_text="selection_name")).to_have_count(1)
    told = {text.split(". ")[-1] for text in rows.locator("tbody tr td:nth-child(8)").all_inner_texts()}
    assert "WINNER" in told
    expect(page.get_by_role("link", name="output-00000-of-00001.parquet")).to_be_visible()
    assert page.get_by_label("What to plot").locator("option", has_text="One market").count() == 0


def test_a_market_of_the_prices_is_drawn_and_another_chosen(show, new_job):
    page = show(monitor(new_job("prices")))
    expect(page.get_by_label("What to plot")).to_have_value("picture")
    image = page.locator(".ch-picture img")
    market = page.get_by_label("Which market")
    expect(market.locator("option")).to_have_count(2)
    expect(page.get_by_text("2 markets")).to_be_visible()
    first, second = market.locator("option").all_inner_texts()
    expect(image).to_have_attribute("alt", f"The market {first}, drawn over time")
    drawn = image.get_attribute("src")
    market.select_option(second)
    expect(image).to_have_attribute("alt", f"The market {second}, drawn over time")
    assert image.get_attribute("src") != drawn
    assert image.evaluate("one => one.naturalWidth") > 200

    page.get_by_label("What to plot").select_option("Size of the files")
    expect(image).to_be_hidden()
    expect(market).to_be_hidden()
    expect(page.locator(".ch-result-plot rect")).to_have_count(1)
    page.get_by_label("What to plot").select_option("One market")
    expect(image).to_be_visible()
    expect(page.locator(".ch-result-plot .ch-chart")).to_be_hidden()


def test_a_file_is_shown_as_a_view(show, markets):
    uri = next(entry.uri for entry in STORE.list_objects(markets))
    page = show(f"from chimera_nb.widgets.preview.widget import FilePreview\nFilePreview({uri!r})")
    page.get_by_role("tab", name="Table", exact=True).click()
    shows = page.get_by_label("The table shows")
    expect(shows.locator("option")).to_have_text(["as records", "as catalogue", "as runners", "as prices"])
    shows.select_option("as catalogue")
    head = page.locator(".ch-preview-panel thead th")
    expect(head.first).to_have_text("market_id")
    expect(page.locator(".ch-preview-panel tbody tr")).to_have_count(1)
    each = page.get_by_label("A row for each", exact=True)
    expect(each).to_be_hidden()
    shows.select_option("as records")
    expect(head.first).to_have_text("op")
    each.select_option("A row for each item of mc")
    expect(head.filter(has_text="mc.id")).to_have_count(1)

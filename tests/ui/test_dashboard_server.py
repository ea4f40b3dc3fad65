"""The dashboard's server: its pages, their kernels, connections that are lost, the command."""

from __future__ import annotations

import json
import re
import time
import urllib.request

import psutil
import pytest
from playwright.sync_api import expect

from tests.fixtures.dashboard import PROBE, Visitor, json_of
from tests.fixtures.jupyter import PATIENCE_MS
from tests.fixtures.pages import NARROW


def click(page):
    page.get_by_role("button", name="who").click()


def says(page, text):
    expect(page.locator(".dash-cell input")).to_have_value(text)


# ---- Pages ----


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_whole_with_no_other_host_in_reach(dashboard, new_page, scheme):
    page = new_page(NARROW if scheme == "dark" else (1440, 900), scheme)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(dashboard.url)
    click(page)
    says(page, "1 None")
    expect(page.locator("#dash-skeleton")).to_have_count(0)
    hosts = {
        re.sub(r"^(\w+://[^/]+).*", r"\1", url) for url in asked if not url.startswith(("data:", "blob:"))
    }
    assert hosts == {dashboard.base.rstrip("/")}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) is (scheme == "dark")


def test_two_visitors_have_a_kernel_each(dashboard, new_page):
    first, second = new_page(), new_page()
    for page in (first, second):
        page.goto(dashboard.url)
        click(page)
        says(page, "1 None")
    click(first)
    says(first, "2 None")
    says(second, "1 None")


def test_a_visitor_who_finds_no_kernel_ready_sees_the_skeleton_at_once(serve_dashboard):
    slow = serve_dashboard("import time\ntime.sleep(5)", PROBE, warm=0)
    start = time.monotonic()
    with urllib.request.urlopen(slow.url, timeout=30) as answer:
        text = b""
        while b"dash-skeleton" not in text:
            text += answer.read1(4096)
        assert b"vnd.voila.cell-output" not in text
        assert (
            b"vnd.voila.cell-output" in answer.read()
        )  # from the kernel, which takes more than five seconds
    assert time.monotonic() - start > 5


def test_a_notebook_that_fails_says_so_and_nothing_of_why(serve_dashboard, new_page):
    failing = serve_dashboard("raise RuntimeError('the secret')", warm=0)
    page = new_page()
    page.goto(failing.url)
    expect(page.get_by_role("alert")).to_contain_text("The server's log says why")
    assert "secret" not in page.content()
    assert "RuntimeError" not in page.content()
    failing.wait_for_log("the secret")


def test_what_a_page_is_given_has_no_source_and_no_folder_of_the_server(visitor):
    _, text, headers = visitor.ask("?job=2024-01-19-abc12345")
    assert "current_requester" not in text
    assert "/site-packages" not in text
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_that_is_closed_gives_its_kernel_back(dashboard, new_page):
    page = new_page()
    page.goto(dashboard.url)
    click(page)
    says(page, "1 None")
    server = psutil.Process(dashboard.process.pid)
    kernel_id = page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    kernel = next(
        each for each in server.children(recursive=True) if each.name() == f"kernel-{kernel_id[:8]}"
    )
    page.close(run_before_unload=True)
    kernel.wait(timeout=20)


def test_a_full_dashboard_says_so(serve_dashboard):
    full = serve_dashboard(warm=0, kernels=1)
    Visitor(full).open_page()
    status, text, headers = Visitor(full).ask("")
    assert status == 503
    assert "full" in text
    assert headers["Retry-After"]


def test_behind_a_proxy_it_lives_under_a_path_of_its_own(serve_dashboard, new_page):
    below = serve_dashboard(base_url="/tools/chimera/")
    page = new_page()
    page.goto(below.url)
    click(page)
    says(page, "1 None")
    assert Visitor(below).ask("../../")[0] == 404
    page.goto(f"{below.url.rstrip('/')}?job=none")
    assert page.url == f"{below.url}?job=none"
    click(page)


# ---- Connections that are lost ----


def test_a_lost_connection_says_so_and_comes_back_to_the_same_kernel(dashboard, engine):
    page = engine.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    routes = []

    def meet(route):
        route.connect_to_server()
        routes.append(route)

    page.route_web_socket(re.compile("/channels"), meet)
    page.goto(dashboard.url)
    click(page)
    says(page, "1 None")
    note = page.locator("#dash-connection")
    expect(note).to_be_hidden()
    page.evaluate("window.stillHere = true")
    routes[-1].close(code=1001)
    expect(note).to_contain_text("Connection lost")
    expect(note).to_be_hidden()
    assert page.evaluate("window.stillHere")
    click(page)
    says(page, "2 None")
    page.context.close()


def test_a_server_that_was_away_brings_the_same_address_back(serve_dashboard, engine):
    first = serve_dashboard()
    port = int(re.search(r":(\d+)/", first.url)[1])
    page = engine.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(first.url + "?job=2024-01-19-abc12345")
    click(page)
    says(page, "1 None")
    first.process.terminate()
    first.process.wait(20)
    note = page.locator("#dash-connection")
    expect(note).to_be_visible()
    expect(note).to_contain_text("Connection lost")
    serve_dashboard(port=port)
    page.locator("#dash-connection:not(:visible)").wait_for(state="attached")
    expect(page.locator("#dash-skeleton")).to_have_count(0)
    click(page)
    says(page, "1 None")
    assert page.url.endswith("?job=2024-01-19-abc12345")
    page.context.close()


# ---- The command ----


def test_the_command_says_where_it_serves_and_ends_when_told(chimera_goes_on):
    process = chimera_goes_on("dash", "--port", "0", "--no-browser", "--json")
    said = json_of(process)
    with urllib.request.urlopen(said["url"] + "healthz", timeout=20) as answer:
        assert json.load(answer) == {"serves": True}
    process.terminate()
    assert process.wait(20) == 0


def test_the_command_refuses_a_port_that_is_taken(chimera_goes_on):
    first = chimera_goes_on("dash", "--port", "0", "--no-browser", "--json")
    port = re.search(r":(\d+)/", json_of(first)["url"])[1]
    second = chimera_goes_on("dash", "--port", port, "--no-browser")
    _, said = second.communicate(timeout=60)
    assert second.returncode == 2
    assert said.strip().splitlines()[-1].startswith("refused: cannot listen on localhost:")


def test_the_command_makes_a_token_where_others_can_reach_it(chimera_goes_on):
    process = chimera_goes_on("dash", "--port", "0", "--host", "0.0.0.0", "--no-browser", "--json")
    assert re.search(r"\?token=[\w-]{32,}$", json_of(process)["url"])


def test_the_command_says_how_to_start_a_stack_where_none_runs(chimera_goes_on, tmp_path):
    process = chimera_goes_on("dash", "--port", "0", "--no-browser", "--json", "--data-dir", str(tmp_path))
    assert json_of(process)["url"]
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert "chimera up --detach" in said

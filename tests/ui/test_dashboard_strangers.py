"""The dashboard's server and strangers: hostile visitors, tokens, users that a proxy names."""

from __future__ import annotations

import gzip
import json
import re
import urllib.request

import psutil
import pytest
from playwright.sync_api import expect

from tests.fixtures.dashboard import Visitor, answers_to, message
from tests.fixtures.jupyter import PATIENCE_MS

HEADER = "X-Goog-Authenticated-User-Email"
TOKEN = "a-token-of-some-length"
ANY_KERNEL = "0f000000-0000-4000-8000-000000000000"


# ---- Hostile visitors ----


def test_a_visitor_can_run_no_code(dashboard, visitor):
    kernel_id = visitor.open_page()
    with visitor.socket(kernel_id) as connection:
        for channel in ("shell", "control", "stdin", "nowhere"):
            connection.send(message("execute_request", {"code": "open('/tmp/owned', 'w')"}, channel))
        assert answers_to(connection, "execute_request") == []
    dashboard.wait_for_log("'execute_request'")


@pytest.mark.parametrize(
    ("kind", "content", "channel"),
    [
        ("complete_request", {"code": "import o", "cursor_pos": 8}, "shell"),
        ("inspect_request", {"code": "open", "cursor_pos": 4}, "shell"),
        ("history_request", {"hist_access_type": "tail", "n": 9, "output": True, "raw": True}, "shell"),
        ("debug_request", {"type": "request", "command": "debugInfo", "seq": 1}, "control"),
        ("shutdown_request", {"restart": True}, "control"),
        ("interrupt_request", {}, "control"),
        ("comm_open", {"comm_id": "x", "target_name": "jupyter.widget", "data": {"state": {}}}, "shell"),
    ],
)
def test_a_visitor_can_send_nothing_but_widgets_messages(dashboard, visitor, kind, content, channel):
    with visitor.socket(visitor.open_page()) as connection:
        connection.send(message(kind, content, channel))
        assert answers_to(connection, kind) == []
    dashboard.wait_for_log("refused")


def read_to_the_end(connection):
    while True:
        connection.recv(timeout=20)


def test_nonsense_on_a_socket_ends_that_socket_only(visitor):
    from websockets.exceptions import ConnectionClosed

    kernel_id = visitor.open_page()
    for nonsense in ("{", "[]", "null", b"\xff" * 64, json.dumps({"header": 1})):
        with visitor.socket(kernel_id) as connection:
            connection.send(nonsense)
            with pytest.raises(ConnectionClosed):
                read_to_the_end(connection)
    with visitor.socket(kernel_id) as connection:
        answers_to(connection, "nothing")


def test_a_visitor_reaches_no_kernel_but_their_own(dashboard, visitor):
    from websockets.exceptions import InvalidStatus

    alice, mallory = visitor, Visitor(dashboard)
    kernel_id = alice.open_page()
    own = mallory.open_page()
    assert alice.ask(f"api/kernels/{kernel_id}")[0] == 200
    for asked, status in ((kernel_id, 403), (ANY_KERNEL, 403)):
        assert mallory.ask(f"api/kernels/{asked}")[0] == status
        with pytest.raises(InvalidStatus, match=str(status)), mallory.socket(asked):
            pass
        xsrf = next(cookie.value for cookie in mallory.jar if cookie.name == "_xsrf")
        assert mallory.ask(f"voila/api/shutdown/{asked}", "POST", b"", X_XSRFToken=xsrf)[0] == status
    assert alice.ask(f"api/kernels/{kernel_id}")[0] == 200
    mallory.leave()
    assert mallory.ask(f"api/kernels/{own}")[0] == 403


def test_a_kernel_is_given_back_only_by_a_page_of_the_dashboard(visitor):
    kernel_id = visitor.open_page()
    assert visitor.ask(f"voila/api/shutdown/{kernel_id}", "POST", b"")[0] == 403
    assert visitor.ask(f"api/kernels/{kernel_id}", "DELETE")[0] == 405
    assert visitor.ask(f"api/kernels/{kernel_id}")[0] == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "api/kernels",
        f"api/kernels/{ANY_KERNEL}/restart",
        "api/contents",
        "api/contents/chimera.ipynb",
        "api/terminals",
        "api/sessions",
        "api/kernelspecs",
        "terminals/websocket/1",
        "voila/files/chimera.ipynb",
        "voila/api/contents/",
        "voila/render/chimera.ipynb",
        "voila/tree",
        "voila/templates/lab/static/index.css",
        f"voila/query/{ANY_KERNEL}",
        f"voila/execution/{ANY_KERNEL}",
        "files/etc/passwd",
        "static/../../../../etc/passwd",
        "static/%2e%2e/%2e%2e/etc/passwd",
        "chimera.ipynb",
        "metrics",
    ],
)
def test_there_is_nothing_else_to_ask_for(visitor, method, path):
    body = b"{}" if method in ("POST", "PUT") else None
    status, text, _ = visitor.ask(path, method, body)
    assert status == 404
    assert "root:" not in text


@pytest.mark.parametrize(
    "name", ["../index.html.j2", "..%2findex.html.j2", "%2e%2e/index.html.j2", "", ".", "/etc/passwd"]
)
def test_the_theme_is_served_and_what_lies_beside_it_is_not(visitor, name):
    _, page, _ = visitor.ask("")
    theme = re.search(r'href="/(static/\w+/theme/)theme.css"', page)[1]
    status, _, headers = visitor.ask(theme + "theme.css")
    assert status == 200
    assert "immutable" in headers["Cache-Control"]
    assert visitor.ask(theme + name)[0] in (403, 404)


def test_scripts_and_styles_come_compressed_and_are_the_same(visitor):
    _, page, _ = visitor.ask("")
    static = re.search(r'href="/(static/\w+/)theme/theme.css"', page)[1]
    for name in ("theme/theme.css", "front-end.js"):
        _, plain, _ = visitor.ask(static + name)
        asked = urllib.request.Request(
            visitor.dashboard.base + static + name, headers={"Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "immutable" in answer.headers["Cache-Control"]
            assert gzip.decompress(answer.read()).decode("utf-8", "replace") == plain


def test_neither_template_nor_theme_is_chosen_by_url(visitor):
    _, text, _ = visitor.ask("?template=reveal&voila-template=lab&theme=../../etc&voila-theme=dark")
    assert "/theme/theme.css" in text
    assert "reveal" not in text


def test_a_page_elsewhere_cannot_use_a_visitors_browser(visitor):
    from websockets.exceptions import InvalidStatus

    kernel_id = visitor.open_page()
    with pytest.raises(InvalidStatus, match="403"), visitor.socket(kernel_id, Origin="http://evil.example"):
        pass
    # a name of the attacker's own that leads to 127.0.0.1
    assert visitor.ask("", Host="evil.example")[0] == 403
    status, _, headers = visitor.ask(f"api/kernels/{kernel_id}", Origin="http://evil.example")
    assert status == 404 or "Access-Control-Allow-Origin" not in headers


# ---- Tokens ----


def test_without_the_token_there_is_a_page_to_type_it_in_and_nothing_else(serve_dashboard):
    guarded = serve_dashboard(token=TOKEN)
    visitor = Visitor(guarded)
    assert guarded.url.endswith(f"?token={TOKEN}")
    status, _, headers = visitor.ask("?job=j")
    assert (status, headers["Location"].split("?")[0]) == (302, "/login")
    assert visitor.ask("?token=wrong")[0] == 302
    assert visitor.ask(f"api/kernels/{ANY_KERNEL}")[0] == 403
    status, text, _ = visitor.ask("login?next=%2F%3Fjob%3Dj")
    assert status == 200
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', text)[1]
    form = f"_xsrf={xsrf.replace('|', '%7C')}&password="
    assert visitor.ask("login?next=%2F", "POST", f"{form}wrong".encode())[0] == 401
    assert visitor.ask("login?next=%2F", "POST", f"password={TOKEN}".encode())[0] == 403
    status, _, headers = visitor.ask("login?next=%2F%3Fjob%3Dj", "POST", f"{form}{TOKEN}".encode())
    assert (status, headers["Location"]) == (302, "/?job=j")
    visitor.open_page("?job=j")
    _, _, headers = visitor.ask("login?next=https%3A%2F%2Fevil.example%2F")
    assert headers["Location"] == "/"


def test_a_token_leaves_the_address_and_is_in_no_log_and_no_page(serve_dashboard):
    guarded = serve_dashboard(token=TOKEN, host="0.0.0.0")
    visitor = Visitor(guarded)
    status, _, headers = visitor.ask(f"?token={TOKEN}&job=a%26b")
    assert (status, headers["Location"]) == (302, "/?job=a%26b")
    assert "Access-Control-Allow-Origin" not in headers
    _, text, _ = visitor.ask("?job=a%26b")
    assert "kernelId" in text
    assert TOKEN not in text
    visitor.ask(f"nowhere?token={TOKEN}")
    guarded.wait_for_log("/nowhere")
    assert TOKEN not in guarded.log()
    kernels = psutil.Process(guarded.process.pid).children(recursive=True)
    assert kernels
    assert not any(TOKEN in value for kernel in kernels for value in kernel.environ().values())


# ---- Users that a proxy names ----


def test_who_comes_without_the_proxys_header_is_refused(serve_dashboard):
    behind = serve_dashboard(user_header=HEADER)
    for headers in (
        {},
        {HEADER: ""},
        {HEADER: "accounts.google.com:"},
        {HEADER: "a b"},
        {"X-Other": "alice"},
    ):
        assert Visitor(behind, **headers).ask("")[0] == 403
        assert Visitor(behind, **headers).ask(f"api/kernels/{ANY_KERNEL}")[0] == 403
    assert Visitor(behind).ask("login")[0] in (403, 404)
    assert Visitor(behind).ask("healthz")[0] == 200


def test_a_kernel_knows_the_user_that_the_proxy_names(serve_dashboard, engine):
    behind = serve_dashboard(user_header=HEADER)
    for user in ("alice@example.com", "bob@example.com"):
        context = engine.new_context(extra_http_headers={HEADER: f"accounts.google.com:{user}"})
        page = context.new_page()
        page.goto(behind.url, timeout=PATIENCE_MS)
        page.get_by_role("button", name="who").click()
        expect(page.locator(".dash-cell input")).to_have_value(f"1 {user!r}")
        context.close()


def test_a_kernel_of_one_user_is_not_for_another_with_the_same_browser(serve_dashboard):
    behind = serve_dashboard(user_header=HEADER)
    alice = Visitor(behind, **{HEADER: "accounts.google.com:alice@example.com"})
    kernel_id = alice.open_page()
    assert alice.ask(f"api/kernels/{kernel_id}")[0] == 200
    alice.headers = {HEADER: "accounts.google.com:bob@example.com"}
    assert alice.ask(f"api/kernels/{kernel_id}")[0] == 403

"""The dashboard's one configuration: what it lets in, what it serves, whom it believes."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.server.assets import find_assets, page_config
from chimera_nb.server.configuration import CONTENT_SECURITY_POLICY, configuration, tornado_settings
from chimera_nb.server.handlers import routes
from chimera_nb.server.listening import listen
from chimera_nb.server.options import DEFAULT_PORT, DashboardOptions
from chimera_nb.server.resources import dashboards_folder, template_folder
from chimera_nb.server.sockets import _opened, refusal
from pipeline.errors import SettingsError

TOKEN = "a-token-of-some-length"
THEME = template_folder(dashboards_folder())


@pytest.mark.parametrize(
    ("host", "owed"),
    [
        ("localhost", False),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("", True),
        ("10.0.0.7", True),
        ("analysis.example.com", True),
        ("localhost.example.com", True),
        ("127.0.0.1.example.com", True),
    ],
)
def test_a_token_is_made_wherever_another_machine_can_reach_it(host, owed):
    options = DashboardOptions(host=host).with_token()
    assert options.needs_token is owed
    assert ("?token=" in options.url(1)) is owed
    assert not owed or len(options.token) >= 32
    assert DashboardOptions(host=host, user_header="X-User").with_token().token is None


def test_two_dashboards_have_two_tokens():
    made = {DashboardOptions(host="0.0.0.0").with_token().token for _ in range(20)}
    assert len(made) == 20


def test_a_token_of_ones_own_is_kept_and_asked_for_on_a_laptop_too():
    options = DashboardOptions(token=TOKEN).with_token()
    assert options.url(8866) == f"http://localhost:8866/?token={TOKEN}"
    assert configuration(options).VisitorIdentity.token == TOKEN


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "short"},
        {"user_header": "X User"},
        {"user_header": "X-User: alice"},
        {"user_header": ""},
        {"base_url": "tools"},
        {"base_url": "/tools"},
        {"base_url": "/<script>/"},
        {"base_url": "//example.com/"},
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(SettingsError) as refused:
        DashboardOptions(**wrong)
    assert next(iter(wrong)).split("_")[0] in str(refused.value).lower()


def test_nothing_of_the_page_can_be_chosen_by_url_and_no_source_is_shown():
    config = configuration(DashboardOptions()).VoilaConfiguration
    assert config.strip_sources is True
    assert config.show_tracebacks is False
    assert config.allow_template_override == config.allow_theme_override == "NO"
    assert config.http_header_envs == []
    assert config.file_allowlist == []
    assert configuration(DashboardOptions()).KernelRestarter.restart_limit == 0


def test_without_a_token_only_localhost_is_a_name_for_it():
    assert tornado_settings(DashboardOptions())["allow_remote_access"] is False
    assert tornado_settings(DashboardOptions(token=TOKEN))["allow_remote_access"] is True
    assert tornado_settings(DashboardOptions(user_header="X-User"))["allow_remote_access"] is True
    assert tornado_settings(DashboardOptions(host="0.0.0.0").with_token())["allow_remote_access"] is True


def test_scripts_run_from_this_server_only_and_no_page_frames_it():
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["script-src"] == "'self' blob:"
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in CONTENT_SECURITY_POLICY


def test_the_routes_are_these_and_no_others():
    assets = find_assets(THEME / "static")
    kernel = "0f000000-0000-4000-8000-000000000000"
    known = [
        "/tools",
        "/tools/",
        "/tools/login",
        "/tools/healthz",
        f"/tools/api/kernels/{kernel}",
        f"/tools/api/kernels/{kernel}/channels",
        f"/tools/voila/api/shutdown/{kernel}",
        f"/tools/static/{assets.version}/theme/theme.css",
        f"/tools/static/{assets.version}/labextensions/chimera/static/models.js",
        f"/tools/static/{assets.version}/front-end.js",
        f"/tools/static/{assets.version}/voila/voila.js",
        f"/tools/static/{assets.version}/labextensions/anywidget/static/main.js",
        f"/tools/static/{assets.version}/labextensions/@voila-dashboards/widgets-manager8/static/a.js",
        f"/tools/static/{assets.version}/labextensions/@jupyter-widgets/jupyterlab-manager/static/a.js",
    ]
    patterns = [re.compile(route[0]) for route in routes("/tools/", assets)]
    for pattern in patterns:
        assert sum(bool(pattern.fullmatch(path)) for path in known) == 1, pattern
    for path in (
        "/",
        "/tools/api/kernels",
        "/tools/api/kernels/",
        "/tools/api/contents/chimera.ipynb",
        "/tools/api/terminals",
        "/tools/voila/files/chimera.ipynb",
        "/tools/voila/templates/lab/static/index.css",
        f"/tools/static/{assets.version}/theme/../index.html.j2",
        f"/tools/static/{assets.version}/theme/%2e%2e/index.html.j2",
        f"/tools/api/kernels/{kernel}/restart",
    ):
        assert not any(pattern.fullmatch(path) for pattern in patterns), path


def test_the_page_config_tells_nothing_of_the_machine():
    config = page_config("/", find_assets(THEME / "static"))
    text = json.dumps(config)
    assert not re.search(r"https?:", text)
    for folder in (str(Path.home()), str(Path.cwd()), sys.prefix):
        assert folder not in text
    assert config["fullMathjaxUrl"] is None  # absent, Voilà would ask a CDN


def test_the_theme_names_no_other_host():
    for path in THEME.rglob("*.*"):
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[\w-]+\.\w|@import|url\((?!data:)", text), path


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("comm_msg", {"comm_id": "x", "data": {}}, None),
        ("comm_close", {}, None),
        ("comm_info_request", {}, None),
        ("kernel_info_request", {}, None),
        ("comm_open", {"target_name": "jupyter.widget.control"}, None),
        ("comm_open", {"target_name": "jupyter.widget"}, "jupyter.widget"),
        ("comm_open", {}, "None"),
        ("comm_open", [], "None"),
        ("execute_request", {"code": "1"}, "execute_request"),
        ("complete_request", {}, "complete_request"),
        ("inspect_request", {}, "inspect_request"),
        ("history_request", {}, "history_request"),
        ("debug_request", {}, "debug_request"),
        ("shutdown_request", {}, "shutdown_request"),
        ("input_reply", {}, "input_reply"),
        ("Execute_Request", {}, "Execute_Request"),
        ("execute_request\nINFO forged", {}, "\\n"),
        (None, {}, "None"),
        (["comm_msg"], {}, "comm_msg"),
    ],
)
def test_only_widgets_messages_pass(kind, content, why):
    said = refusal(kind, content)
    assert said is None if why is None else why in said
    assert "\n" not in (said or "")


@given(st.binary(max_size=200) | st.text(max_size=200), st.booleans())
def test_nonsense_on_the_socket_is_found_out_and_nothing_worse(sent, versioned):
    try:
        kind, _ = _opened(sent, versioned=versioned)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return
    assert not isinstance(kind, bytes)


@pytest.mark.timeout(10)
def test_a_message_that_claims_many_parts_is_not_believed():
    with pytest.raises(ValueError, match="offsets"):
        _opened((2**62).to_bytes(8, "little") + b"x" * 64, versioned=True)


def test_a_port_that_is_asked_for_is_taken_or_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}.*another --port"):
            listen("127.0.0.1", port)


def test_a_default_port_that_is_taken_gives_way_to_the_next():
    first = listen("127.0.0.1", None)
    second = listen("127.0.0.1", None)
    try:
        ports = [sockets[0].getsockname()[1] for sockets in (first, second)]
        assert DEFAULT_PORT <= ports[0] < ports[1]
    finally:
        for each in (*first, *second):
            each.close()

"""A visitor who speaks to the dashboard's widgets over a raw websocket, and asks for what is not theirs."""

from __future__ import annotations

import json
import time

import pytest

from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings
from tests.fixtures.browsing import put
from tests.fixtures.dashboard import Visitor, message

CELL = "from chimera_nb.widgets import Dashboard\nDashboard()"


@pytest.fixture
def buckets(storage_client, bucket):
    """One that the dashboard may read and write, and one that it may not."""
    secret = f"{bucket}-secret"
    storage_client.create_bucket(secret)
    put(storage_client.bucket(bucket), ["in/a.ndjson"], b'{"a":1}\n')
    put(storage_client.bucket(secret), ["in/plans.ndjson"], b'{"launchcode":"0000"}\n')
    return bucket, secret


@pytest.fixture
def bounded(buckets, serve_dashboard, monkeypatch):
    monkeypatch.setenv("CHIMERA_READ_BUCKETS", buckets[0])
    monkeypatch.setenv("CHIMERA_WRITE_BUCKETS", buckets[0])
    return serve_dashboard(CELL)


def open_control(connection):
    """Open the comm by which a front end asks for all the widgets that there are."""
    opening = json.loads(
        message("comm_open", {"comm_id": "control", "target_name": "jupyter.widget.control"})
    )
    connection.send(json.dumps({**opening, "metadata": {"version": "1.0.0"}}))
    connection.send(message("comm_msg", {"comm_id": "control", "data": {"method": "request_states"}}))


class Widgets:
    """The widgets of a page, as a program talks to them."""

    def __init__(self, connection):
        self.connection, self.heard = connection, []
        open_control(connection)
        self.ids = {
            state["state"]["_anywidget_id"].rpartition(".")[2]: model_id
            for model_id, state in self.wait(lambda data: data.get("states"))["states"].items()
            if "_anywidget_id" in state["state"]
        }

    def say(self, comm_id, data):
        self.connection.send(message("comm_msg", {"comm_id": comm_id, "data": data}))

    def ask(self, widget, **content):
        self.say(self.ids[widget], {"method": "custom", "content": content})

    def set(self, widget, **state):
        self.say(self.ids[widget], {"method": "update", "state": state, "buffer_paths": []})

    def wait(self, check, seconds=90):
        """The first word of a widget from now on that passes a check."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            said = json.loads(self.connection.recv(timeout=seconds))
            self.heard.append(said)
            data = said["content"].get("data") if said["msg_type"] == "comm_msg" else None
            if data and check(data):
                return data
        raise AssertionError(self.heard[-5:])

    def error(self):
        return self.wait(lambda data: data.get("state", {}).get("error"))["state"]["error"]


def test_a_forged_path_outside_the_lists_is_refused_by_the_server_and_logged(bounded, buckets, on_stack):
    allowed, secret = buckets
    visitor = Visitor(bounded)
    with visitor.socket(visitor.open_page()) as connection:
        widgets = Widgets(connection)
        widgets.ask("BucketBrowser", kind="hello", view="forged")
        widgets.wait(lambda data: data.get("content", {}).get("folders") == [f"{allowed}/"])

        widgets.ask("BucketBrowser", kind="go", text=f"gs://{secret}/in/")
        assert f"gs://{secret}/in/" in widgets.error()
        widgets.ask("BucketBrowser", kind="go", text="/etc/")
        assert "/etc/" in widgets.error()
        widgets.set("BucketBrowser", selected=[f"gs://{secret}/in/"])
        assert f"gs://{secret}/in/" in widgets.error()

        widgets.set("BucketBrowser", current=f"gs://{secret}/in/plans.ndjson")
        widgets.set("BucketBrowser", current="/etc/passwd")
        widgets.set("FilePreview", uri=f"gs://{secret}/in/plans.ndjson")  # is no trait of the front end's
        widgets.set("JobForm", inputs=[f"gs://{secret}/in/"])
        widgets.ask("JobForm", kind="hello", view="forged")
        for number, (field, value) in enumerate({"bucket": secret, "prefix": "out"}.items()):
            widgets.ask("JobForm", kind="edit", field=field, value=value, view="forged", number=number)
        go = widgets.wait(lambda data: data.get("state", {}).get("_go", {}).get("alive") is False)["state"][
            "_go"
        ]
        widgets.ask("JobForm", kind="launch", token=go["token"])
        widgets.ask("BucketBrowser", kind="go", text=f"gs://{allowed}/in/")
        widgets.wait(lambda data: data.get("content", {}).get("objects"))

        said = json.dumps(widgets.heard)
        assert "launchcode" not in said
        assert "root:x:" not in said
        assert "Traceback" not in said
    bounded.wait_for_log(f"gs://{secret}/in/")
    assert "pipeline.storage.access_policy" in bounded.log()
    service = JobService(Settings(data_dir=on_stack.data_dir))
    assert [job for job in service.list().records if secret in (job.source_bucket, job.target_bucket)] == []
    service.log.close()


def test_without_lists_a_visitor_still_reaches_no_file_of_the_server(serve_dashboard, buckets):
    open_to_all = serve_dashboard(CELL)
    visitor = Visitor(open_to_all)
    with visitor.socket(visitor.open_page()) as connection:
        widgets = Widgets(connection)
        for name in ("BucketBrowser", "FilePreview"):
            widgets.ask(name, kind="hello", view="forged")
        widgets.set("BucketBrowser", current="/etc/passwd")
        widgets.set("BucketBrowser", path="/etc/", selected=["/etc/passwd"])
        widgets.ask("BucketBrowser", kind="go", text="/etc/")
        assert "/etc/" in widgets.error()
        widgets.ask("BucketBrowser", kind="go", text=f"gs://{buckets[0]}/in/")
        widgets.wait(lambda data: data.get("content", {}).get("objects"))
        assert "root:x:" not in json.dumps(widgets.heard)


def test_who_asks_and_does_not_listen_is_let_go(serve_dashboard, buckets, storage_client):
    import psutil
    from websockets.exceptions import ConnectionClosed

    put(storage_client.bucket(buckets[0]), ["in/long.ndjson"], b'{"a":"' + b"x" * 240_000 + b'"}\n')
    served = serve_dashboard(CELL)
    visitor = Visitor(served)
    with visitor.socket(visitor.open_page()) as connection:
        widgets = Widgets(connection)
        widgets.ask("FilePreview", kind="hello", view="forged")
        widgets.set("BucketBrowser", current=f"gs://{buckets[0]}/in/long.ndjson")
        shown = widgets.wait(lambda data: data.get("content", {}).get("state") == "shown")["content"]
        before = psutil.Process(served.process.pid).memory_info().rss

        def line(number, generation):
            content = {
                "kind": "line",
                "generation": generation,
                "n": 0,
                "number": number,
            }  # no two are the same to the kernel
            data = {"method": "custom", "content": content}
            return message("comm_msg", {"comm_id": widgets.ids["FilePreview"], "data": data})

        for number in range(3000):
            connection.send(line(number, shown["generation"]))
        served.wait_for_log("asks for more than it takes")
        with pytest.raises(ConnectionClosed):
            widgets.wait(lambda _: False)
        assert psutil.Process(served.process.pid).memory_info().rss - before < 200e6


def test_messages_that_make_no_sense_leave_the_widgets_as_they_were(bounded, buckets):
    visitor = Visitor(bounded)
    with visitor.socket(visitor.open_page()) as connection:
        widgets = Widgets(connection)
        for widget in widgets.ids:
            for content in (
                {},
                {"kind": "_load"},
                {"kind": "__init__"},
                {"kind": 7},
                {"kind": "go", "text": None},
            ):
                widgets.ask(widget, **content)
            for kind in (
                "edit",
                "pick",
                "launch",
                "filter",
                "open",
                "gesture",
                "more",
                "cancel",
                "save",
                "hello",
            ):
                widgets.ask(
                    widget, kind=kind, view=[], field={}, value={}, token=None, id=[], job={}, at="x", to=1e99
                )
        widgets.ask("BucketBrowser", kind="hello", view="forged")
        widgets.ask("BucketBrowser", kind="go", text=f"gs://{buckets[0]}/in/")
        widgets.wait(lambda data: data.get("content", {}).get("objects"))
        assert "Traceback" not in json.dumps(widgets.heard)
    assert "Traceback" not in bounded.log()


def test_what_a_kernel_prints_is_for_the_servers_log(serve_dashboard):
    secretive = serve_dashboard(
        "import ipywidgets, logging, sys\n"
        "button = ipywidgets.Button(description='go')\n"
        "def fail(_):\n"
        "    logging.getLogger('mine').warning('a logged word')\n"
        "    print('a printed word')\n"
        "    raise RuntimeError('a raised word')\n"
        "button.on_click(fail)\n"
        "button"
    )
    visitor = Visitor(secretive)
    with visitor.socket(visitor.open_page()) as connection:
        open_control(connection)
        heard, states = [], {}
        while not states:
            heard.append(json.loads(connection.recv(timeout=30)))
            states = heard[-1]["content"].get("data", {}).get("states", {})
        (button,) = (name for name, state in states.items() if state["model_name"] == "ButtonModel")
        click = {"method": "custom", "content": {"event": "click"}}
        connection.send(message("comm_msg", {"comm_id": button, "data": click}))
        for word in ("a logged word", "a printed word", "a raised word"):
            secretive.wait_for_log(word)
        connection.send(message("kernel_info_request", {}))
        while heard[-1]["msg_type"] != "kernel_info_reply":
            heard.append(json.loads(connection.recv(timeout=30)))
    assert "word" not in json.dumps(heard)

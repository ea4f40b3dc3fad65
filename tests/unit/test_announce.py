"""The end of a job is told by whoever brings it about, once: to a web hook, and by e-mail."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading

import pytest

from chimera_nb.jobs.announce import AnnouncingLog
from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import SettingsError
from pipeline.spec import JobSpec


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a message takes."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().strip():
            word = line.split(b" ")[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.told.append(b"".join(lines).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def serving():
    """A function that serves on a free port; the server, whose `told` has what came."""
    servers = []

    def serve(kind, handler):
        server = kind(("127.0.0.1", 0), handler)
        server.told, server.status = [], 200
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def new_job(tmp_path):
    """A function that puts a job on record in a log that tells what these settings say; the log, and the job's id."""
    logs = []

    def make(**settings):
        log = open_log(Settings(data_dir=tmp_path, **settings))
        logs.append(log)
        spec = JobSpec(inputs=("gs://in/",), target="gs://out/x", job_id=new_job_id())
        log.create(JobRecord.from_spec(spec, runner="direct"))
        return log, spec.job_id

    yield make
    for log in logs:
        log.close()


def test_the_end_is_told_once_by_hook_and_mail_whoever_else_looks(serving, new_job, tmp_path):
    hook = serving(http.server.ThreadingHTTPServer, Hook)
    mail = serving(socketserver.ThreadingTCPServer, Mail)
    settings = {
        "notify_webhook": f"http://127.0.0.1:{hook.server_port}/x",
        "notify_mail": f"smtp://127.0.0.1:{mail.server_address[1]}",
        "notify_to": "ana@example.com, bob@example.com",
        "page_url": "https://chimera.example.com/",
    }
    log, job = new_job(**settings)
    other = open_log(Settings(data_dir=tmp_path, **settings))
    log.update(job, Change(status=Status.RUNNING))
    log.update(job, Change(name="Boxing day\nX"))
    assert hook.told == mail.told == []
    summary = {"files": {"complete": 2, "failed": 6, "skipped": 0}, "lines": 40}
    done = Change(status=Status.COMPLETE, summary=summary)
    record = log.update(job, done)
    other.update(job, done)
    log.update(job, done)
    assert len(hook.told) == len(mail.told) == 1
    assert record.announced_by
    assert {
        name: hook.told[0][name] for name in ("jobId", "status", "word", "files", "failed", "lines", "url")
    } == {
        "jobId": job,
        "status": "complete",
        "word": "complete, 6 failed",
        "files": 8,
        "failed": 6,
        "lines": 40,
        "url": f"https://chimera.example.com/?job={job}",
    }
    assert "Subject: Boxing day X: complete, 6 failed" in mail.told[0]
    assert "To: ana@example.com, bob@example.com" in mail.told[0]
    assert f"https://chimera.example.com/?job={job}" in mail.told[0]
    other.close()


def test_what_cannot_be_told_is_in_the_log_without_the_address_and_holds_up_no_end(serving, new_job):
    hook = serving(http.server.ThreadingHTTPServer, Hook)
    hook.status = 500
    log, job = new_job(notify_webhook=f"http://127.0.0.1:{hook.server_port}/a-secret")
    record = log.update(job, Change(status=Status.FAILED, error="no luck"))
    assert record.status is Status.FAILED
    (told,) = [line for line in record.logs if "could not be told" in line]
    assert "WARNING" in told
    assert "a-secret" not in told


def test_without_such_settings_nothing_is_told_and_all_else_is_the_same(new_job, tmp_path):
    log, job = new_job()
    assert not isinstance(log, AnnouncingLog)
    assert log.update(job, Change(status=Status.FAILED)).announced_by is None
    service = JobService(Settings(data_dir=tmp_path), log)
    assert service.get(job).status is Status.FAILED


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"notify_webhook": "ftp://localhost/"}, "no address of http or https"),
        ({"notify_webhook": "http://hooks.example.com/x"}, "nothing leaves this machine"),
        ({"notify_mail": "localhost:25", "notify_to": "a@b"}, "no address of smtp or smtps"),
        ({"notify_mail": "smtp://localhost"}, "go together"),
        ({"notify_to": "a@b"}, "go together"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, settings, why):
    with pytest.raises(SettingsError, match=why):
        Settings(data_dir=tmp_path, **settings)


def test_the_settings_reach_the_jobs_own_process(tmp_path):
    settings = Settings(data_dir=tmp_path, notify_webhook="http://localhost:9/")
    assert settings.to_environment()["CHIMERA_NOTIFY_WEBHOOK"] == "http://localhost:9/"

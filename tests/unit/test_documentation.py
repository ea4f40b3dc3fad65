"""The documentation as a site: it builds without a warning, and its pages ask no other host for anything."""

from __future__ import annotations

import html.parser
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import chimera_nb
from chimera_nb.dataflow_options import DataflowOptions
from pipeline.job_options import JobOptions
from pipeline.options import table

ROOT = Path(__file__).parents[2]


class _Asked(html.parser.HTMLParser):
    """What a browser asks for by itself to show a page: all but the links that a reader follows."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "link" and named.get("rel") == "canonical":
            return
        self.urls += [
            url for name in ("src", "href", "srcset") if tag != "a" and (url := named.get(name)) is not None
        ]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_no_page_asks_another_host_for_anything(site):
    asked = []
    for page in site.rglob("*.html"):
        parser = _Asked()
        parser.feed(page.read_text("utf-8"))
        asked += parser.urls
    assert len(asked) > 100
    styles = "".join(sheet.read_text("utf-8") for sheet in site.rglob("*.css"))
    asked += re.findall(r"url\([\"']?([^\"')]+)", styles) + re.findall(r"@import [\"']([^\"']+)", styles)
    assert [url for url in asked if urlsplit(url).netloc] == []


def test_the_reference_has_every_public_name_every_command_and_every_setting(site):
    api = (site / "reference" / "api.html").read_text("utf-8")
    named = set(re.findall(r'<h3 id="[\w.]*?(\w+)"', api))
    assert named == {*chimera_nb.__all__} - {"load_ipython_extension"}
    assert 'id="chimera_nb.job_handle.Job.wait"' in api  # what a job can do, each with its words
    commands = (site / "reference" / "cli.html").read_text("utf-8")
    for command in ("submit", "jobs list", "verify", "dash"):
        assert f'id="chimera-{command.replace(" ", "-")}"' in commands
    assert "CHIMERA_READ_BUCKETS" in (site / "reference" / "settings.html").read_text("utf-8")
    options = (site / "reference" / "job-options.html").read_text("utf-8")
    for option in (*table(JobOptions), *table(DataflowOptions)):
        assert f"<code>{option.name}</code>" in options
        assert f"<code>--{option.flag}</code>" in options
    assert "cancelRequestedAt" in (site / "reference" / "job-document.html").read_text("utf-8")
    assert "outputCrc32c" in (site / "reference" / "output.html").read_text("utf-8")

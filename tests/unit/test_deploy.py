"""What the Dockerfile says, held against the checkout: no engine that could build it runs here."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(
    r"^ {4,}(?:# )?(?:ExecStart=\S*/)?(chimera (?:dash|up|submit)\b[^#\n]*)", re.MULTILINE
)


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", " ", text)
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def of(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def copied() -> list[str]:
    return [source for arguments in of("COPY") for source in arguments.split()[:-1]]


def sent() -> list[str]:
    """The files of a clean checkout that a build is sent: those that .dockerignore lets through."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    files = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in files if not is_ignored(name)]


def is_ignored(name: str) -> bool:
    """By the rules of .dockerignore, as far as ours go: the last that matches the file or a folder of it."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    parts = name.split("/")
    paths = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    ignored = False
    for rule in (line for line in lines if line and not line.startswith("#")):
        pattern = rule.removeprefix("!")
        if pattern.startswith("**/"):
            matches = any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
        else:
            matches = any(
                fnmatch.fnmatchcase(path, pattern) for path in paths if path.count("/") == pattern.count("/")
            )
        if matches:
            ignored = not rule.startswith("!")
    return ignored


def in_image() -> list[str]:
    """The files that come to /app."""
    return [
        name for name in sent() if any(name == source or name.startswith(f"{source}/") for source in copied())
    ]


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_is_in_the_checkout_and_is_sent(source):
    assert (ROOT / source).exists()
    assert any(name == source or name.startswith(f"{source}/") for name in sent())


def test_nothing_is_sent_that_is_not_copied():
    assert sorted(sent()) == sorted(in_image())
    for name in (
        ".git/config",
        "chimera.toml",
        "key.json",
        ".venv/bin/python",
        "tests/conftest.py",
        ".chimera/jobs.sqlite",
    ):
        assert is_ignored(name)
    for name in ("chimera_nb/__pycache__/a.pyc", "dashboards/.ipynb_checkpoints/a.ipynb", "chimera_nb/.env"):
        assert is_ignored(name)


def test_the_packages_build_from_just_those_files(tmp_path):
    for name in in_image():
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "app" / name)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(tmp_path),
            str(tmp_path / "app"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    code = {
        name for name in in_image() if name.startswith(("pipeline/", "chimera_nb/")) and name.endswith(".py")
    }
    assert code
    assert code <= packed


def test_the_dashboard_finds_its_notebook_and_theme_in_the_image():
    from chimera_nb.server.resources import dashboards_folder

    folder = dashboards_folder()
    assert folder == ROOT / "dashboards"
    assert f"{folder.name}/chimera.ipynb" in in_image()
    assert any(name.startswith(f"{folder.name}/templates/") for name in in_image())


def test_the_install_is_pinned_and_asks_nobody_in_particular():
    (install,) = [run for run in of("RUN") if "pip install" in run]
    assert "--constraint constraints.txt" in install
    assert "--editable '.[notebook]'" in install
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "http" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|--network", text)
    (base,) = of("FROM")
    assert re.fullmatch(
        r"python:3\.11-slim-[a-z]+", base
    )  # no host in it: whoever builds says where images are from


def test_it_does_not_run_as_root_and_cannot_change_its_code():
    words = [word for word, _ in instructions()]
    (user,) = of("USER")
    assert user.isdigit()
    assert int(user) >= 10_000
    assert f"--uid {user} " in next(run for run in of("RUN") if "useradd" in run)
    assert words.index("USER") > max(n for n, word in enumerate(words) if word in ("COPY", "RUN"))
    assert "--chown" not in (ROOT / "Dockerfile").read_text("utf-8")


def test_no_secret_is_in_the_image():
    assert of("ARG") == of("ADD") == []
    given = " ".join(of("ENV"))
    assert not re.search(r"(?i)token|secret|password|credential|key=|\.json", given)
    assert "--token" not in " ".join(of("CMD"))


def options_of(words: list[str]) -> dict[str, object]:
    """What `chimera` makes of a command line: it raises for one that it does not take."""
    from chimera_nb.cli import app

    program, name, *rest = words
    assert program == "chimera"
    command = typer.main.get_command(app).commands[name]
    return command.make_context(name, rest).params


def test_its_command_is_one_that_chimera_has():
    (command,) = of("CMD")
    words = json.loads(command)
    assert words[:2] == ["chimera", "dash"]
    options = options_of(words)
    assert options["host"] == "0.0.0.0"
    assert options["user_header"] == "X-Goog-Authenticated-User-Email"
    assert of("EXPOSE") == [str(options["port"])]


def documented() -> list[str]:
    return [found.strip() for found in DOCUMENTED.findall((ROOT / "docs" / "deploy.md").read_text("utf-8"))]


def test_there_are_commands_in_the_page():
    assert len(documented()) >= 2


@pytest.mark.parametrize("command", documented())
def test_the_commands_of_the_page_are_ones_that_chimera_has(command):
    assert options_of(command.split())


def test_the_page_names_variables_that_the_settings_have():
    from chimera_nb import settings
    from chimera_nb.chimera_toml import CONFIG_VARIABLE
    from chimera_nb.cli.dash_command import TOKEN_VARIABLE

    known = {name for names in settings._ENVIRONMENT.values() for name in names}
    known |= {*settings._LISTS.values(), CONFIG_VARIABLE, TOKEN_VARIABLE}
    for file in ("Dockerfile", "docs/deploy.md"):
        named = set(re.findall(r"\b(?:CHIMERA|GOOGLE_CLOUD)_[A-Z_]+\b", (ROOT / file).read_text("utf-8")))
        assert named
        assert named <= known


def test_the_page_links_to_what_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs" / "deploy.md").read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).resolve().exists()] == []


def test_the_example_lists_allow_what_they_are_for(monkeypatch):
    """The lists of the page, with its temp_location and a target."""
    from pipeline.storage.access_policy import AccessLists

    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    examples = re.findall(
        r"CHIMERA_READ_BUCKETS=([^;'\s]+)[;\s]+CHIMERA_WRITE_BUCKETS=([^;'\s]+)", text.replace("TEMP", "temp")
    )
    assert examples
    for read, write in examples:
        monkeypatch.setenv("CHIMERA_READ_BUCKETS", read)
        monkeypatch.setenv("CHIMERA_WRITE_BUCKETS", write)
        lists = AccessLists.from_environment()
        lists.check_pattern("gs://history/ADVANCED/**/*.bz2")
        lists.check_folder("gs://results/out/", "write")
        staged = "gs://temp/dataflow/" if "temp/" in write else "gs://scratch/dataflow/"
        lists.check_folder(staged, "write")

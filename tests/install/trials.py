"""What a newcomer does first with an installed chimera-nb. Each raises where something is not as it should be."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import urllib.request
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

from tests.install.environment import ROOT, Installed

_DASH_SECONDS = 150
# In the environment itself: how many widgets the kernel of the page at argv[1] has made, once it has made any.
_COUNT_WIDGETS = """
import json, re, sys, time, uuid, requests, websocket
session = requests.Session()
page = session.get(sys.argv[1], timeout=60)
kernel = re.search(r'"kernelId": "([0-9a-f-]+)"', page.text)[1]
base = sys.argv[1].partition("?")[0]
cookies = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
socket = websocket.create_connection(
    base.replace("http", "ws", 1) + f"api/kernels/{kernel}/channels?session_id=check", cookie=cookies,
    origin=base.rstrip("/"), timeout=60,
)
header = {"msg_type": "comm_info_request", "session": "check", "username": "", "version": "5.3"}
deadline = time.monotonic() + 90
found = {}
while not found and time.monotonic() < deadline:
    message = {"header": header | {"msg_id": uuid.uuid4().hex}, "parent_header": {}, "metadata": {}, "content": {}}
    socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))
    while True:
        answer = json.loads(socket.recv())
        if answer["header"]["msg_type"] == "comm_info_reply":
            break
    found = answer["content"]["comms"]
    time.sleep(0.2)
print(len(found))
print(page.text)
"""


def try_import(installed: Installed) -> str:
    """What is imported is what was installed, and nothing of the checkout."""
    code = "import chimera_nb, pipeline; print(chimera_nb.__file__, pipeline.__file__)"
    for path in installed.run("python", "-c", code).split():
        if not Path(path).is_relative_to(installed.bin.parent):
            raise AssertionError(f"{path} is not of the environment")
    return installed.run("python", "--version").strip()


def try_doctor(installed: Installed) -> str:
    document = json.loads(installed.run("chimera", "doctor", "--json"))
    if not document["ok"]:
        raise AssertionError(f"the doctor found: {document}")
    return f"{len(document['findings'])} findings, all in order"


def try_demo(installed: Installed) -> str:
    """`chimera demo --once`, in an empty folder."""
    printed = installed.run("chimera", "demo", "--once")
    told = re.search(r"complete: [\d,]+ files read.*", printed)
    if told is None:
        raise AssertionError(f"the demo said no word of a complete job: {printed[-2000:]}")
    records = sum(line.startswith('    {"op":"mcm"') for line in printed.splitlines())
    if "failed files (6)" not in printed or records != 3:
        raise AssertionError(f"the demo showed {records} records, or not what failed: {printed[-2000:]}")
    if "no local stack runs" not in installed.run("chimera", "down"):
        raise AssertionError("the demo left its stack running")
    return told[0]


def try_dashboard(installed: Installed) -> str:
    """`chimera dash`: the page comes, with all its files, and its kernel makes the widgets. Ctrl-C ends it."""
    process = subprocess.Popen(
        [installed.bin / "chimera", "dash", "--no-browser", "--port", "0", "--json"],
        cwd=installed.folder,
        env=installed.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    too_late = threading.Timer(_DASH_SECONDS, process.kill)
    too_late.start()
    try:
        url = json.loads("".join(iter(partial(_line, process), "}\n")) + "}")["url"]
        widgets, page = installed.run("python", "-c", _COUNT_WIDGETS, url).split("\n", 1)
        if not int(widgets):
            raise AssertionError("the page's kernel made no widgets")
        files = _files_of(url, page)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        if process.returncode or "Traceback" in told:
            raise AssertionError(f"chimera dash ended with {process.returncode}: {told[-3000:]}")
    finally:
        too_late.cancel()
        process.kill()
        process.communicate()
    return f"a page of {files} files, {widgets} widgets"


def _line(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"chimera dash ended, or said nothing for long: {process.stderr.read()[-3000:]}")
    return line


def _files_of(url: str, page: str) -> int:
    """Fetch all files that a page names; how many. Raises HTTPError for one that is not there."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(), urllib.request.ProxyHandler({})
    )
    files = {
        urljoin(url, name) for name in re.findall(r"""(?:src|href)=["']([^"'#]+\.(?:js|css))["']""", page)
    }
    if not files:
        raise AssertionError(f"the page names no script and no style: {page[:500]}")
    for file in files:
        if not opener.open(file, timeout=60).read():
            raise AssertionError(f"{file} is empty")
    return len(files)


def try_notebooks(installed: Installed) -> str:
    """The notebooks, copied beside nothing else, run from top to bottom in the environment's own kernel."""
    names = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    for name in names:
        document = json.loads((ROOT / "notebooks" / name).read_text("utf-8"))
        for cell in document["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}  # what is there afterwards was made here
        (installed.folder / name).write_text(json.dumps(document), "utf-8")
    run = (
        "jupyter",
        "nbconvert",
        "--execute",
        "--to",
        "notebook",
        "--inplace",
        "--ExecutePreprocessor.timeout=170",
    )
    try:
        installed.run(*run, "--ExecutePreprocessor.kernel_name=python3", *names, seconds=900)
    finally:
        installed.run("chimera", "down")
    for name in names:
        cells = json.loads((installed.folder / name).read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        outputs = [output for cell in code for output in cell["outputs"]]
        if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)) or not outputs:
            raise AssertionError(f"{name} was not run from top to bottom")
        if any(output["output_type"] == "error" for output in outputs):
            raise AssertionError(f"{name} gave an error")
    return f"{len(names)} notebooks"


TRIALS = {
    "import": try_import,
    "doctor": try_doctor,
    "demo": try_demo,
    "dash": try_dashboard,
    "notebooks": try_notebooks,
}

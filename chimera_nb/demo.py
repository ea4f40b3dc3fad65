"""open_demo: a local stack with something on it, for notebooks and whoever wants to try things."""

from __future__ import annotations

import os
from pathlib import Path

from chimera_nb.connect import connect
from chimera_nb.local import stack
from chimera_nb.local.demo.bucket import BUCKET, Demo, put_demo
from chimera_nb.settings import load_settings


def open_demo(data_dir: Path | None = None) -> Demo:
    """A local stack with the demo's files on it; starts one when none runs, and `chimera down` stops it.

    `data_dir` is the stack's folder; left out, as everywhere: the nearest `.chimera` upward, or one right here.
    What is there already stays, so it may be called again. Raises StackError when the stack does not start.
    """
    running = stack.start(load_settings(data_dir).folder)
    os.environ["CHIMERA_DATA_DIR"] = str(running.data_dir)
    return put_demo(connect([f"gs://{BUCKET}/"]).store)

"""open_demo: a local stack with something on it, for notebooks and whoever wants to try things."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from chimera_nb.local import stack
from chimera_nb.local.demo.bucket import BUCKET, DemoFiles, put_demo
from chimera_nb.session import Session, connect
from chimera_nb.settings import load_settings


@dataclass(frozen=True)
class Demo(DemoFiles):
    """Where the demo's files are, where results may go, and `session`, which is of its stack."""

    session: Session = field(repr=False)


def open_demo(data_dir: Path | None = None) -> Demo:
    """A local stack with the demo's files on it; starts one when none runs, and `chimera down` stops it.

    `data_dir` is the stack's folder; left out, as everywhere: the nearest `.chimera` upward, or one right here. Where
    you name another, hand its `session` on: nothing else finds it. What is there already stays, so it may be called
    again. Raises StackError when the stack does not start.
    """
    running = stack.start(load_settings(data_dir).folder)
    session = connect([f"gs://{BUCKET}/"], data_dir=running.data_dir)
    return Demo(**vars(put_demo(session.store)), session=session)

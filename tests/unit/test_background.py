"""Calls from threads to a widget's loop, which may have ended by then."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

from chimera_nb.session import Session
from chimera_nb.widgets.base.background import Background


async def _nothing() -> None:
    pass


def _in_thread(call) -> list:
    given: list = []
    thread = threading.Thread(target=lambda: given.append(call()))
    thread.start()
    thread.join()
    return given


async def _begun(background: Background) -> None:
    background.start(_nothing())
    await asyncio.sleep(0)


def test_what_a_thread_tells_is_called_on_the_loop():
    background = Background(Session())
    heard = []

    async def work() -> None:
        await _begun(background)
        loop_thread = threading.get_ident()
        assert _in_thread(
            lambda: background.tell(lambda word: heard.append((word, threading.get_ident())), "new")
        )
        await asyncio.sleep(0)
        assert heard == [("new", loop_thread)]

    asyncio.run(work())


def test_a_fault_of_what_is_told_is_logged_and_shown(caplog):
    shown = []
    background = Background(Session(), shown.append)

    async def work() -> None:
        await _begun(background)
        background.tell(lambda: 1 / 0)
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        asyncio.run(work())
    assert shown == ["this did not work, and was not foreseen (ZeroDivisionError); the log says more"]
    assert "work of a widget failed" in caplog.text


def test_what_comes_as_the_loop_ends_leaves_nothing_over():
    """A warning of a coroutine that nobody awaited is an error in tests; a closed loop is none."""
    background = Background(Session())
    heard: list[str] = []

    async def work() -> None:
        await _begun(background)

    assert _in_thread(lambda: background.tell(heard.append, "too early")) == [False]
    asyncio.run(work())
    assert _in_thread(lambda: background.tell(heard.append, "too late")) == [False]
    assert _in_thread(lambda: background.start(_nothing())) == [False]
    gc.collect()
    assert heard == []

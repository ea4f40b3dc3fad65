from __future__ import annotations

import contextlib
import os
import signal
import threading

import pytest

from pipeline import interruption
from pipeline.interruption import Interrupted, interruptions


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_raised_in_the_main_thread_and_what_was_before_comes_back(number, code):
    before = signal.getsignal(number)
    with interruptions() as signals:
        signals.heed()
        with pytest.raises(Interrupted, match=number.name) as raised:
            os.kill(os.getpid(), number)
    assert raised.value.exit_code == code
    assert signals.number == number
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_before_it_is_heeded_is_raised_where_it_is_met(number):
    with interruptions() as signals:
        os.kill(os.getpid(), number)
        assert signals.number == number
        with pytest.raises(Interrupted, match=number.name):
            signals.heed()


def test_who_sees_that_sigterm_is_taken_may_send_either(monkeypatch):
    taken = []
    take = signal.signal
    monkeypatch.setattr(
        signal, "signal", lambda number, handler: taken.append(number) or take(number, handler)
    )
    with interruptions():
        assert taken == [signal.SIGINT, signal.SIGTERM]


def test_a_second_signal_at_once_does_not_break_off_what_the_first_has_begun():
    done = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            done.append("the end")

    with interruptions() as signals:
        signals.heed()
        with pytest.raises(Interrupted):
            work()
    assert done == ["the end"]


def test_a_signal_that_was_swallowed_is_heard_the_next_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(interruption.time, "monotonic", lambda: now[0])

    def work() -> None:
        with contextlib.suppress(BaseException):  # as library code does
            os.kill(os.getpid(), signal.SIGTERM)
        now[0] += 2
        os.kill(os.getpid(), signal.SIGINT)

    with interruptions() as signals:
        signals.heed()
        with pytest.raises(Interrupted, match="SIGTERM"):
            work()


def test_what_is_held_is_done_whole_and_the_signal_is_known():
    with interruptions() as signals:
        signals.heed()
        signals.hold()
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.number == signal.SIGTERM


def test_another_thread_takes_no_signals():
    found = []

    def listen() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with interruptions():
            found.append(signal.getsignal(signal.SIGTERM) == before)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [True]

from __future__ import annotations

import threading

import pytest

from chimera_nb.data.read_ahead import read_ahead


def test_items_come_in_their_order_and_a_fault_in_its_place():
    def items():
        yield from range(50)
        raise ValueError("the last one")

    seen = []
    with pytest.raises(ValueError, match="the last one"):
        seen.extend(read_ahead(items(), 3))
    assert seen == list(range(50))
    assert list(read_ahead((x for x in ()), 4)) == []


def test_so_many_are_taken_while_the_first_is_looked_at_and_no_more():
    taken = threading.Semaphore(0)
    count = 0

    def items():
        nonlocal count
        for number in range(100):
            count += 1
            taken.release()
            yield number

    found = read_ahead(items(), 3)
    assert next(found) == 0
    for _ in range(4):  # the one at hand, and three ahead
        assert taken.acquire(timeout=10)
    assert count == 4
    assert next(found) == 1
    assert taken.acquire(timeout=10)
    assert count == 5
    found.close()


def test_closed_early_it_closes_what_it_reads_and_ends_its_thread():
    closed = []

    def items():
        try:
            while True:
                yield threading.current_thread()
        finally:
            closed.append(True)

    found = read_ahead(items(), 2)
    thread = next(found)
    assert thread is not threading.current_thread()
    found.close()
    assert closed == [True]
    thread.join(10)
    assert not thread.is_alive()

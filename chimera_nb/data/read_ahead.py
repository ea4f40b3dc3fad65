"""Items taken ahead in a thread, so that what comes over a network is on its way while the last of it is decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

T = TypeVar("T")

_END: Any = object()


def read_ahead(items: Generator[T, None, None], depth: int) -> Generator[T, None, None]:
    """The items in their order, up to `depth` of them held. What `items` raises is raised in its place.

    Closed early, it takes no more, and closes `items` once the one that is being taken has come.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")  # one thread, so that they stay in order
    with closing(items):
        try:
            coming: deque[Future[T]] = deque(pool.submit(next, items, _END) for _ in range(depth))
            while (item := coming.popleft().result()) is not _END:
                coming.append(pool.submit(next, items, _END))
                yield item
        finally:
            pool.shutdown(cancel_futures=True)

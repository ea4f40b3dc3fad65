"""Imported by every Python that starts while a benchmark is profiled: says where its threads were, again and again.

Beam and the readers work in threads, which the standard library's profiler does not see together; and a sample costs
nothing that would shift what is measured. At its end a process leaves its counts in BENCHMARK_PROFILES, one JSON file
for each.
"""

import atexit
import collections
import json
import os
import pathlib
import sys
import threading
import time

_FOLDER = os.environ.get("BENCHMARK_PROFILES")
_EVERY = 0.01  # seconds


def _sampled(counts, ended):
    me = threading.get_ident()
    while not ended.wait(_EVERY):
        for thread, frame in list(sys._current_frames().items()):  # noqa: SLF001 - there is no other way to see them
            if thread == me:
                continue
            code = frame.f_code
            counts[
                f"{code.co_filename}:{code.co_qualname if hasattr(code, 'co_qualname') else code.co_name}"
            ] += 1


def _begin(folder):
    counts, ended = collections.Counter(), threading.Event()
    threading.Thread(target=_sampled, args=(counts, ended), name="sample", daemon=True).start()

    def leave():
        ended.set()
        path = pathlib.Path(folder, f"{os.getpid()}-{time.monotonic_ns()}.json")
        path.write_text(json.dumps(counts), "utf-8")

    atexit.register(leave)


if _FOLDER:
    _begin(_FOLDER)

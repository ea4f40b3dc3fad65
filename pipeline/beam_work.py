"""Work that Beam does again and again in a job, done once or not at all: half of what a job of few files would cost.

Names of Beam's, all but one of them public, are given other functions, which come to the same.
"""

from __future__ import annotations

import bz2
import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

_Look = Callable[[Any], Any]
_BZ2 = b"BZh"  # what a stream begins with, and no pickle does
_here = threading.local()


def spare() -> None:
    """Have Beam look once at a function, for its arguments and its source, and at a kind of DoFn, for its state.

    Beam does so for each method of each stage whenever it meets it, in a graph and in each bundle. It asks no more
    whether this is IPython where nobody has imported that, nor weighs modules, and may be told to leave its pickles
    uncompressed.
    """
    from apache_beam import pipeline
    from apache_beam.internal import cloudpickle_pickler
    from apache_beam.runners.worker import statecache
    from apache_beam.transforms import core, userstate
    from apache_beam.utils import interactive_utils

    if hasattr(core.get_function_args_defaults, "__wrapped__"):
        return
    core.get_function_args_defaults = _remembering(core.get_function_args_defaults, _function_of)
    userstate.get_dofn_specs = _remembering(userstate.get_dofn_specs, _kind_of)
    # Whether it both yields and returns: its source is read for that.
    core._check_fn_use_yield_and_return = _remembering(  # noqa: SLF001
        core._check_fn_use_yield_and_return,  # noqa: SLF001
        _function_of,
        bool,
    )
    # Who is in IPython has imported it: to ask it imports all of it, which takes longer than to build the graph.
    looked = interactive_utils.is_in_ipython
    pipeline.is_in_ipython = interactive_utils.is_in_ipython = lambda: "IPython" in sys.modules and looked()
    # What is cached is weighed without the variables of modules, for which each module of the process is asked. They
    # are met by way of modules and functions alone, and those are left out as well.
    weighed = functools.partial(statecache.objsize.get_deep_size, exclude_modules_globals=False)
    statecache.objsize = SimpleNamespace(get_deep_size=weighed)
    cloudpickle_pickler.bz2 = SimpleNamespace(compress=_compressed, decompress=_decompressed)


@contextlib.contextmanager
def pickles_as_they_are() -> Iterator[None]:
    """Have Beam not compress what it pickles in this thread, for a graph that no other process reads; after `spare`.

    It makes some 200 pickles of a graph, of a kilobyte or two, and bzip2 takes as long for one of those as for 50 kB.
    """
    before, _here.as_they_are = getattr(_here, "as_they_are", False), True
    try:
        yield
    finally:
        _here.as_they_are = before


def _compressed(data: bytes, compresslevel: int = 9) -> bytes:
    return data if getattr(_here, "as_they_are", False) else bz2.compress(data, compresslevel)


def _decompressed(data: bytes) -> bytes:
    return bz2.decompress(data) if data.startswith(_BZ2) else data


def _both(pair: Any) -> Any:
    return pair[0].copy(), pair[1].copy()


def _remembering(look: _Look, key_of: Callable[[Any], tuple[Any, bool]], copied: _Look = _both) -> _Look:
    """`look` with copies of what it gave before for the same key; not where that is None."""
    known: tuple[WeakKeyDictionary[Any, Any], ...] = (WeakKeyDictionary(), WeakKeyDictionary())

    @functools.wraps(look)
    def remembered(asked: Any) -> Any:
        key, is_bound = key_of(asked)
        if key is None:
            return look(asked)
        if key not in known[is_bound]:
            known[is_bound][key] = look(asked)
        return copied(known[is_bound][key])

    return remembered


def _function_of(called: Any) -> tuple[Any, bool]:
    """A function of Python's own, and whether its first argument is given."""
    is_bound = type(called) is MethodType
    function = called.__func__ if is_bound else called
    return (function, is_bound) if type(function) is FunctionType else (None, False)


def _kind_of(dofn: Any) -> tuple[Any, bool]:
    """The class of a DoFn that has no methods but those of its class."""
    own = any(type(value) is MethodType for value in vars(dofn).values())
    return (None if own else type(dofn)), False

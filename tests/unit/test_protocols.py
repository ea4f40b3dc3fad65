"""The seams: what is handed on is a protocol, whose methods say what they take and give."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

import pytest

from chimera_nb.jobs.log.firestore import FirestoreJobLog
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.runners.dataflow import DataflowJobs
from chimera_nb.jobs.runners.direct import DirectJobs
from chimera_nb.jobs.runners.protocol import Runner
from pipeline.storage import BoundedStore, PlainStore, Store
from pipeline.storage.backends import Objects, Versions
from pipeline.storage.gcs import Buckets
from pipeline.storage.gcs_versions import BucketVersions
from pipeline.storage.local import LocalFiles
from pipeline.storage.local_versions import LocalVersions

KEPT = {
    Store: (PlainStore, BoundedStore),
    Objects: (Buckets, LocalFiles),
    Versions: (BucketVersions, LocalVersions),
    JobLog: (SqliteJobLog, FirestoreJobLog),
    Runner: (DirectJobs, DataflowJobs),
}
# What an option of a runner may be is its own business, as in JSON.
_OPTIONS = (dict[str, Any], Mapping[str, Any])


def methods(protocol: type) -> dict[str, Any]:
    return {
        name: it.fget if isinstance(it, property) else it
        for name, it in vars(protocol).items()
        if not name.startswith("_") and (inspect.isfunction(it) or isinstance(it, property))
    }


def holds_any(hint: object) -> bool:
    return hint not in _OPTIONS and (
        hint is Any or any(holds_any(argument) for argument in typing.get_args(hint))
    )


@pytest.mark.parametrize("protocol", KEPT)
def test_no_method_of_a_protocol_takes_or_gives_just_anything(protocol):
    assert len(methods(protocol)) > 2
    for name, method in methods(protocol).items():
        hints = typing.get_type_hints(method)
        assert hints.keys() >= inspect.signature(method).parameters.keys() - {"self"} | {"return"}, name
        assert not any(map(holds_any, hints.values())), name


@pytest.mark.parametrize("protocol", KEPT)
def test_whatever_keeps_a_protocol_says_so_and_does_all_of_it(protocol):
    shared = {"exists", "read_bytes", "run_each", "list"}  # made of the others, in the protocol itself
    for kind in KEPT[protocol]:
        assert protocol in kind.__mro__
        own = {name for name in methods(protocol) if getattr(kind, name) is not getattr(protocol, name)}
        fields = kind.__dict__.get("__dataclass_fields__", {}).keys()
        assert methods(protocol).keys() - shared - fields <= own

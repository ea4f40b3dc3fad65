"""Lists that are too long for a job's record or its graph, as objects at its target: one JSON text a line.

    <target>/_chimera/<job id>/patterns.ndjson    all patterns of the job, while it runs
    <target>/_chimera/inputs/<job id>.ndjson      all inputs of a job with many; it stays, for a clone or a retry

Dataflow takes requests of up to 20 MB, and Firestore documents of up to 1 MiB; a selection may have 100,000 paths.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import inputs_uri, patterns_uri

INPUTS_KEPT = 200  # in the specification itself
_READ_BYTES = 1 << 20


def write_list(store: Store, uri: str, texts: Iterable[str]) -> None:
    """Write the list as a whole, replacing what is there."""
    lines = [json.dumps(text) for text in texts]  # escaped: a local name may be no UTF-8
    store.write_bytes(uri, "".join(f"{line}\n" for line in lines).encode())


def read_list(store: Store, uri: str) -> Iterator[str]:
    """The list, in its order. Raises StorageError."""
    rest = b""
    with store.open_read(uri) as stream:
        while block := stream.read(_READ_BYTES):
            *lines, rest = (rest + block).split(b"\n")
            yield from map(json.loads, lines)
        stream.verify()
    if rest:
        raise StorageError(uri, "ends in the middle of a line, so it is not what was written")


def write_patterns(store: Store, spec: JobSpec, patterns: Iterable[str]) -> None:
    write_list(store, patterns_uri(spec.target, spec.job_id), patterns)


def read_patterns(store: Store, spec: JobSpec) -> list[str]:
    """The patterns that the job was admitted with."""
    return list(read_list(store, patterns_uri(spec.target, spec.job_id)))


def with_manifest(store: Store, spec: JobSpec) -> JobSpec:
    """The specification, with most of its inputs in a manifest when there are many."""
    if len(spec.inputs) <= INPUTS_KEPT:
        return spec
    uri = inputs_uri(spec.target, spec.job_id)
    write_list(store, uri, spec.inputs)
    return replace(spec, inputs=spec.inputs[:INPUTS_KEPT], inputs_total=len(spec.inputs), manifest=uri)


def all_inputs(store: Store, spec: JobSpec) -> tuple[str, ...]:
    """Every input of a job, whether its specification holds them or names a manifest.

    Raises RefusedError when the manifest is gone.
    """
    if spec.manifest is None:
        return spec.inputs
    try:
        return tuple(read_list(store, spec.manifest))
    except ObjectNotFoundError as e:
        raise RefusedError(
            f"the inputs of job {spec.job_id} were in {spec.manifest}, which is gone; choose them again"
        ) from e

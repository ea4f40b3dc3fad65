"""Catalogues in the user's data folder: a Parquet file each, by what it is of; replaced as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chimera_nb.machine.private import private_data_dir, private_folder
from pipeline.errors import StorageError
from pipeline.storage.local import LocalFiles
from pipeline.uri import Uri

_log = logging.getLogger(__name__)
_FORMAT = "1"  # raise it when the same files would give other rows
_ABOUT = b"chimera"
_FILES = 200
FOLDER = "catalogues"


def kept_at(data_folder: Path, **of: str | None) -> Path:
    """The file of a catalogue, by all that tells it from others: its folder, source, view, store."""
    name = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:32]
    return data_folder / FOLDER / f"{name}.parquet"


def find(path: Path, schema: pa.Schema) -> pa.Table:
    """What is kept; nothing, where that cannot be read or was made otherwise."""
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except FileNotFoundError:
        return schema.empty_table()
    except (OSError, pa.ArrowException) as e:
        _log.warning("%s cannot be used (%s); the catalogue is made anew", path, e)
        return schema.empty_table()
    about = table.schema.metadata or {}
    table = table.replace_schema_metadata(None)
    if about.get(_ABOUT) != _FORMAT.encode() or not table.schema.equals(schema):
        return schema.empty_table()
    return table


def keep(path: Path, table: pa.Table) -> None:
    """Keep a catalogue, where that can be written; without what may pass. Several at it at once do no harm."""
    table = table.filter(pc.invert(table["may_pass"])).replace_schema_metadata({_ABOUT: _FORMAT})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    try:
        private_folder(private_data_dir(path.parent.parent) / path.parent.name)
        # Not through the lists of places: this is a file of our own, which nobody names.
        LocalFiles().write_bytes(
            Uri("", str(path)), sink.getvalue().to_pybytes(), create_only=False, private=True
        )
    except (StorageError, OSError) as e:
        _log.warning("the catalogue is not kept: %s", e)
        return
    with contextlib.suppress(OSError):  # another process may be at it as well
        found = sorted(path.parent.glob("*.parquet"), key=lambda one: one.stat().st_mtime)
        for old in found[:-_FILES]:
            old.unlink(missing_ok=True)

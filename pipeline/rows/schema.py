"""A schema as JSON: for people the columns, and for programs the schema whole, as Arrow writes it, in base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def schema_to_json(schema: pa.Schema) -> dict[str, Any]:
    """{columns: [{name, type}], arrowSchema}: what a summary says of a view's rows."""
    return {
        "columns": [{"name": field.name, "type": str(field.type)} for field in schema],
        "arrowSchema": base64.b64encode(schema.serialize()).decode(),
    }


def schema_from_json(document: Mapping[str, Any]) -> pa.Schema | None:
    """The inverse; None where there is none, or one that cannot be read."""
    try:
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(document["arrowSchema"])))
    except (KeyError, TypeError, ValueError, pa.ArrowException, OSError):
        return None

"""What a job document may hold, in bytes as Firestore counts them, and how text and numbers are fitted to that."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import JobLogError

# Together under 1 MiB, which is all a Firestore document may have, with room for the fields not named here.
MAX_DOCUMENT_BYTES = (1 << 20) - 4096  # the rest is for its name
MAX_SPEC_BYTES = 512 << 10
MAX_LOG_BYTES = 256 << 10
MAX_PATHS_BYTES = 96 << 10
MAX_SUMMARY_BYTES = 64 << 10
MAX_ERROR_BYTES = 16 << 10
MAX_SMALL_BYTES = 16 << 10  # worker, progress
MAX_LOG_LINES = 1000
MAX_LINE_BYTES = 4 << 10
MAX_PATHS = 1000


def storable(text: str) -> str:
    """The text with what UTF-8 cannot encode (from names of local files, or JSON's escapes) as backslash escapes."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def plain(value: Any) -> Any:
    """The value in JSON's own types; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {storable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return storable(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def dump(spec: Mapping[str, Any]) -> str:
    text = json.dumps(spec, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a local name that is no UTF-8: escaped, so that nothing of it is lost
        text = json.dumps(spec, separators=(",", ":"))
    return text


def weigh(value: Any) -> int:
    """Bytes in a document (firebase.google.com/docs/firestore/storage-size)."""
    if isinstance(value, str):
        return len(value.encode()) + 1
    if isinstance(value, Mapping):
        return sum(len(key.encode()) + 1 + weigh(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(weigh, value))
    if isinstance(value, bytes):
        return len(value)
    return 1 if value is None or isinstance(value, bool) else 8


def small(value: Any, named: str, limit: int = MAX_SMALL_BYTES) -> Any:
    """The value in JSON's own types. Raises JobLogError, with its name, for one of more bytes than that."""
    value = plain(value)
    if (size := weigh(value)) > limit:
        raise JobLogError(f"{named} has {size:,} bytes, and a record keeps {limit:,}; leave parts of it out")
    return value


def summary_within(summary: Mapping[str, Any] | None, named: str) -> Any:
    """The summary, without its lists when it is large: a job may have a thousand patterns of a kilobyte."""
    if summary is not None and weigh(plain(summary)) > MAX_SUMMARY_BYTES:
        summary = {name: value for name, value in summary.items() if not isinstance(value, list | tuple)}
    return small(summary, named, MAX_SUMMARY_BYTES)


def first(texts: Iterable[str], limit: int) -> tuple[str, ...]:
    """As many of the texts, from the first, as have no more than that many bytes together."""
    kept, weight = [], 0
    for text in texts:
        weight += weigh(text)
        if weight > limit:
            break
        kept.append(text)
    return tuple(kept)


def cut(text: str, limit: int) -> str:
    """The text in no more than that many bytes. It loses its middle: tracebacks tell the most at their ends."""
    data = text.encode()
    if len(data) <= limit:
        return text
    head = limit // 4
    tail = limit - head - 64
    mark = f" … {len(data) - head - tail:,} bytes cut … "
    return data[:head].decode(errors="ignore") + mark + data[-tail:].decode(errors="ignore")

"""Requests and answers of the storage API, with object names in them as they are and as they are on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from chimera_nb.local.storage.names import from_disk, to_disk, to_disk_prefix

_API = re.compile(
    r"(?P<head>/(?:(?P<kind>upload|download)/)?storage/v1/b/)(?P<bucket>[^/]+)"
    r"(?:(?P<objects>/o)(?:/(?P<name>.+?)"
    r"(?P<tail>/compose|/acl(?:/[^/]+)?|/(?P<copies>rewrite|copy)To/b/(?P<to_bucket>[^/]+)/o/(?P<to_name>.+)"
    r"|/moveTo/o/(?P<new_name>.+))?)?)?"
)
_LARGEST_PAGE = 1000  # of items; real Cloud Storage gives no more, whatever is asked


@dataclass(frozen=True)
class Route:
    """What a request is about. The object is the one that is read or changed: of a copy or a move, the new one."""

    path: str  # as the server is asked
    kind: str | None  # "upload", "download", or None
    bucket: str  # empty where the path names none
    name: str | None  # of the object; None where the path names none
    lists: bool
    source: tuple[str, str] | None = None  # bucket and name of the object that is copied or moved
    moves: bool = False  # the path names the bucket as well, as that of a copy does


def object_path(bucket: str, name: str) -> str:
    """The path by which the server is asked for an object."""
    return f"/storage/v1/b/{bucket}/o/{_on_disk(name)}"


def read_route(path: str) -> Route | None:
    """What a path (as sent, percent-encoded) is about; None for one that is not of the JSON API.

    Raises UnicodeDecodeError for a name that is no UTF-8.
    """
    found = _API.fullmatch(path)
    if found is None:
        return Route(path, None, "", None, lists=False) if path.startswith("/storage/v1/") else None
    bucket, name, tail = _plain(found["bucket"]), found["name"], found["tail"] or ""
    if name is None:
        return Route(path, found["kind"], bucket, None, lists=bool(found["objects"]) and not found["kind"])
    plain = _plain(name)
    path = f"{found['head']}{found['bucket']}/o/{_on_disk(plain)}"
    to = found["to_name"] or found["new_name"]
    if to is None:
        return Route(path + tail, found["kind"], bucket, plain, lists=False)
    to_bucket, to_name = found["to_bucket"] or found["bucket"], _plain(to)
    path += f"/{found['copies'] or 'move'}To/b/{to_bucket}/o/{_on_disk(to_name)}"
    source, moves = (bucket, plain), found["new_name"] is not None
    return Route(path, found["kind"], _plain(to_bucket), to_name, lists=False, source=source, moves=moves)


def read_query(query: str) -> dict[str, str]:
    """The parameters of a query; of one given twice, the last."""
    return dict(parse_qsl(query, keep_blank_values=True, errors="strict"))


def write_query(path: str, query: Mapping[str, str]) -> str:
    return path + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def check_name(name: str) -> None:
    """Raise ValueError for what is no object's name: https://cloud.google.com/storage/docs/objects#naming."""
    if name in {".", ".."} or not 1 <= len(name.encode()) <= 1024 or re.search("[\r\n]", name):
        raise ValueError(f"not a name for an object: {name[:100]!r}")


def query_for_list(query: Mapping[str, str]) -> dict[str, str]:
    """A listing's parameters for the server."""
    names = {
        key: to_disk_prefix(value)
        for key, value in query.items()
        if key in {"prefix", "startOffset", "endOffset"}
    }
    asked = query.get("maxResults", "")
    size = int(asked) if asked.isdecimal() and int(asked) else _LARGEST_PAGE
    return {**query, **names, "maxResults": str(min(size, _LARGEST_PAGE))}


def sources_for_compose(body: bytes) -> bytes:
    """The body of a compose request for the server."""
    document = json.loads(body)
    for source in document.get("sourceObjects", []):
        source["name"] = to_disk(source["name"])
    return json.dumps(document).encode()


def fields_of_items(fields: str) -> set[str] | None:
    """What a listing is asked to say of each object; None where that is everything.

    Of https://cloud.google.com/storage/docs/json_api#partial-response only the form that clients use: items(a,b).
    """
    found = re.search(r"\bitems\(([\w,]+)\)", fields)
    return set(found[1].split(",")) if found else None


def show_page(page: Mapping[str, Any], host: str, fields: str = "") -> dict[str, Any]:
    """A page of a listing as a client may see it. The page token keeps its form: it is nobody's to read."""
    shown: dict[str, Any] = {key: page[key] for key in ("kind", "nextPageToken") if page.get(key)}
    items = page.get("items") or []
    if asked := fields_of_items(fields):
        # Each object by itself would take most of the time that a page takes.
        names = ((item, from_disk(item["name"])) for item in items)
        shown["items"] = [
            {key: value for key, value in {**item, "name": name}.items() if key in asked}
            for item, name in names
        ]
    else:
        shown["items"] = [show_object(item, host) for item in items]
    shown["prefixes"] = [from_disk(prefix) for prefix in page.get("prefixes") or []]
    return {key: value for key, value in shown.items() if value}


def show_object(document: dict[str, Any], host: str) -> dict[str, Any]:
    """What the server says of an object (or of a copy being made), with the name it is known by."""
    if isinstance(document.get("resource"), dict):
        return {**document, "resource": show_object(document["resource"], host)}
    if "name" not in document or "bucket" not in document:
        return document
    bucket, name = document["bucket"], from_disk(document["name"])
    link = f"storage/v1/b/{bucket}/o/{quote(name, safe='')}"
    shown = {**document, "name": name, "id": f"{bucket}/{name}/{document.get('generation', '')}"}
    return shown | {"selfLink": f"{host}/{link}", "mediaLink": f"{host}/download/{link}?alt=media"}


def _plain(encoded: str) -> str:
    return unquote(encoded, errors="strict")


def _on_disk(name: str) -> str:
    return quote(to_disk(name), safe="")

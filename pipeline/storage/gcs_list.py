"""Long listings of a bucket: plain requests for what is needed of each object and no more, many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import quote, urlencode

import msgspec
from google.api_core import exceptions as api

from pipeline.errors import StoreUnavailableError
from pipeline.storage.entries import Entry
from pipeline.storage.gcs_client import Terms, asked, client
from pipeline.storage.gcs_faults import NO_STORE
from pipeline.storage.gcs_media import as_response, get
from pipeline.storage.name_ranges import RangedListing, Share
from pipeline.uri import SEPARATOR, Uri, written

_FIELDS = "items(name,size,generation,crc32c),nextPageToken"
_PAGE_BYTES = 1 << 20


class _Object(msgspec.Struct):
    name: str
    size: int
    generation: int
    crc32c: str | None = None


class _Page(msgspec.Struct, rename="camel"):
    items: list[_Object] = []
    next_page_token: str = ""


_decode = msgspec.json.Decoder(_Page, strict=False).decode  # the API has whole numbers as texts


def list_pages(prefix: Uri, terms: Terms, share: Share | None = None) -> Iterator[list[Entry]]:
    """The objects whose URI starts with `prefix`, each once, in pages in any order. Raises StorageError.

    With a `share`, those of its range, as `RangedListing` has it.
    """
    bucket, name, start = prefix.bucket, prefix.path, written(prefix.bucket, "")
    ask = asked(prefix, terms, _PAGE_BYTES)(partial(_ask, prefix, terms))
    for page in RangedListing(ask, name, share).pages():
        yield [
            Entry(
                written(bucket, one.name) if SEPARATOR in one.name else start + one.name,
                one.size,
                one.generation,
                one.crc32c,
            )
            for one in page
            # Consoles and FUSE make empty objects that stand for folders.
            if one.name.startswith(name) and (one.size or not one.name.endswith("/"))
        ]


def _ask(prefix: Uri, terms: Terms, start: str, end: str, most: int) -> tuple[Sequence[_Object], bool]:
    """One request. Raises StoreUnavailableError for an answer that is none."""
    query = {
        "prefix": prefix.path,
        "startOffset": start,
        "endOffset": end,
        "maxResults": most,
        "fields": _FIELDS,
        "userProject": terms.user_project,
    }
    base = client(terms.cloud)._connection.API_BASE_URL  # noqa: SLF001 - as bodies are asked for
    asked_for = urlencode({key: value for key, value in query.items() if value}, quote_via=quote)
    url = f"{base}/storage/v1/b/{quote(prefix.bucket, safe='')}/o?{asked_for}"
    answer = get(url, {"Accept-Encoding": "gzip"}, terms.cloud, terms.answer(), decode=True)
    if answer.status != 200:
        raise api.from_http_response(as_response(answer, url))
    try:
        page = _decode(answer.data)
    except msgspec.DecodeError as e:
        raise StoreUnavailableError(prefix, *NO_STORE) from e
    return page.items, bool(page.next_page_token)

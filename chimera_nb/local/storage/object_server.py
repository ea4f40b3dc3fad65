"""The JSON API of Cloud Storage over `object_files`, as far as clients here use it. It has no port of its own.

A request is a call in the proxy's process, so there is nothing for another user or a web page to reach. It knows
paths on disk only; `mended` makes them of names, and holds requests against their preconditions.
https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote

from chimera_nb.local.storage.multipart import parts_of_multipart
from chimera_nb.local.storage.names import from_disk
from chimera_nb.local.storage.object_files import Incoming, Known, ObjectFiles
from chimera_nb.local.storage.routes import fields_of_items
from chimera_nb.local.storage.serving import Answer, json_answer, no_answer, ranged

_PATH = re.compile(
    r"/(?:(?P<kind>upload|download)/)?storage/v1/b(?:/(?P<bucket>[^/]+)(?P<rights>/iam/testPermissions)?(?P<objects>/o(?:/(?P<path>[^/]+)"
    r"(?:/(?P<verb>compose|(?:rewrite|copy)To/b/(?P<to_bucket>[^/]+)/o/(?P<to_path>[^/]+)))?)?)?)?"
)
_SAID = {  # by an object's author
    "contentType": "content_type",
    "contentEncoding": "content_encoding",
    "contentDisposition": "content_disposition",
    "contentLanguage": "content_language",
    "cacheControl": "cache_control",
    "metadata": "metadata",
}
_LARGE = 1 << 20  # bytes: copying more than this is left to another thread
_CHUNKS = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


@dataclass
class _Upload:
    """One in several requests, under way."""

    bucket: str
    path: str
    said: Mapping[str, Any]
    incoming: Incoming


@dataclass(frozen=True)
class _Call:
    """A request, read. `path` and `to_path` are on disk."""

    method: str
    kind: str  # "upload", "download" or ""
    bucket: str
    path: str
    verb: str
    to: tuple[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any  # bytes, or an asynchronous iterator of them


class ObjectServer:
    """Answers for the buckets of one folder, to clients that know it as `host`. Lives on one event loop."""

    def __init__(self, files: ObjectFiles, host: str) -> None:
        self._files, self._host = files, host
        self._uploads: dict[str, _Upload] = {}

    @asynccontextmanager
    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: Any = None
    ) -> AsyncIterator[Answer]:
        """One request; its answer for the life of the block. The body is bytes, or a stream of them."""
        path, _, query = target.partition("?")
        found = _PATH.fullmatch(path)
        if found is None:
            yield no_answer(501, f"this stand-in has no {path}")
            return
        call = _Call(
            method,
            found["kind"] or "",
            unquote(found["bucket"] or ""),
            unquote(found["path"] or ""),
            (found["verb"] or "").partition("/")[0],
            (unquote(found["to_bucket"] or ""), unquote(found["to_path"] or "")),
            dict(parse_qsl(query, keep_blank_values=True)),
            headers,
            body,
        )
        if found["rights"]:
            answer = self._rights(call.bucket, parse_qs(query).get("permissions", []))
        else:
            answer = await (self._of_objects(call) if found["objects"] else self._of_buckets(call))
        try:
            yield answer
        finally:
            answer.close()

    async def _of_objects(self, call: _Call) -> Answer:
        if "upload_id" in call.query:
            answer = await self._chunk(call)
        elif not self._files.has_bucket(call.bucket):
            answer = _no_bucket(call.bucket)
        elif call.kind == "upload":
            answer = await self._upload(call)
        elif not call.path:
            # Elsewhere an object is two files, which are exchanged while the loop does nothing else.
            on_loop = sys.platform != "linux"
            answer = self._list(call) if on_loop else await asyncio.to_thread(self._list, call)
        elif call.verb == "compose":
            answer = await self._compose(call)
        elif (known := self._files.find(call.bucket, call.path)) is None or not _is_wanted(call, known):
            answer = _no_object(call.bucket, call.path)
        elif call.verb:
            answer = await self._copy(call, known)
        else:
            answer = await self._one_object(call, known)
        return answer

    # Buckets

    async def _of_buckets(self, call: _Call) -> Answer:
        if not call.bucket:
            return await self._all_buckets(call)
        if call.method in {"PATCH", "PUT"} and self._files.has_bucket(call.bucket):
            return await self._changed_bucket(call)
        return self._one_bucket(call) if self._files.has_bucket(call.bucket) else _no_bucket(call.bucket)

    async def _all_buckets(self, call: _Call) -> Answer:
        if call.method == "GET":
            items = [self._bucket_document(name) for name in self._files.buckets()]
            return json_answer(200, {"kind": "storage#buckets", "items": items})
        if call.method != "POST":
            return no_answer(405, f"{call.method} is nothing to do with all buckets")
        bucket = str(json.loads(await _whole(call.body)).get("name", ""))
        try:
            self._files.make_bucket(bucket)
        except FileExistsError:
            return no_answer(409, "You already own this bucket. Please select another name.")
        return json_answer(200, self._bucket_document(bucket))

    def _one_bucket(self, call: _Call) -> Answer:
        if call.method == "DELETE":
            if not self._files.delete_bucket(call.bucket):
                return no_answer(409, "The bucket you tried to delete is not empty.")
            return Answer(204, {})
        return json_answer(200, self._bucket_document(call.bucket))

    async def _changed_bucket(self, call: _Call) -> Answer:
        """Of what can be said of a bucket, whether requesters pay is kept; the rest is passed over."""
        billing = json.loads(await _whole(call.body) or b"{}").get("billing")
        if isinstance(billing, dict) and "requesterPays" in billing:
            self._files.set_requester_pays(call.bucket, billing["requesterPays"] is True)
        return json_answer(200, self._bucket_document(call.bucket))

    def _rights(self, bucket: str, permissions: Sequence[str]) -> Answer:
        """All that are asked for: whoever may talk to the stack may do everything."""
        if not self._files.has_bucket(bucket):
            return _no_bucket(bucket)
        document = {"kind": "storage#testIamPermissionsResponse", "permissions": list(permissions)}
        return json_answer(200, document)

    def _bucket_document(self, bucket: str) -> dict[str, Any]:
        made = self._files.bucket_made(bucket)
        return {
            "kind": "storage#bucket",
            "id": bucket,
            "name": bucket,
            "selfLink": f"http://{self._host}/storage/v1/b/{bucket}",
            "projectNumber": "0",
            "location": "US-CENTRAL1",
            "locationType": "region",
            "storageClass": "STANDARD",
            "metageneration": "1",
            "etag": "1",
            "timeCreated": made,
            "updated": made,
            "billing": {"requesterPays": self._files.requester_pays(bucket)},
        }

    def _list(self, call: _Call) -> Answer:
        """A page of objects and prefixes, both counted; the token is the path at which the next one begins."""
        query, asked = call.query, fields_of_items(call.query.get("fields", ""))
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        most, end = int(query.get("maxResults") or 0), query.get("endOffset", "")
        start = max(query.get("pageToken", ""), query.get("startOffset", ""), key=from_disk)

        def fold(folder: str) -> bool:
            return delimiter == "/" and len(folder) > len(prefix)

        items: list[dict[str, Any]] = []
        prefixes: list[str] = []
        following = None
        for path in self._files.paths(call.bucket, prefix, start, end, fold=fold):
            if most and len(items) + len(prefixes) == most:
                following = path
                break
            if path.endswith("/"):
                prefixes.append(path)
            elif (known := self._files.find(call.bucket, path)) is not None:  # not deleted meanwhile
                document = self._document(call.bucket, path, known)
                items.append({key: document[key] for key in document if key in asked} if asked else document)
        page = {"kind": "storage#objects", "items": items, "prefixes": prefixes, "nextPageToken": following}
        return json_answer(200, {key: value for key, value in page.items() if value})

    # Objects

    async def _one_object(self, call: _Call, known: Known) -> Answer:
        if call.method == "DELETE":
            self._files.delete(call.bucket, call.path)
            return Answer(204, {})
        if call.method in {"PATCH", "PUT"}:
            said = _said(json.loads(await _whole(call.body)))
            if call.method == "PATCH" and "metadata" in said:
                merged = {**(known.metadata if said["metadata"] else {}), **said["metadata"]}
                said["metadata"] = {key: value for key, value in merged.items() if value is not None}
            known = self._files.change(call.bucket, call.path, known, **said)
        elif call.kind == "download" or call.query.get("alt") == "media" or call.method == "HEAD":
            found = self._files.open(call.bucket, call.path)
            if found is None:
                return _no_object(call.bucket, call.path)
            return ranged(*found, call.headers, with_body=call.method != "HEAD")
        return json_answer(200, self._document(call.bucket, call.path, known))

    async def _compose(self, call: _Call) -> Answer:
        asked = json.loads(await _whole(call.body))
        sources = [(call.bucket, str(source["name"])) for source in asked.get("sourceObjects", [])]
        for source in sources:
            if self._files.find(*source) is None:
                return _no_object(*source)
        made = await self._made_of(sources, (call.bucket, call.path), _said(asked.get("destination", {})))
        return json_answer(200, self._document(call.bucket, call.path, made))

    async def _copy(self, call: _Call, known: Known) -> Answer:
        bucket, path = call.to
        if not self._files.has_bucket(bucket):
            return _no_bucket(bucket)
        said = {ours: getattr(known, ours) for ours in _SAID.values()}
        said |= _said(json.loads(await _whole(call.body) or b"{}"))
        made = await self._made_of([(call.bucket, call.path)], call.to, said)
        document = self._document(bucket, path, made)
        if call.verb == "copyTo":
            return json_answer(200, document)
        size = str(made.size)
        done = {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": True,
        }
        return json_answer(200, {**done, "resource": document})

    async def _made_of(
        self, sources: list[tuple[str, str]], to: tuple[str, str], said: Mapping[str, Any]
    ) -> Known:
        incoming = self._files.incoming()
        try:
            size = sum(found.size for source in sources if (found := self._files.find(*source)))
            if size > _LARGE:
                await asyncio.to_thread(self._files.copy, sources, incoming)
            else:
                self._files.copy(sources, incoming)
            return self._files.commit(incoming, *to, **said)
        finally:
            incoming.drop()

    # Uploads

    async def _upload(self, call: _Call) -> Answer:
        path, kind = call.query["name"], call.query.get("uploadType")
        if kind == "resumable":
            said = _said(json.loads(await _whole(call.body) or b"{}"))
            said.setdefault("content_type", call.headers.get("X-Upload-Content-Type", ""))
            upload, incoming = secrets.token_urlsafe(24), self._files.incoming()
            incoming.rest()
            self._uploads[upload] = _Upload(call.bucket, path, said, incoming)
            where = f"http://{self._host}/upload/storage/v1/b/{call.bucket}/o?uploadType=resumable"
            where += f"&name={quote(path, safe='')}&upload_id={upload}"
            return Answer(200, {"Location": where, "X-GUploader-UploadID": upload})
        incoming = self._files.incoming()
        try:
            if kind == "multipart":
                document, content_type, data = await parts_of_multipart(
                    call.headers.get("Content-Type", ""), call.body
                )
                said = _said(document)
                said.setdefault("content_type", content_type)
            else:
                document, data = {}, call.body
                said = {"content_type": call.headers.get("Content-Type", "")}
                if "contentEncoding" in call.query:
                    said["content_encoding"] = call.query["contentEncoding"]
            await _add(incoming, data)
            return self._placed(incoming, call.bucket, path, said, document)
        finally:
            incoming.drop()

    def _placed(
        self, incoming: Incoming, bucket: str, path: str, said: Mapping[str, Any], document: Mapping[str, Any]
    ) -> Answer:
        """Let an upload appear, unless it is not what its author says it is."""
        found = incoming.known(0)
        for name, is_ in (("crc32c", found.crc32c), ("md5Hash", found.md5)):
            if document.get(name) not in {None, "", is_}:
                return no_answer(400, f"Provided {name} {document[name]!r} doesn't match calculated {is_!r}.")
        known = self._files.commit(incoming, bucket, path, **said)
        return json_answer(200, self._document(bucket, path, known))

    async def _chunk(self, call: _Call) -> Answer:
        """What comes of an upload in several requests; one without Content-Range is all that is left of it."""
        upload = self._uploads.get(call.query["upload_id"])
        if upload is None:
            return no_answer(404, "no such upload: it has ended, or the stack was started again")
        if call.method == "DELETE":
            self._uploads.pop(call.query["upload_id"]).incoming.drop()
            return Answer(499, {})
        said = _CHUNKS.fullmatch(call.headers.get("Content-Range", "bytes */*"))
        if said is None:
            return no_answer(400, f"Content-Range {call.headers['Content-Range']!r} cannot be read")
        asks = said[1] is None and "Content-Range" in call.headers
        total = None if said[2] == "*" else int(said[2])
        if not asks:
            begins = int(said[1]) if said[1] else upload.incoming.size
            if begins > upload.incoming.size:
                return no_answer(503, f"the upload has {upload.incoming.size} bytes so far")
            try:
                await _add(upload.incoming, call.body, skip=upload.incoming.size - begins)
            finally:
                upload.incoming.rest()
        whole = upload.incoming.size == total if "Content-Range" in call.headers else True
        if not whole:
            had = upload.incoming.size
            return Answer(308, {"Range": f"bytes=0-{had - 1}"} if had else {})
        del self._uploads[call.query["upload_id"]]
        try:
            return self._placed(upload.incoming, upload.bucket, upload.path, upload.said, {})
        finally:
            upload.incoming.drop()

    def _document(self, bucket: str, path: str, known: Known) -> dict[str, Any]:
        """An object as the API shows it, with its path for its name."""
        said = {name: getattr(known, ours) for name, ours in _SAID.items()}
        return {
            "kind": "storage#object",
            "name": path,
            "bucket": bucket,
            "size": str(known.size),
            "crc32c": known.crc32c,
            "md5Hash": known.md5,
            "etag": known.md5,
            "storageClass": "STANDARD",
            "timeCreated": known.created,
            "timeStorageClassUpdated": known.created,
            "updated": known.updated,
            "generation": str(known.generation),
            "metageneration": "1",
            **{name: dict(value) if name == "metadata" else value for name, value in said.items() if value},
        }


def _no_bucket(bucket: str) -> Answer:
    return no_answer(404, f"The specified bucket does not exist: {bucket}")


def _no_object(bucket: str, path: str) -> Answer:
    return no_answer(404, f"No such object: {bucket}/{path}")


def _is_wanted(call: _Call, known: Known) -> bool:
    """Whether it is of the generation that is asked for: no older ones are kept."""
    return call.query.get("sourceGeneration" if call.verb else "generation", "") in {
        "",
        str(known.generation),
    }


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of an object; what is null is taken away."""
    return {
        ours: document[name] or ({} if name == "metadata" else "")
        for name, ours in _SAID.items()
        if name in document
    }


async def _add(incoming: Incoming, body: Any, skip: int = 0) -> None:
    """Add a body, but for its first `skip` bytes, which are there already."""
    async for data in _pieces(body):
        kept = data[skip:]
        skip -= len(data) - len(kept)
        if kept:
            incoming.write(kept)


async def _pieces(body: Any) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
    elif body is not None:
        async for data in body.iter_any() if hasattr(body, "iter_any") else body:
            yield data


async def _whole(body: Any) -> bytes:
    return b"".join([data async for data in _pieces(body)])

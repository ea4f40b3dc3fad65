"""The JSON API of Cloud Storage over `object_files`, as far as clients here use it. It has no port of its own.

A request is a call in the proxy's process, so there is nothing for another user or a web page to reach. It knows
paths on disk only; `objects_api` makes them of names, and holds requests against their preconditions.
https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from chimera_nb.local.storage.bucket_server import BucketServer
from chimera_nb.local.storage.call import Call, whole
from chimera_nb.local.storage.documents import DESCRIBED, described, no_bucket, no_object, object_document
from chimera_nb.local.storage.known import Known
from chimera_nb.local.storage.names import from_disk
from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.routes import fields_of_items
from chimera_nb.local.storage.serving import Answer, json_answer, no_answer, ranged
from chimera_nb.local.storage.upload_server import UploadServer

_LARGE = 1 << 20  # bytes: copying more than this is left to another thread


class ObjectServer:
    """Answers for the buckets of one folder, to clients that know it as `host`. Lives on one event loop."""

    def __init__(self, files: ObjectFiles, host: str) -> None:
        self._files = files
        self._buckets, self._uploads = BucketServer(files, host), UploadServer(files, host)

    @asynccontextmanager
    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: Any = None
    ) -> AsyncIterator[Answer]:
        """One request; its answer for the life of the block. The body is bytes, or a stream of them."""
        call = Call.read(method, target, headers, body)
        if call is None:
            yield no_answer(501, f"this stand-in has no {target.partition('?')[0]}")
            return
        answer = await (self._of_objects(call) if call.of_objects else self._buckets.answer(call))
        try:
            yield answer
        finally:
            answer.close()

    async def _of_objects(self, call: Call) -> Answer:
        if "upload_id" in call.query:
            answer = await self._uploads.chunk(call)
        elif not self._files.has_bucket(call.bucket):
            answer = no_bucket(call.bucket)
        elif call.kind == "upload":
            answer = await self._uploads.begin(call)
        elif not call.path:
            # Elsewhere an object is two files, which are exchanged while the loop does nothing else.
            on_loop = sys.platform != "linux"
            answer = self._list(call) if on_loop else await asyncio.to_thread(self._list, call)
        elif call.verb == "compose":
            answer = await self._compose(call)
        elif (known := self._files.find(call.bucket, call.path)) is None or not _is_of_generation(
            call, known
        ):
            answer = no_object(call.bucket, call.path)
        elif call.verb:
            answer = await self._copy(call, known)
        else:
            answer = await self._one_object(call, known)
        return answer

    def _list(self, call: Call) -> Answer:
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
                document = object_document(call.bucket, path, known)
                items.append({key: document[key] for key in document if key in asked} if asked else document)
        page = {"kind": "storage#objects", "items": items, "prefixes": prefixes, "nextPageToken": following}
        return json_answer(200, {key: value for key, value in page.items() if value})

    # Objects

    async def _one_object(self, call: Call, known: Known) -> Answer:
        if call.method == "DELETE":
            self._files.delete(call.bucket, call.path)
            return Answer(204, {})
        if call.method in {"PATCH", "PUT"}:
            said = described(json.loads(await whole(call.body)))
            if call.method == "PATCH" and "metadata" in said:
                merged = {**(known.metadata if said["metadata"] else {}), **said["metadata"]}
                said["metadata"] = {key: value for key, value in merged.items() if value is not None}
            known = self._files.change(call.bucket, call.path, known, **said)
        elif call.kind == "download" or call.query.get("alt") == "media" or call.method == "HEAD":
            found = self._files.open(call.bucket, call.path)
            if found is None:
                return no_object(call.bucket, call.path)
            return ranged(*found, call.headers, with_body=call.method != "HEAD")
        return json_answer(200, object_document(call.bucket, call.path, known))

    async def _compose(self, call: Call) -> Answer:
        asked = json.loads(await whole(call.body))
        sources = [(call.bucket, str(source["name"])) for source in asked.get("sourceObjects", [])]
        for source in sources:
            if self._files.find(*source) is None:
                return no_object(*source)
        said = described(asked.get("destination", {}))
        made = await self._made_of(sources, (call.bucket, call.path), said, with_md5=False)
        return json_answer(200, object_document(call.bucket, call.path, made))

    async def _copy(self, call: Call, known: Known) -> Answer:
        bucket, path = call.to
        if not self._files.has_bucket(bucket):
            return no_bucket(bucket)
        if call.verb == "moveTo":
            moved = self._files.move((call.bucket, call.path), known, call.to)
            return json_answer(200, object_document(bucket, path, moved))
        said = {ours: getattr(known, ours) for ours in DESCRIBED.values()}
        said |= described(json.loads(await whole(call.body) or b"{}"))
        made = await self._made_of([(call.bucket, call.path)], call.to, said, with_md5=bool(known.md5))
        document = object_document(bucket, path, made)
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
        self, sources: list[tuple[str, str]], to: tuple[str, str], said: Mapping[str, Any], *, with_md5: bool
    ) -> Known:
        incoming = self._files.incoming(with_md5=with_md5)
        try:
            size = sum(found.size for source in sources if (found := self._files.find(*source)))
            if size > _LARGE:
                await asyncio.to_thread(self._files.copy, sources, incoming)
            else:
                self._files.copy(sources, incoming)
            return self._files.commit(incoming, *to, **said)
        finally:
            incoming.drop()


def _is_of_generation(call: Call, known: Known) -> bool:
    """Whether it is of the generation that is asked for: no older ones are kept."""
    return call.query.get("sourceGeneration" if call.verb else "generation", "") in {
        "",
        str(known.generation),
    }

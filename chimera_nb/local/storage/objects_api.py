"""The objects of `object_server` as clients see them: by their names, and under the preconditions that they set.

Bodies of objects stream through both ways; everything else fits in memory and is passed on whole.

- names that are no file names (names.py): "a" beside "a/b", "folder/", "a//b", "..", and long ones
- preconditions (preconditions.py), with one change of an object at a time
- copies and moves (objects.move), with both names held meanwhile
- listings: pages of no more than 1,000, each prefix on one page
- resumable uploads that are asked about, sent again or done (uploads.py)

What is not imitated: but for listings, answers are whole objects whatever `fields` asks, except that an upload in
several requests whose `fields` leave out md5Hash makes an object without one, as a compose does; matchGlob and
delimiters other than "/" are ignored; no older generations are kept, and metageneration is always 1.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from weakref import WeakValueDictionary

from aiohttp import web
from multidict import CIMultiDict

from chimera_nb.local.storage import routes
from chimera_nb.local.storage.names import to_disk
from chimera_nb.local.storage.object_server import ObjectServer
from chimera_nb.local.storage.preconditions import (
    Preconditions,
    read_preconditions,
    read_source_preconditions,
)
from chimera_nb.local.storage.replies import Reply, error, json_reply, kept, response, whole_body
from chimera_nb.local.storage.serving import Answer
from chimera_nb.local.storage.uploads import ResumableUpload, name_in_multipart

Spoil = Callable[[CIMultiDict[str], AsyncIterator[bytes]], AsyncIterator[bytes]]  # a body's head, the body

_UPLOADS = 10_000  # in several requests, that are kept in mind


class ObjectsApi:
    """The objects of an object server by their names, for clients that know it as `host`."""

    def __init__(self, server: ObjectServer, host: str) -> None:
        self._server, self._host = server, host
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._resumable: dict[str, ResumableUpload] = {}  # by upload id

    async def call(
        self,
        method: str,
        route: routes.Route,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        """One request that is not about an object's bytes."""
        if route.lists and method == "GET":
            return await self._list(route, query, headers)
        if route.name is None:
            return await self._exchange(method, routes.write_query(route.path, query), headers, body)
        if route.path.endswith("/compose") and method == "POST":
            body = routes.sources_for_compose(body)
        if route.source:
            return await self._copy(route, query, headers, body)
        preconditions = read_preconditions(method, query)
        target = routes.write_query(route.path, query)
        if method == "GET":
            refusal = None
            reply = await self._exchange(method, target, headers)
            if reply.status == 200 and preconditions:
                refusal = preconditions.refusal(int(json.loads(reply.body)["generation"]), reading=True)
        else:
            creates = method == "POST"  # a compose
            async with self._changing(route.bucket, route.name, preconditions, creates=creates) as refusal:
                reply = _refused(refusal) if refusal else await self._exchange(method, target, headers, body)
        return _refused(refusal) if refusal else self._shown(reply)

    async def _copy(
        self, route: routes.Route, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """A copy or a move: both names are held, in their order, so that two of them never wait for each other."""
        source, target = route.source or ("", ""), (route.bucket, route.name or "")
        if route.moves and source == target:
            return error(400, "a move needs another name")
        async with AsyncExitStack() as held:
            for name in sorted({source, target}):
                await held.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            found = await self._generation(*source)
            if not found:
                return _refused(404)
            refusal = read_source_preconditions(query).refusal(found, reading=False)
            if refusal is None and (preconditions := read_preconditions("POST", query)):
                refusal = preconditions.refusal(await self._generation(*target), reading=False)
            if refusal:
                return _refused(refusal)
            asked = routes.write_query(route.path, {} if route.moves else query)
            return self._shown(await self._exchange("POST", asked, headers, body))

    async def _list(self, route: routes.Route, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        asked = routes.query_for_list(query)
        reply = await self._exchange("GET", routes.write_query(route.path, asked), headers)
        if reply.status != 200:
            return reply
        page, host = json.loads(reply.body), f"http://{self._host}"
        return json_reply(200, routes.show_page(page, host, query.get("fields", "")))

    async def upload(
        self, request: web.BaseRequest, route: routes.Route, query: dict[str, str]
    ) -> web.StreamResponse:
        """An upload in one request, or the beginning or a chunk of one in several."""
        if "upload_id" in query:
            return response(await self._chunk(request, route, query))
        body: Any = request.content
        if query.get("uploadType") == "resumable":
            body = await whole_body(request)
            query["name"] = query.get("name") or json.loads(body or b"{}").get("name", "")
        elif query.get("uploadType") == "multipart":
            found, body = await name_in_multipart(request.headers.get("Content-Type", ""), request.content)
            query["name"] = query.get("name") or found
        name = query.get("name", "")
        routes.check_name(name)
        preconditions = read_preconditions(request.method, query)
        target = routes.write_query(route.path, query | {"name": to_disk(name)})
        async with self._changing(route.bucket, name, preconditions) as refusal:
            if refusal:
                return response(_refused(refusal))
            reply = await self._exchange(request.method, target, request.headers, body)
        began = parse_qs(urlsplit(reply.headers.get("Location", "")).query).get("upload_id")
        if began:
            self._resumable[began[0]] = ResumableUpload(name, preconditions)
            if len(self._resumable) > _UPLOADS:
                self._resumable.pop(next(iter(self._resumable)))
        return response(self._shown(reply))

    async def _chunk(self, request: web.BaseRequest, route: routes.Route, query: Mapping[str, str]) -> Reply:
        """A chunk of a resumable upload; its name and preconditions were settled when it began."""
        key = query["upload_id"]
        upload = self._resumable.get(key) or ResumableUpload(key, Preconditions())
        if request.method == "PUT" and (known := upload.answer(request.headers.get("Content-Range", ""))):
            async for _ in request.content.iter_any():
                pass  # it is there already
            return known
        async with self._changing(route.bucket, upload.name, upload.preconditions) as refusal:
            if refusal:
                return _refused(refusal)
            target = routes.write_query(route.path, query)
            reply = await self._exchange(request.method, target, request.headers, request.content)
            reply = self._shown(reply)
            if request.method == "PUT":
                upload.take(reply)
        return reply

    async def download(
        self,
        request: web.BaseRequest,
        route: routes.Route,
        query: Mapping[str, str],
        spoil: Spoil | None = None,
    ) -> web.StreamResponse:
        """An object's bytes, or with HEAD what would come with them; `spoil` puts a fault into them."""
        target = routes.write_query(route.path, query)
        async with self._request(request.method, target, kept(request.headers)) as found:
            refusal = None
            if found.status != 404:
                generation = int(found.headers.get("X-Goog-Generation", 0))
                refusal = read_preconditions("GET", query).refusal(generation, reading=True)
            if refusal:
                return response(_refused(refusal))
            answer = web.StreamResponse(status=found.status, reason=found.reason, headers=kept(found.headers))
            body = found.content.iter_any()
            if spoil:
                body = spoil(answer.headers, body)
            await answer.prepare(request)
            try:
                async for chunk in body:
                    await answer.write(chunk)
                await answer.write_eof()
            except (OSError, EOFError, zlib.error):  # of the file; one that calls itself gzip may be none
                if request.transport is not None:
                    request.transport.abort()  # a proper end would tell the client that this was all
            return answer

    @asynccontextmanager
    async def _changing(
        self, bucket: str, name: str, preconditions: Preconditions, *, creates: bool = True
    ) -> AsyncIterator[int | None]:
        """One change of an object at a time; gives the status with which its preconditions refuse this one.

        What changes only objects that are there gets 404 from the server where there is none.
        """
        async with self._locks.setdefault((bucket, name), asyncio.Lock()):
            refusal = None
            if preconditions:
                generation = await self._generation(bucket, name)
                if generation or creates:
                    refusal = preconditions.refusal(generation, reading=False)
            yield refusal

    async def _generation(self, bucket: str, name: str) -> int:
        reply = await self._exchange("GET", routes.object_path(bucket, name), {})
        return int(json.loads(reply.body)["generation"]) if reply.status == 200 else 0

    async def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: Any = None
    ) -> Reply:
        """One request to the server, with an answer that fits in memory."""
        async with self._request(method, target, kept(headers), body) as found:
            return Reply(found.status, kept(found.headers), await found.read())

    def _request(
        self, method: str, target: str, headers: Mapping[str, str], body: Any = None
    ) -> AbstractAsyncContextManager[Answer]:
        return self._server.request(method, target, headers, body)

    def _shown(self, reply: Reply) -> Reply:
        """The answer with the object's name instead of its path."""
        if not reply.headers.get("Content-Type", "").startswith("application/json"):
            return reply
        shown = routes.show_object(json.loads(reply.body), f"http://{self._host}")
        return replace(reply, body=json.dumps(shown).encode())


def _refused(status: int) -> Reply:
    if status == 304:
        return Reply(304, {}, b"")
    return error(status, "Not Found" if status == 404 else "At least one of the pre-conditions did not hold.")

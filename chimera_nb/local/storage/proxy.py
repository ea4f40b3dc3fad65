"""The storage stand-in's one port: where clients come in, batches are taken apart, and faults are made.

- Requests of other users of the machine and of web pages are refused (senders.py).
- A batch's parts are passed on one by one.
- Requests to a bucket whose requesters pay are refused where no project is named (billing.py).
- GET and POST /_chimera/faults show and set the `Faults`, as JSON; POST of {} takes them away.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from aiohttp import web

from chimera_nb.local.senders import refusal
from chimera_nb.local.storage import billing, routes
from chimera_nb.local.storage.batch import Part, read_batch, write_batch
from chimera_nb.local.storage.faults import Faults, Injection, spoiled
from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.object_server import ObjectServer
from chimera_nb.local.storage.objects_api import ObjectsApi
from chimera_nb.local.storage.replies import Reply, error, json_reply, response, whole_body

_FAULTS = "/_chimera/faults"
_NO_FAULTS = Faults()


@asynccontextmanager
async def running_proxy(
    listening: socket.socket, files: ObjectFiles, faults: Faults = _NO_FAULTS
) -> AsyncIterator[Proxy]:
    """The proxy, serving these files on a bound socket for the life of the block."""
    host = f"localhost:{listening.getsockname()[1]}"
    proxy = Proxy(ObjectsApi(ObjectServer(files, host), host), files, faults)
    # Without auto_decompress=False a body with Content-Encoding would reach the bucket unpacked.
    server = web.Server(
        proxy.answer,
        auto_decompress=False,
        handler_cancellation=True,
        max_line_size=32768,
        access_log=None,
    )
    runner = web.ServerRunner(server, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield proxy
    finally:
        await runner.cleanup()


class Proxy:
    """Answers requests, with the faults that are in force."""

    def __init__(self, storage: ObjectsApi, files: ObjectFiles, faults: Faults) -> None:
        self._injection = Injection(faults)
        self._storage, self._files = storage, files

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if why := refusal(request):
            return response(error(403, why))
        try:
            if request.path == _FAULTS:
                return response(await self._set_faults(request))
            return await self._answer(request)
        except ValueError as e:
            return response(error(400, f"{request.method} {request.raw_path[:500]}: {e}"))
        except OSError as e:  # a full disk, for one
            return response(error(500, f"{request.method} {request.raw_path[:500]}: {e.strerror or e}"))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        method, target = request.method, request.raw_path
        if latency := self._injection.latency(method, target):
            await asyncio.sleep(latency)
        if target.partition("?")[0] == "/batch/storage/v1" and method == "POST":
            parts = read_batch(request.headers.get("Content-Type", ""), await whole_body(request))
            # One after the other: a batch promises no order, but one that has it is easier to test.
            return response(write_batch([(part.content_id, await self._answer_part(part)) for part in parts]))
        faults, kind = self._injection.faults, self._injection.take(method, target)
        if kind == "refuse" or (kind == "lose" and method in {"GET", "HEAD"}):  # which do nothing
            if kind == "lose" or not faults.status:
                _drop(request)
            return response(_failure(faults))
        answer = await self._do(request, faults if kind in {"cut", "flip", "drip"} else None)
        if kind == "lose":
            _drop(request)
        return answer

    async def _do(self, request: web.BaseRequest, faults: Faults | None) -> web.StreamResponse:
        method, (path, _, query) = request.method, request.raw_path.partition("?")
        route, parameters = routes.read_route(path), routes.read_query(query)
        if route is None:
            return response(error(501, f"no {path}: this stand-in has the JSON API, without the XML one"))
        if unpaid := billing.refusal(self._files, method, route, parameters):
            return response(unpaid)
        if route.path.endswith("/iam/testPermissions"):  # whose query has one name several times
            route, parameters = replace(route, path=request.raw_path), {}
        if route.kind == "upload":
            return await self._storage.upload(request, route, parameters)
        if route.name and (route.kind or parameters.get("alt") == "media" or method == "HEAD"):
            spoil = partial(spoiled, faults) if faults else None
            return await self._storage.download(request, route, parameters, spoil)
        body = await whole_body(request)
        return response(await self._storage.call(method, route, parameters, request.headers, body))

    async def _answer_part(self, part: Part) -> Reply:
        faults, kind = self._injection.faults, self._injection.take(part.method, part.target)
        if kind == "refuse":
            return _failure(faults)
        path, _, query = part.target.partition("?")
        route = routes.read_route(path)
        if route is None or route.kind:
            return error(400, f"{part.method} {part.target[:500]} cannot be in a batch")
        parameters = routes.read_query(query)
        if unpaid := billing.refusal(self._files, part.method, route, parameters):
            return unpaid
        reply = await self._storage.call(part.method, route, parameters, part.headers, part.body)
        return _failure(faults) if kind == "lose" else reply

    async def _set_faults(self, request: web.BaseRequest) -> Reply:
        if request.method == "POST":
            try:
                self._injection = Injection(Faults(**json.loads(await whole_body(request))))
            except TypeError as e:
                raise ValueError(str(e)) from e
        return json_reply(200, self._injection.to_json())


def _failure(faults: Faults) -> Reply:
    return error(faults.status or 503, "a fault on purpose")


def _drop(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()

"""The v1b3 REST API, and the metadata server, over HTTP.

Source: https://cloud.google.com/dataflow/docs/reference/rest
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from chimera_nb.local.dataflow import listing
from chimera_nb.local.dataflow.dispatcher import ApiError, Dispatcher
from chimera_nb.local.dataflow.job import VIEWS, Job, enum_name, now
from chimera_nb.local.dataflow.metadata import metadata
from chimera_nb.local.senders import refusal

_LARGEST_REQUEST = 20 << 20  # bytes; the real API's limit as well
_LOCATION = "us-central1"  # what the API takes when a path names none
_log = logging.getLogger(__name__)


def application(dispatcher: Dispatcher) -> web.Application:
    """The service as an aiohttp application."""
    api = _Api(dispatcher)
    app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[_errors])
    for jobs in ("/v1b3/projects/{project}/locations/{location}/jobs", "/v1b3/projects/{project}/jobs"):
        app.add_routes(
            [
                web.post(jobs, api.create),
                web.get(jobs, api.list),
                web.get(jobs + "/{job}", api.get),
                web.put(jobs + "/{job}", api.update),
                web.get(jobs + "/{job}/messages", api.messages),
                web.get(jobs + "/{job}/metrics", api.metrics),
            ]
        )
    app.add_routes(
        [
            web.get("/v1b3/projects/{project}/jobs:aggregated", api.list),
            web.get("/", _metadata),
            web.get("/computeMetadata/{path:.*}", _metadata),
        ]
    )
    return app


class _Api:
    """One handler for each call."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._jobs = dispatcher

    async def create(self, request: web.Request) -> web.Response:
        location = request.match_info.get("location", _LOCATION)
        body = await _body(request)
        return web.json_response(
            self._jobs.create(request.match_info["project"], location, body).to_document("JOB_VIEW_ALL")
        )

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(self._job(request).to_document(_view(request)))

    async def update(self, request: web.Request) -> web.Response:
        body = await _body(request)
        job = self._job(request)
        if body.get("requestedState"):
            job = self._jobs.request(job, body["requestedState"])
        return web.json_response(job.to_document("JOB_VIEW_SUMMARY"))

    async def list(self, request: web.Request) -> web.Response:
        project, location = request.match_info["project"], request.match_info.get("location")
        jobs = listing.matching_jobs(self._jobs.jobs(), project, location, request.query)
        found, token = listing.page(jobs, request.query, lambda job: job.id)
        view = _view(request)
        return _paged("jobs", [job.to_document(view) for job in found], token)

    async def messages(self, request: web.Request) -> web.Response:
        job = self._job(request)
        found = listing.matching_messages(self._jobs.store.messages(job.id), request.query)
        shown, token = listing.page(found, request.query, lambda message: str(message["id"]))
        scaling = self._jobs.store.scaling(job.id)
        return _paged("jobMessages", list(shown), token, {"autoscalingEvents": scaling})

    async def metrics(self, request: web.Request) -> web.Response:
        metrics = listing.matching_metrics(self._jobs.store.metrics(self._job(request).id), request.query)
        return web.json_response({"metricTime": now(), "metrics": metrics})

    def _job(self, request: web.Request) -> Job:
        found = request.match_info
        return self._jobs.get(found["project"], found.get("location"), found["job"])


def _view(request: web.Request) -> str:
    return enum_name(request.query.get("view") or 0, VIEWS, "view")


def _paged(
    field: str, items: list[dict[str, Any]], token: str | None, more: dict[str, Any] | None = None
) -> web.Response:
    return web.json_response({field: items, **(more or {})} | ({"nextPageToken": token} if token else {}))


async def _body(request: web.Request) -> dict[str, Any]:
    body = json.loads(await request.read() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004 - as bad as one that is no JSON
    return body


async def _metadata(request: web.Request) -> web.Response:
    if request.headers.get("Metadata-Flavor") != "Google":
        raise ApiError(
            403, "PERMISSION_DENIED", "a request to the metadata server has Metadata-Flavor: Google"
        )
    found = metadata(request.path)
    if found is None:
        raise ApiError(404, "NOT_FOUND", f"the metadata server has no {request.path}")
    kind, text = found
    return web.Response(text=text, content_type=kind, headers={"Metadata-Flavor": "Google"})


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Google's error JSON for whatever goes wrong."""
    try:
        if why := refusal(request):
            raise ApiError(403, "PERMISSION_DENIED", why)  # noqa: TRY301 - answered below, as all errors are
        return await handler(request)
    except Exception as e:  # noqa: BLE001 - what is not foreseen is logged, and answered
        error = _api_error(e, f"{request.method} {request.path}")
    document = {"error": {"code": error.status, "message": str(error), "status": error.reason}}
    return web.json_response(document, status=error.status)


def _api_error(error: Exception, call: str) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ValueError):
        return ApiError(400, "INVALID_ARGUMENT", f"{call}: {error}")
    if isinstance(error, web.HTTPNotFound):
        return ApiError(
            404, "NOT_FOUND", f"{call}: the local Dataflow does not have this; its log says what it has not"
        )
    if isinstance(error, web.HTTPException):
        return ApiError(error.status, "INVALID_ARGUMENT", f"{call}: {error.reason}")
    _log.error("%s", call, exc_info=error)
    return ApiError(500, "INTERNAL", f"{call}: the local Dataflow failed; its log says how")

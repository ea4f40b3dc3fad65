"""Buckets whose owner has requesters pay: asked without a project that is billed, they refuse as Cloud Storage does.

https://cloud.google.com/storage/docs/requester-pays. What is not imitated: the owner's own requests are billed as all
others are, but for those that change the bucket itself, and every project there could be may be billed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.replies import Reply, error
from chimera_nb.local.storage.routes import Route

_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_OF_THE_OWNER = {"DELETE", "PATCH", "PUT"}


def refusal(files: ObjectFiles, method: str, route: Route, query: Mapping[str, str]) -> Reply | None:
    """The answer to a request that nobody pays for; None for all others."""
    buckets = {route.bucket, *(route.source or ())[:1]}
    if "upload_id" in query or not any(map(files.requester_pays, buckets)):
        return None
    if route.name is None and not route.lists and route.kind is None and method in _OF_THE_OWNER:
        return None
    project = query.get("userProject", "")
    if not project:
        said = "Bucket is a requester pays bucket but no user project provided."
        return error(400, said, "required")
    if not _PROJECT.fullmatch(project):
        return error(400, "User project specified in the request is invalid.", "invalid")
    return None

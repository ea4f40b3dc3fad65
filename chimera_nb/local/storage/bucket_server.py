"""The part of the JSON API that is about buckets: listed, made, changed, deleted, and what may be done in one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chimera_nb.local.storage.call import Call, whole
from chimera_nb.local.storage.documents import bucket_document, no_bucket
from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.serving import Answer, json_answer, no_answer


class BucketServer:
    """Answers for the buckets of one folder, to clients that know it as `host`."""

    def __init__(self, files: ObjectFiles, host: str) -> None:
        self._files, self._host = files, host

    async def answer(self, call: Call) -> Answer:
        """The answer to a call that is about buckets."""
        if call.permissions is not None:
            return self._rights(call.bucket, call.permissions)
        if not call.bucket:
            return await self._all_buckets(call)
        if call.method in {"PATCH", "PUT"} and self._files.has_bucket(call.bucket):
            return await self._changed_bucket(call)
        return self._one_bucket(call) if self._files.has_bucket(call.bucket) else no_bucket(call.bucket)

    async def _all_buckets(self, call: Call) -> Answer:
        if call.method == "GET":
            items = [self._document(name) for name in self._files.buckets()]
            return json_answer(200, {"kind": "storage#buckets", "items": items})
        if call.method != "POST":
            return no_answer(405, f"{call.method} is nothing to do with all buckets")
        bucket = str(json.loads(await whole(call.body)).get("name", ""))
        try:
            self._files.make_bucket(bucket)
        except FileExistsError:
            return no_answer(409, "You already own this bucket. Please select another name.")
        return json_answer(200, self._document(bucket))

    def _one_bucket(self, call: Call) -> Answer:
        if call.method == "DELETE":
            if not self._files.delete_bucket(call.bucket):
                return no_answer(409, "The bucket you tried to delete is not empty.")
            return Answer(204, {})
        return json_answer(200, self._document(call.bucket))

    async def _changed_bucket(self, call: Call) -> Answer:
        """Of what can be said of a bucket, whether requesters pay is kept; the rest is passed over."""
        billing = json.loads(await whole(call.body) or b"{}").get("billing")
        if isinstance(billing, dict) and "requesterPays" in billing:
            self._files.set_requester_pays(call.bucket, billing["requesterPays"] is True)
        return json_answer(200, self._document(call.bucket))

    def _rights(self, bucket: str, permissions: Sequence[str]) -> Answer:
        """All that are asked for: whoever may talk to the stack may do everything."""
        if not self._files.has_bucket(bucket):
            return no_bucket(bucket)
        document = {"kind": "storage#testIamPermissionsResponse", "permissions": list(permissions)}
        return json_answer(200, document)

    def _document(self, bucket: str) -> dict[str, Any]:
        return bucket_document(self._files, self._host, bucket)

"""The part of the JSON API that takes bytes in: uploads in one request, and in several."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from chimera_nb.local.storage.call import Call, pieces_of, whole
from chimera_nb.local.storage.documents import described, object_document
from chimera_nb.local.storage.incoming import Incoming
from chimera_nb.local.storage.multipart import parts_of_multipart
from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.serving import Answer, json_answer, no_answer

_CHUNKS = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


@dataclass
class _Upload:
    """One in several requests, under way."""

    bucket: str
    path: str
    said: Mapping[str, Any]
    incoming: Incoming


class UploadServer:
    """Takes objects into the buckets of one folder, for clients that know it as `host`. Lives on one event loop."""

    def __init__(self, files: ObjectFiles, host: str) -> None:
        self._files, self._host = files, host
        self._uploads: dict[str, _Upload] = {}

    async def begin(self, call: Call) -> Answer:
        """An upload in one request, or the first of one in several."""
        path, kind = call.query["name"], call.query.get("uploadType")
        if kind == "resumable":
            said = described(json.loads(await whole(call.body) or b"{}"))
            said.setdefault("content_type", call.headers.get("X-Upload-Content-Type", ""))
            with_md5 = "md5Hash" in call.query.get("fields", "md5Hash")
            upload, incoming = secrets.token_urlsafe(24), self._files.incoming(with_md5=with_md5)
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
                said = described(document)
                said.setdefault("content_type", content_type)
            else:
                document, data = {}, call.body
                said = {"content_type": call.headers.get("Content-Type", "")}
                if "contentEncoding" in call.query:
                    said["content_encoding"] = call.query["contentEncoding"]
            await _add(incoming, data)
            return self._commit(incoming, call.bucket, path, said, document)
        finally:
            incoming.drop()

    def _commit(
        self, incoming: Incoming, bucket: str, path: str, said: Mapping[str, Any], document: Mapping[str, Any]
    ) -> Answer:
        """Let an upload appear, unless it is not what its author says it is."""
        found = incoming.known(0)
        for name, is_ in (("crc32c", found.crc32c), ("md5Hash", found.md5)):
            if document.get(name) not in {None, "", is_}:
                return no_answer(400, f"Provided {name} {document[name]!r} doesn't match calculated {is_!r}.")
        known = self._files.commit(incoming, bucket, path, **said)
        return json_answer(200, object_document(bucket, path, known))

    async def chunk(self, call: Call) -> Answer:
        """A further request of a resumable upload. Without a Content-Range it has all of the bytes that are missing."""
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
        complete = upload.incoming.size == total if "Content-Range" in call.headers else True
        if not complete:
            had = upload.incoming.size
            return Answer(308, {"Range": f"bytes=0-{had - 1}"} if had else {})
        del self._uploads[call.query["upload_id"]]
        try:
            return self._commit(upload.incoming, upload.bucket, upload.path, upload.said, {})
        finally:
            upload.incoming.drop()


async def _add(incoming: Incoming, body: Any, skip: int = 0) -> None:
    """Add a body, but for its first `skip` bytes, which are there already."""
    async for data in pieces_of(body):
        kept = data[skip:]
        skip -= len(data) - len(kept)
        if kept:
            incoming.write(kept)

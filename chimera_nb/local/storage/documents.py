"""Buckets and objects as the JSON API shows them, and what an object's author says of it, read from such a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chimera_nb.local.storage.known import Known
from chimera_nb.local.storage.object_files import ObjectFiles
from chimera_nb.local.storage.serving import Answer, no_answer

DESCRIBED = {  # by an object's author: the API's names, and those of Known
    "contentType": "content_type",
    "contentEncoding": "content_encoding",
    "contentDisposition": "content_disposition",
    "contentLanguage": "content_language",
    "cacheControl": "cache_control",
    "metadata": "metadata",
}


def bucket_document(files: ObjectFiles, host: str, bucket: str) -> dict[str, Any]:
    """A bucket that there is."""
    made = files.bucket_made(bucket)
    return {
        "kind": "storage#bucket",
        "id": bucket,
        "name": bucket,
        "selfLink": f"http://{host}/storage/v1/b/{bucket}",
        "projectNumber": "0",
        "location": "US-CENTRAL1",
        "locationType": "region",
        "storageClass": "STANDARD",
        "metageneration": "1",
        "etag": "1",
        "timeCreated": made,
        "updated": made,
        "billing": {"requesterPays": files.requester_pays(bucket)},
    }


def object_document(bucket: str, path: str, known: Known) -> dict[str, Any]:
    """An object, with its path on disk for its name."""
    said = {name: getattr(known, ours) for name, ours in DESCRIBED.items()}
    return {
        "kind": "storage#object",
        "name": path,
        "bucket": bucket,
        "size": str(known.size),
        "crc32c": known.crc32c,
        "etag": known.etag,
        "storageClass": "STANDARD",
        "timeCreated": known.created,
        "timeStorageClassUpdated": known.created,
        "updated": known.updated,
        "generation": str(known.generation),
        "metageneration": "1",
        **({"md5Hash": known.md5} if known.md5 else {}),
        **{name: dict(value) if name == "metadata" else value for name, value in said.items() if value},
    }


def described(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says of an object, by Known's names; what is null is emptied."""
    return {
        ours: document[name] or ({} if name == "metadata" else "")
        for name, ours in DESCRIBED.items()
        if name in document
    }


def no_bucket(bucket: str) -> Answer:
    """For a bucket that is not there."""
    return no_answer(404, f"The specified bucket does not exist: {bucket}")


def no_object(bucket: str, path: str) -> Answer:
    """For an object that is not there."""
    return no_answer(404, f"No such object: {bucket}/{path}")

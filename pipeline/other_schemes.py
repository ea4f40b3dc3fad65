"""Where files are that are in no bucket of Google Cloud and on no disk, and how to bring them here."""

from __future__ import annotations

import shlex
from urllib.parse import unquote, urlsplit

_GOOGLE = {"storage.googleapis.com", "storage.cloud.google.com"}
_COPIES = {  # as {copy} of {uri}
    "s3": "aws s3 cp {uri} .",
    "s3a": "aws s3 cp {uri} .",
    "s3n": "aws s3 cp {uri} .",
    "http": "curl -LO {uri}",
    "https": "curl -LO {uri}",
    "ftp": "curl -O {uri}",
    "sftp": "curl -O {uri}",
    "hdfs": "hdfs dfs -get {uri} .",
}


def other_scheme_remedy(uri: str) -> str:
    """What to do about a URI that is neither gs:// nor a local path."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "copy the file to this machine or to a bucket, and give its path there"
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return f"give the path by itself: {unquote(parts.path)}"
    if parts.netloc in _GOOGLE and parts.path.strip("/"):
        return f"give the object's own name: gs://{unquote(parts.path.strip('/'))}"
    if (copy := _COPIES.get(parts.scheme)) is None:
        return "copy the file to this machine or to a bucket, and give its path there"
    in_s3 = parts.scheme in {"s3", "s3a", "s3n"}
    quoted = shlex.quote(f"s3{uri[len(parts.scheme) :]}" if in_s3 else uri)
    into_bucket = f", or into a bucket: gcloud storage cp {quoted} gs://BUCKET/" if in_s3 else ""
    return f"copy it here: {copy.format(uri=quoted)}{into_bucket}"

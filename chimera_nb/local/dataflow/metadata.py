"""What a virtual machine's metadata server says, so that clients find default credentials here as there.

google-auth asks these five when it finds neither a key file nor gcloud's own credentials. The token is worth
nothing: the local stack asks for none.
Source: https://cloud.google.com/compute/docs/metadata/overview
"""

from __future__ import annotations

import json
from typing import Any

PROJECT = "local"
# Not of gserviceaccount.com: of such a one google-auth asks iamcredentials.googleapis.com where it may be used.
_ACCOUNT = "local@localhost"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_ROOT = "/computeMetadata/v1/"


def metadata(path: str) -> tuple[str, str] | None:
    """The content type and text of a path of the metadata server; None where there is nothing."""
    if path == "/":
        return "application/text", "computeMetadata/\n"
    for account in ("default", _ACCOUNT):
        own = f"{_ROOT}instance/service-accounts/{account}/"
        if path == own:
            return _json({"aliases": ["default"], "email": _ACCOUNT, "scopes": _SCOPES})
        if path == own + "token":
            return _json({"access_token": "local", "expires_in": 3599, "token_type": "Bearer"})
    texts = {"project/project-id": PROJECT, "universe/universe-domain": "googleapis.com"}
    text = texts.get(path.removeprefix(_ROOT))
    return None if text is None else ("application/text", text)


def _json(document: dict[str, Any]) -> tuple[str, str]:
    return "application/json", json.dumps(document)

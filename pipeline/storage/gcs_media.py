"""Requests for objects' bytes and for long listings, by google-auth's transport for urllib3.

It takes a third of the CPU of the client's own session. Requests go out as the client's own do: with its credentials,
through the proxies and with the certificates that the environment names, within a deadline.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import requests
import urllib3
from google.auth.transport.urllib3 import AuthorizedHttp
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from pipeline.proxies import proxy_to
from pipeline.storage.cloud import Cloud
from pipeline.storage.deadline import connection_manager
from pipeline.storage.gcs_client import CONNECTIONS, client

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # certificates to trust, as requests has them
_VARIABLES = (*_PROXIES, *map(str.upper, _PROXIES), *_BUNDLES)
# Who asks again is the caller, who knows what has been asked for; what leads elsewhere is followed.
_RETRIES = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)


def get(
    url: str, headers: Mapping[str, str], cloud: Cloud, seconds: float, *, decode: bool = False
) -> urllib3.BaseHTTPResponse:
    """The answer, whole, its bytes as they come or unpacked. `seconds` is how long the store may be silent.

    Raises what urllib3 and google-auth raise.
    """
    environment = tuple(map(os.environ.get, _VARIABLES))
    http = _transport(os.getpid(), cloud.endpoint, url[: url.index("/", url.index("//") + 2)], environment)
    answer: urllib3.BaseHTTPResponse = http.urlopen(
        "GET", url, headers=dict(headers), timeout=seconds, decode_content=decode, retries=_RETRIES
    )
    return answer


def as_response(answer: urllib3.BaseHTTPResponse, url: str) -> requests.Response:
    """An answer as the client's errors have it."""
    response = requests.Response()
    response.status_code, response.url, response.reason = answer.status, url, answer.reason or ""
    response.headers.update(answer.headers)
    response._content = answer.data  # noqa: SLF001 - it has no other way to be made of what was read
    response.request = requests.Request("GET", url).prepare()
    return response


@lru_cache(maxsize=8)  # a forked child must not write into its parent's connections
def _transport(
    _process: int, endpoint: str | None, address: str, _environment: tuple[str | None, ...]
) -> Any:
    """What makes requests to an address."""
    bundle = next((found for name in _BUNDLES if (found := os.environ.get(name))), DEFAULT_CA_BUNDLE_PATH)
    kind = "ca_cert_dir" if Path(bundle).is_dir() else "ca_certs"
    manager = connection_manager(
        proxy_to(address), connections=CONNECTIONS, cert_reqs="CERT_REQUIRED", **{kind: bundle}
    )
    # It lets go of the connections when it goes itself.
    return AuthorizedHttp(client(Cloud(endpoint))._credentials, http=manager)  # noqa: SLF001 - found once

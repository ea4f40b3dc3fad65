"""The local stack: whether one runs, and whether each of its services answers."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator

from chimera_nb.doctor.finding import Finding, fault, off, ok
from chimera_nb.jobs.runners.dataflow import LOCAL_PROJECT, LOCAL_REGION
from chimera_nb.local import stack
from chimera_nb.settings import Settings
from pipeline.errors import ChimeraError, StackError, UntrustedError
from pipeline.storage import Patience

_SECONDS = 5.0
START = "chimera up --detach"


def check_stack(settings: Settings) -> Iterator[Finding]:
    """`settings` are those that lead to the stack (`chimera_nb.session`)."""
    name = "local stack"
    if settings.place == "cloud":
        yield off(name, "is not asked for: the place is cloud")
        return
    try:
        found = stack.find(settings.data_dir)
    except UntrustedError as e:
        yield fault(name, str(e), "rm the file that it names, then chimera up --detach")
        return
    except StackError as e:  # several run
        yield fault(name, str(e), "export CHIMERA_DATA_DIR=... with the folder of one of them")
        return
    if found is None:
        yield off(name, "none runs", START)
        return
    yield ok(name, f"runs since {found.started_at}, its data in {found.data_dir}")
    again = f"chimera down --data-dir {found.data_dir} && chimera up --detach --data-dir {found.data_dir}"
    listed = f"/v1b3/projects/{LOCAL_PROJECT}/locations/{LOCAL_REGION}/jobs"
    services = {
        "stack storage": f"{found.storage_endpoint}/storage/v1/b?project=local",
        "stack dataflow": found.dataflow_endpoint + listed,
        "stack metadata": f"{found.dataflow_endpoint}/computeMetadata/v1/project/project-id",
    }
    for service, address in services.items():
        why = _objection(address)
        endpoint = "/".join(address.split("/")[:3])
        yield (
            ok(service, f"answers at {endpoint}")
            if why is None
            else fault(service, f"{endpoint} {why}", again)
        )
        if service == "stack storage" and why is None:
            yield from _by_the_client(settings)


def _by_the_client(settings: Settings) -> Iterator[Finding]:
    """Nothing where Google's client reaches the storage too, by its own way: STORAGE_EMULATOR_HOST, proxies."""
    store = settings.store.with_patience(Patience(seconds=0, for_credentials=False))
    try:
        store.list_buckets()
    except ChimeraError as e:
        yield fault(
            "stack storage",
            f"Google's client does not reach it: {e}",
            "unset STORAGE_EMULATOR_HOST; export NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1",
        )


def _objection(address: str) -> str | None:
    """Why a service does not answer well; None where it does. No proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address, headers={"Metadata-Flavor": "Google"})  # noqa: S310 - of this machine
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            answer.read()
    except urllib.error.HTTPError as e:
        return f"answers {e.code} {e.reason}"
    except (OSError, http.client.HTTPException) as e:
        return f"does not answer ({getattr(e, 'reason', None) or e or type(e).__name__})"
    return None

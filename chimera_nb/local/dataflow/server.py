"""The service, for whoever hosts it: it serves on a socket for the life of a block."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

from chimera_nb.environment import client_environment, jobs_folder
from chimera_nb.local import dataflow
from chimera_nb.local.dataflow.api import application
from chimera_nb.local.dataflow.dispatcher import Dispatcher
from chimera_nb.local.dataflow.store import JobStore
from pipeline.errors import StackError
from pipeline.proxies import direct_environment

_log = logging.getLogger(dataflow.__name__)


@asynccontextmanager
async def running_dataflow(
    listening: socket.socket, data_dir: Path, storage_endpoint: str, *, jobs_at_once: int = 2
) -> AsyncIterator[Dispatcher]:
    """The service on a bound socket of the loopback interface, with its jobs in <data_dir>/dataflow.

    Storage is found at `storage_endpoint` (http://localhost:PORT). Raises StackError for a socket that others
    on the network could reach.
    """
    address, port = listening.getsockname()[:2]
    if not ipaddress.ip_address(address).is_loopback:
        raise StackError(
            f"the local Dataflow asks for no password, so it serves on 127.0.0.1 alone, not on {address}"
        )
    endpoint = f"http://localhost:{port}"
    folder = jobs_folder(data_dir)
    (folder / "no-gcloud").mkdir(parents=True, exist_ok=True)
    with _own_log(data_dir / "dataflow.log"):
        _log.info("%s\nIt listens on %s, on this machine alone.", dataflow.__doc__, endpoint)
        environment = _job_environment(os.environ, client_environment(endpoint, data_dir), storage_endpoint)
        dispatcher = Dispatcher(JobStore(folder), environment, jobs_at_once)
        runner = web.AppRunner(application(dispatcher), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            dispatcher.resume()  # before the first request: who asks for an old job finds it
            await web.SockSite(runner, listening).start()
            yield dispatcher
        finally:
            await dispatcher.stop()
            await runner.cleanup()


def _job_environment(
    inherited: Mapping[str, str], clients: Mapping[str, str], storage_endpoint: str
) -> dict[str, str]:
    """The environment of a job's process and its workers."""
    return {
        **inherited,
        **clients,
        "STORAGE_EMULATOR_HOST": storage_endpoint,
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # else macOS ends the copies of a process that are its workers
        **direct_environment(inherited),  # gRPC too would go through a proxy that is set for other addresses
    }


@contextmanager
def _own_log(path: Path) -> Iterator[None]:
    """The service's log, beside those of the other services."""
    handler = logging.FileHandler(path, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level = _log.level
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    try:
        yield
    finally:
        _log.removeHandler(handler)
        _log.setLevel(level)
        handler.close()

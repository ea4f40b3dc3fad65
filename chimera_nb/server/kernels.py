"""The dashboard's kernels: how one starts, when one ends, whose it is."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import RESOURCES
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float

from chimera_nb.jobs import requester
from chimera_nb.server import provisioner
from chimera_nb.server.forking import ForkServer, can_fork
from pipeline.folders import current_folder

KERNEL = "python3"
# A visitor's browser may be away for as long: a tunnel, a closed lid. Its page starts a new kernel after that.
_AWAY_SECONDS = 300.0
_QUIET_SECONDS = 12 * 3600.0
# What the server itself was given, and no kernel needs.
_SECRETS = ("CHIMERA_DASH_TOKEN", "JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN")


class OneKernelSpec(KernelSpecManager):
    """This interpreter and no other, whatever kernels the user has installed; with no history and no start-up files."""

    def find_kernel_specs(self) -> dict[str, str]:
        return {KERNEL: RESOURCES}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002 - there is one
        # Without -Xfrozen_modules=off, which ipykernel adds for debuggers and which slows the start.
        options = ["--HistoryManager.enabled=False", "--IPKernelApp.exec_PYTHONSTARTUP=False"]
        return KernelSpec(
            resource_dir=RESOURCES,
            argv=[sys.executable, "-m", "chimera_nb.server.kernel", "-f", "{connection_file}", *options],
            display_name="Python",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": provisioner.NAME}},
        )


class DashboardKernels(AsyncMappingKernelManager):
    """Kernels with an owner each, who is told to the kernel where a proxy vouches for them.

    One that no page is connected to ends after `away`; one whose page says nothing, after `quiet`. Jobs are
    processes of their own, so neither ends a job.
    """

    away = Float(_AWAY_SECONDS, help="Seconds.").tag(config=True)
    quiet = Float(_QUIET_SECONDS, help="Seconds.").tag(config=True)

    def __init__(
        self,
        *,
        visitors: Path,
        extra_environment: dict[str, str],
        vouched: bool,
        fork: bool = False,
        **traits: Any,
    ) -> None:
        """`visitors` is the private folder for the users' names; `vouched` says that owners are users.

        With `fork`, kernels are forked where this system can.
        """
        super().__init__(**traits)  # type: ignore[no-untyped-call]
        provisioner.provide()
        self.owners: dict[str, str] = {}
        self.networks: dict[str, str] = {}  # whence their visitors came, where no proxy vouches for them
        self.waiting: set[str] = set()  # not handed to anyone
        self._visitors = visitors
        self._vouched = vouched
        self._environment = {k: v for k, v in os.environ.items() if k not in _SECRETS} | extra_environment
        if vouched:
            self._environment[requester.FOLDER_VARIABLE] = str(visitors)
        self._heard: dict[str, float] = {}
        self._sockets: dict[str, set[Any]] = {}
        self._folder = current_folder()
        self.fork_server = ForkServer(self._environment, self._folder) if fork and can_fork() else None

    @property
    def forks(self) -> bool:
        """Whether kernels are forked, while nothing goes wrong."""
        return self.fork_server is not None

    @property
    def taken(self) -> int:
        """How many there are, with those that are only about to start."""
        return len(self.waiting) + len(self.owners)

    def reserve(self, kernel_id: str) -> None:
        self.waiting.add(kernel_id)

    async def start(self, kernel_id: str) -> Any:
        """Start the kernel that an id is reserved for, in the folder and environment of the server; its manager."""
        await self.start_kernel(
            kernel_id=kernel_id, kernel_name=KERNEL, cwd=self._folder, env=dict(self._environment)
        )
        return self.get_kernel(kernel_id)

    def hand_over(self, kernel_id: str, owner: str, network: str | None = None) -> None:
        """From now on the kernel is this visitor's."""
        self.owners[kernel_id] = owner
        if network is not None:
            self.networks[kernel_id] = network
        self.waiting.discard(kernel_id)
        self._heard[kernel_id] = time.monotonic()
        if self._vouched:
            requester.record_requester(self._visitors, kernel_id, owner)

    def heard(self, kernel_id: str) -> None:
        """Its page has said something."""
        self._heard[kernel_id] = time.monotonic()

    def connected(self, kernel_id: str, socket: Any) -> None:
        self._sockets.setdefault(kernel_id, set()).add(socket)

    def disconnected(self, kernel_id: str, socket: Any) -> None:
        self._sockets.get(kernel_id, set()).discard(socket)
        self._heard[kernel_id] = time.monotonic()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        if kernel_id in self.waiting:
            return
        silent = time.monotonic() - self._heard.get(kernel_id, 0.0)
        if silent > (self.quiet if self._sockets.get(kernel_id) else self.away):
            self.log.info("Kernel %s: not used for %.0f s, ended", kernel_id, silent)
            await self.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]

    async def end_all(self) -> None:
        shutdowns = [self.shutdown_kernel(kernel_id, now=True) for kernel_id in self.list_kernel_ids()]  # type: ignore[no-untyped-call]
        for error in await asyncio.gather(*shutdowns, return_exceptions=True):
            if isinstance(error, Exception):  # one that has ended by itself meanwhile, for instance
                self.log.warning("A kernel was not ended in good order: %s", error)
        if self.fork_server is not None:
            self.fork_server.close()

    def remove_kernel(self, kernel_id: str) -> Any:
        """Called whenever a kernel has ended, or has not come up: its page is told by its socket's closing."""
        self.owners.pop(kernel_id, None)
        self.networks.pop(kernel_id, None)
        self.waiting.discard(kernel_id)
        self._heard.pop(kernel_id, None)
        for socket in tuple(self._sockets.pop(kernel_id, ())):
            socket.close(4404, "the kernel has ended")
        requester.forget_requester(self._visitors, kernel_id)
        return super().remove_kernel(kernel_id)

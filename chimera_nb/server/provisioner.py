"""How jupyter_client comes by the dashboard's kernels: from the fork server, or started as any other."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from chimera_nb.server.forking import PARENT_VARIABLE, ForkServerError

NAME = "chimera-fork"


class ForkProvisioner(LocalProvisioner):
    """A kernel of this machine. `parent.parent`, the DashboardKernels, has the fork server, or None."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        server = self.parent.parent.fork_server
        if server is not None:
            try:
                process = await server.fork(
                    argv=cmd[2:],  # without the interpreter and its -m
                    env={**kwargs["env"], PARENT_VARIABLE: str(os.getpid())},
                    cwd=kwargs["cwd"],
                    name=f"kernel-{self.kernel_id[:8]}",
                )
            except ForkServerError:
                pass  # it has been logged
            else:
                self.process = process
                self.pid = self.pgid = process.pid  # it leads a session of its own
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def send_signal(self, signum: int) -> None:
        # A forked kernel is reaped as it ends: after that its number may be another process's.
        if await self.poll() is None:
            await super().send_signal(signum)


def provide() -> None:
    """Have jupyter_client find it by its name, in this process alone: no other Jupyter on this machine sees it."""
    found = EntryPoint(NAME, f"{__name__}:{ForkProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.provisioners[NAME] = found

"""The environments that are made for processes: a job's own, and those of the local stack's clients.

Google's libraries and Beam find a store and its credentials by variables alone. Where they are needed they run in a
process of their own, which is given them; this process's own environment is never changed.
"""

from __future__ import annotations

import os
from pathlib import Path

from chimera_nb.settings import OWN_VARIABLES, Settings
from pipeline.proxies import direct_environment


def job_environment(settings: Settings) -> dict[str, str]:
    """The whole environment of a process that works under these settings.

    Variables of this process that are neither settings nor lead to a local stack are passed on.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    endpoint = settings.dataflow_endpoint if settings.place == "local" else None
    clients = client_environment(endpoint, settings.folder) if endpoint else {}
    return {**inherited, **direct_environment(inherited), **clients, **settings.to_environment()}


def client_environment(endpoint: str, data_dir: Path) -> dict[str, str]:
    """The variables by which clients find the local Dataflow (at http://localhost:PORT) and credentials for it.

    They are the metadata server's; a key file or gcloud's own would win over it, so both are hidden. The word
    `localhost` has to stay: by it Beam knows to talk REST.
    """
    host = endpoint.removeprefix("http://")
    return {
        "CHIMERA_DATAFLOW_ENDPOINT": endpoint,
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "CLOUDSDK_CONFIG": str(jobs_folder(data_dir) / "no-gcloud"),
        "GOOGLE_APPLICATION_CREDENTIALS": "",
    }


def jobs_folder(data_dir: Path) -> Path:
    """Where the local Dataflow keeps its jobs."""
    return data_dir / "dataflow"

"""What clients of the local Dataflow find in their environment. Cheap to import: the service is elsewhere."""

from __future__ import annotations

from pathlib import Path


def client_environment(endpoint: str, data_dir: Path) -> dict[str, str]:
    """The environment in which clients find this Dataflow (at http://localhost:PORT) and credentials for it.

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
    """Where the service keeps its jobs."""
    return data_dir / "dataflow"

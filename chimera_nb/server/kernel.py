"""A page's kernel: ipykernel's own, but for its log, which goes to the server's log and not to the visitor.

Once ipykernel runs, all that is written to the standard error goes to whoever is connected; so the log has the
descriptor that stood there before.
"""

from __future__ import annotations

import logging
import os

from pipeline.imports import import_for_good


def log_to_server() -> None:
    """Send this process's log to what is its standard error now."""
    log = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    handler = logging.StreamHandler(log)
    handler.setFormatter(
        logging.Formatter("%(levelname)s %(asctime)s %(name)s, kernel %(process)d: %(message)s")
    )
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(capture=True)


def main() -> None:
    log_to_server()
    import_for_good(
        "ipykernel.kernelapp"
    )  # not ipywidgets: it tells the shell of itself, and there is none yet
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()

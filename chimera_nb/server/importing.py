"""The dashboard's server, imported in 0.6 s of a core instead of 1.4."""

from __future__ import annotations

from pipeline.imports import import_for_good

# jsonschema imports it where it is there, to check a format that no schema of Jupyter's has; it reads a grammar as it
# is imported, which takes longer than all the rest.
LEFT_OUT_OF_SERVER = ("rfc3987_syntax",)


def import_server() -> None:
    """Import `chimera_nb.server.server`. For entry points, as `import_for_good`."""
    import_for_good("chimera_nb.server.server", without=LEFT_OUT_OF_SERVER)

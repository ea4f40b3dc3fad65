"""Whether somebody looks at this process through a notebook or a dashboard."""

from __future__ import annotations

import sys


def in_kernel() -> bool:
    """Whether this process is a notebook's or a dashboard's kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None

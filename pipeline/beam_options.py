"""Beam's options, with each view of them made once.

Beam asks for a view at every step of a graph, and makes a parser of all options of its kind each time: a third of what
the building of a graph takes.
"""

from __future__ import annotations

from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions


class Options(PipelineOptions):
    """As Beam's own. Views have no values of their own, but those of the options that they were asked of."""

    def view_as(self, cls: type[Any]) -> Any:
        views = self.__dict__.setdefault("_views", {})  # its attributes are options
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]

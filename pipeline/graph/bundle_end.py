"""What a bundle gives at its end, where Beam wants to be told the window of each element."""

from __future__ import annotations

from typing import Any

from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue


def in_global_window(value: Any) -> Any:
    if isinstance(value, TaggedOutput):
        return TaggedOutput(value.tag, in_global_window(value.value))
    return WindowedValue(value, GlobalWindow().max_timestamp(), [GlobalWindow()])

"""Rows of a view -> a DataFrame, with pandas' own dtypes where these lose nothing, else Arrow's.

whole numbers            Int8 to UInt64: pandas' own, with NA
true and false           boolean
texts                    string
numbers                  float64, with NaN where there is none; double[pyarrow] where some are NaN and some missing
moments                  datetime64 of the view's unit and zone
days, times of day, decimals, bytes, lists and structs
                         Arrow's: date32[day][pyarrow] and so on
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

_OWN: dict[pa.DataType, Any] = {
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
    **{
        getattr(pa, f"{sign.lower()}int{bits}")(): getattr(pd, f"{sign}Int{bits}Dtype")()
        for sign in ("", "U")
        for bits in (8, 16, 32, 64)
    },
}


def frame_of_rows(table: pa.Table) -> pd.DataFrame:
    """The rows as a DataFrame; the module's docstring has the dtypes."""
    both = {name for name in table.column_names if _has_both(table.column(name))}

    def own(kind: pa.DataType) -> Any:
        if kind in _OWN:
            return _OWN[kind]
        keeps = types.is_floating(kind) or types.is_timestamp(kind) or types.is_duration(kind)
        return None if keeps or types.is_dictionary(kind) else pd.ArrowDtype(kind)

    frame = table.to_pandas(types_mapper=own, ignore_metadata=True)
    for name in both:
        frame[name] = pd.Series(pd.arrays.ArrowExtensionArray(table.column(name)), index=frame.index)
    return frame


def _has_both(column: pa.ChunkedArray) -> bool:
    """Whether numbers that are none stand beside places where there is none."""
    return bool(
        types.is_floating(column.type)
        and column.null_count
        and pc.any(pc.is_nan(column)).as_py()  # null where all are
    )

"""chimera.toml: where it is looked for, and what stands in it (`chimera_nb.settings` has the names)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.machine.trust import check_trusted
from chimera_nb.prices import Prices
from pipeline.errors import SettingsError
from pipeline.folders import current_folder
from pipeline.storage.patience import number

CONFIG_VARIABLE = "CHIMERA_CONFIG"
_TABLES = ("dataflow", "prices")


def read_chimera_toml(
    texts: Collection[str], numbers: Collection[str], lists: Collection[str]
) -> dict[str, Any]:
    """The settings of the file by name, with those names of each kind and its tables; empty where there is none.

    Raises SettingsError for a file that cannot be read, and for what is not as it is to be written; UntrustedError for
    one that was found and that others can write.
    """
    path = _config_file()
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        named = f"; correct {CONFIG_VARIABLE}, or unset it" if os.environ.get(CONFIG_VARIABLE) else ""
        raise SettingsError(f"{path} cannot be read: {why}{named}") from e
    names = (*texts, *numbers, *lists)
    if unknown := values.keys() - {*names, *_TABLES}:
        known = ", ".join((*names, *(f"[{name}]" for name in _TABLES)))
        raise SettingsError(f"{path}: unknown setting {', '.join(sorted(unknown))}; there are: {known}")
    table, prices = values.pop("dataflow", {}), values.pop("prices", {})
    for name, value in values.items():
        if name in lists:
            values[name] = _texts(path, name, value)
        elif name in numbers:
            values[name] = number(f"{path}: {name}", value)
        elif not isinstance(value, str):
            raise SettingsError(f"{path}: {name} is {value!r}; write it in quotes")
    if "data_dir" in values:
        values["data_dir"] = path.parent / values["data_dir"]
    values["dataflow"] = _of_table(path, "dataflow", table, DataflowOptions.from_json)
    values["prices"] = _of_table(path, "prices", prices, Prices.from_table)
    return values


def _of_table(path: Path, name: str, table: Any, read: Callable[[dict[str, Any]], Any]) -> Any:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: {name} is {table!r}; write a table, [{name}]")
    try:
        return read(table)
    except SettingsError as e:
        raise SettingsError(f"{path}: [{name}]: {e}") from e


def _texts(path: Path, name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise SettingsError(
            f'{path}: {name} is {value!r}; write an array of texts, as in ["history", "results"]'
        )
    return tuple(value)


def _config_file() -> Path | None:
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    here = Path(current_folder())
    near = (path for folder in (here, *here.parents) if (path := folder / "chimera.toml").is_file())
    found = next(near, None)
    if found is not None:
        check_trusted(found, f"if it is good, name it yourself: {CONFIG_VARIABLE}={found}")
    return found

"""Sources by name, from the entry-point group "chimera.sources", and a check on what they give.

The built-in ones are known here as well, so that a plain folder on sys.path, without a package's metadata,
works. A plugin that is broken fails when it is asked for, with its package named; it never hides the others.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

from pipeline.codecs import get_codec
from pipeline.errors import ChimeraError, InvalidUriError, UnknownNameError
from pipeline.glob import Pattern
from pipeline.sources.base import SourcePlugin
from pipeline.sources.holds import Holds
from pipeline.uri import Uri

GROUP = "chimera.sources"
_BUILT_IN = {
    "betfair": "pipeline.sources.betfair:BetfairSource",
    "ndjson": "pipeline.sources.ndjson:NdjsonSource",
}


def source_names() -> list[str]:
    """Every source that is offered, sorted; nothing is imported to find out."""
    return sorted(_BUILT_IN.keys() | {entry.name for entry in _installed()})


def describe_sources() -> dict[str, str]:
    """Name -> description, or why the source cannot be used."""
    described = {}
    for name in source_names():
        try:
            described[name] = get_source(name).description
        except ChimeraError as e:
            described[name] = f"cannot be used: {e}"
    return described


def is_built_in(name: str) -> bool:
    """Whether the source of that name is one of the pipeline's own."""
    return _BUILT_IN.get(name) == _find(name).value


def get_source(name: str) -> SourcePlugin:
    """The source of that name. Raises UnknownNameError, and ChimeraError for a plugin that does not load."""
    entry = _find(name)
    try:
        found = entry.load()
    except Exception as e:  # whatever a third party's module raises while it is imported
        raise ChimeraError(
            f"{_where(entry)} cannot be imported ({type(e).__name__}: {e}); mend or uninstall that package"
        ) from e
    if not (isinstance(found, type) and issubclass(found, SourcePlugin)):
        raise ChimeraError(f"{_where(entry)} is not a class derived from pipeline.sources.SourcePlugin")
    try:
        source = found()
    except Exception as e:
        raise ChimeraError(
            f"{_where(entry)} cannot be made ({type(e).__name__}: {e}); it takes no arguments"
        ) from e
    if getattr(source, "name", None) != name or not isinstance(getattr(source, "description", None), str):
        raise ChimeraError(f"{_where(entry)} must have name = {name!r} and a description")
    return source


def source_package(name: str) -> Distribution | None:
    """The installed package that offers the source; None for a built-in one of a plain checkout."""
    return _find(name).dist


def build_patterns(source: SourcePlugin, bucket: str, paths: Sequence[str]) -> list[str]:
    """What the source gives, once it is known to be patterns in that bucket.

    A refusal of the user's own path (InvalidUriError, InvalidPatternError) passes through; anything else that
    the plugin gets wrong is a ChimeraError that names it.
    """
    try:
        patterns = source.build_patterns(bucket, paths)
    except ChimeraError:
        raise
    except Exception as e:  # a third party's code may raise anything
        raise ChimeraError(f"{_plugin(source)} failed in build_patterns: {type(e).__name__}: {e}") from e
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise ChimeraError(f"{_plugin(source)} gave {patterns!r} for patterns; it must give a list of str")
    if paths and not patterns:
        raise ChimeraError(f"{_plugin(source)} gave no patterns for {list(paths)!r}")
    for pattern in patterns:
        try:
            uri = Uri.parse(pattern)
        except InvalidUriError as e:
            raise ChimeraError(f"{_plugin(source)} gave a pattern that is no URI: {e}") from e
        if uri.bucket != bucket:
            raise ChimeraError(
                f"{_plugin(source)} gave {pattern!r}, which is not in {bucket or 'local files'!r}"
            )
        Pattern(uri.written_path)
    return patterns


def tells_holds(source: SourcePlugin) -> bool:
    """Whether the source says at all what files hold."""
    return type(source).holds is not SourcePlugin.holds


def what_it_holds(source: SourcePlugin, uri: str) -> Holds | None:
    """What the source says that a file holds, once it is known to be that. Raises ChimeraError."""
    path = Uri.parse(uri).written_path
    try:
        found = source.holds(path)
    except Exception as e:  # a third party's code may raise anything
        raise ChimeraError(f"{_plugin(source)} failed in holds: {type(e).__name__}: {e}") from e
    if found is None:
        return None
    texts = (found.what, found.part_of, found.whole_of, found.why) if isinstance(found, Holds) else (None,)
    if not all(isinstance(text, str) for text in texts) or type(found.rank) is not int or not found.what:
        raise ChimeraError(
            f"{_plugin(source)} gave {found!r} for what {path!r} holds; it must give a Holds with a name, or None"
        )
    return found


def get_decompressor(source: SourcePlugin) -> str:
    """The codec the source asks for, once it is known to exist: a name for `choose_codec`."""
    try:
        wanted = source.get_decompressor_class()
    except ChimeraError:
        raise
    except Exception as e:  # a third party's code may raise anything
        raise ChimeraError(
            f"{_plugin(source)} failed in get_decompressor_class: {type(e).__name__}: {e}"
        ) from e
    if not isinstance(wanted, str):
        raise ChimeraError(
            f"{_plugin(source)} gave {wanted!r} for a codec; it must give a codec's name or auto"
        )
    if wanted != "auto":
        try:
            get_codec(wanted)
        except ChimeraError as e:
            raise ChimeraError(f"{_plugin(source)}: {e}") from e
    return wanted


def _find(name: str) -> EntryPoint:
    """The one entry point of that name. An editable install beside a wheel shows it twice."""
    found = {entry.value: entry for entry in _installed() if entry.name == name}
    if name in _BUILT_IN:
        found.setdefault(_BUILT_IN[name], EntryPoint(name, _BUILT_IN[name], GROUP))
    if not found:
        raise UnknownNameError("source", name, source_names())
    if len(found) > 1:
        offers = " and ".join(sorted(_where(entry) for entry in found.values()))
        raise ChimeraError(f"source {name!r} is offered twice, by {offers}; uninstall one")
    return next(iter(found.values()))


def _installed() -> tuple[EntryPoint, ...]:
    """What installed packages offer. To read that takes some 5 ms, and a job asks several times."""
    return _read(tuple((folder, _changed(folder)) for folder in sys.path))


@lru_cache(maxsize=1)
def _read(_path: tuple[tuple[str, tuple[int, int] | None], ...]) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _changed(folder: str) -> tuple[int, int] | None:
    """What changes with each folder that is put into one or taken out; None where there is none."""
    try:
        found = Path(folder).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_nlink


def _where(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "chimera-nb"
    return f"source {entry.name!r} ({entry.value} of package {package})"


def _plugin(source: SourcePlugin) -> str:
    kind = type(source)
    return f"source {source.name!r} ({kind.__module__}:{kind.__qualname__})"

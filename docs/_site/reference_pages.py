"""Pages of the reference, made of the code: its command line, its settings, its documents and its public API."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import typer
import typer.main
from ipywidgets import DOMWidget

import chimera_nb
import chimera_nb.settings
import pipeline.ledger
import pipeline.target.layout
import pipeline.write.publish
import pipeline.write.shard_list
from chimera_nb.cli import app
from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs import record
from pipeline.job_options import JobOptions
from pipeline.options import table
from pipeline.sources.registry import get_source, source_names
from pipeline.sources.view_options import options_of
from pipeline.sources.views import views_of


def pages() -> dict[str, str]:
    """Each page's name, and its text in Markdown."""
    return {
        "api": _api(),
        "cli": "\n".join(_cli()),
        "job-document": _job_document(),
        "job-options": _job_options(),
        "output": _output(),
        "settings": _settings(),
        "views": _views(),
    }


def _words(module: ModuleType) -> str:
    """A module's docstring: its first line as a sentence, what is laid out in columns as it stands."""
    first, _, rest = inspect.cleandoc(module.__doc__ or "").partition("\n")
    return f"{first}\n\n```text\n{rest.strip()}\n```\n"


def _settings() -> str:
    return (
        f"# Settings\n\n{_words(chimera_nb.settings)}\n"
        "The options of `[dataflow]`: [how a Dataflow job runs](job-options.md#how-a-dataflow-job-runs).\n"
    )


def _job_options() -> str:
    return (
        "# The options of a job\n\n"
        "The command lines, the job form, the code that it shows and the specification in "
        "[the job document](job-document.md) have all of these, in JSON with camelCase names. `python -m pipeline` "
        "has those of every job, and Beam's own where `chimera submit` has Dataflow's.\n\n"
        f"## Of every job\n\n{_option_table(JobOptions)}\n"
        "## How a Dataflow job runs\n\n"
        "One job has them as `runner_options`, all jobs those in the table `[dataflow]` of chimera.toml "
        "([settings](settings.md)). What is left out is chosen by Dataflow.\n\n"
        f"{_option_table(DataflowOptions)}"
    )


def _option_table(cls: type) -> str:
    lines = ["| option | type | default | command line | in the form | what |", "| --- " * 6 + "|"]
    for option in table(cls):
        kind = f"list of {option.kind.__name__}" if option.many else option.kind.__name__
        bounds = f", {option.least} to {option.most:,}" if option.most else ""
        default = f"`{option.shown_default}`" if option.shown_default else ""
        label = option.label if option.part else ""
        cells = (f"`{option.name}`", f"{kind}{bounds}", default, f"`--{option.flag}`", label, option.text)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _views() -> str:
    """Every view of a built-in source: its options, its order, and each column with its type and meaning."""
    parts = [
        (
            "# Views\n\nThe tables that the built-in sources make of their records. "
            "[Betfair's markets as tables](../betfair.md) says how Betfair's are worked out.\n"
        )
    ]
    for source in map(get_source, source_names()):
        for name, view in views_of(source).items():
            options = "\n".join(f"- option `{option.text}`" for option in options_of(view))
            divided = ", ".join(f"`{column}`" for column in view.partitions)
            parts.append(
                f"## {source.name}: {name}\n\n{view.description.capitalize()}. {inspect.getdoc(view)}\n\n{options}\n"
                f"- rows of a file come by {', '.join(f'`{column}`' for column in view.sorted_by) or 'no order'}\n"
                + (f"- the output may be divided by {divided}\n" if divided else "")
            )
            parts.append("| column | type | what |\n| --- | --- | --- |")
            parts += [
                f"| `{field.name}` | {field.type} | {(field.metadata or {}).get(b'description', b'').decode()} |"
                for field in view.schema
            ]
            parts.append("")
    return "\n".join(parts)


def _job_document() -> str:
    return (
        f"# The job document\n\n{_words(record)}\n"
        "How a record moves, and who may move it: [the life of a job](../jobs.md).\n"
    )


def _output() -> str:
    parts = [
        "# What a job writes\n",
        f"## The target\n\n{_words(pipeline.target.layout)}",
        f"## The ledger\n\n{_words(pipeline.ledger)}",
        f"## shards.ndjson\n\n{_words(pipeline.write.shard_list)}",
        f"## summary.json\n\n{inspect.cleandoc(pipeline.write.publish.summarise.__doc__ or '')}\n",
        "How to hold all of it against what was read: [verify](../verify.md).\n",
    ]
    return "\n".join(parts)


def _api() -> str:
    names = [name for name in chimera_nb.__all__ if name != "load_ipython_extension"]
    found = {name: getattr(chimera_nb, name) for name in names}
    widgets = [name for name in names if issubclass(_as_type(found[name]), DOMWidget)]
    classes = [name for name in names if isinstance(found[name], type) and name not in widgets]
    lines = ["# The Python API\n", _words(chimera_nb), "\n## Functions\n"]
    lines += [f"::: {_home(found[name])}\n" for name in names if not isinstance(found[name], type)]
    lines += ["## Widgets\n", "Each takes its traits as arguments.\n"]
    for name in widgets:
        lines.append(f"::: {_home(found[name])}\n    options:\n      members: false\n")
        lines += _traits(found[name])
    lines += ["## Other classes\n", *(f"::: {_home(found[name])}\n" for name in classes)]
    return "\n".join(lines)


def _as_type(found: Any) -> type:
    return found if isinstance(found, type) else object


def _home(found: Any) -> str:
    """The full name of what is public, where it is defined."""
    return f"{found.__module__}.{found.__qualname__}"


def _traits(widget: type) -> Iterator[str]:
    rows = [
        (name, str(trait.help))
        for name, trait in sorted(widget.class_own_traits().items())  # type: ignore[attr-defined]
        if trait.help and not name.startswith("_")
    ]
    if rows:
        yield "| trait | what |\n| --- | --- |"
        yield from (f"| `{name}` | {text} |" for name, text in rows)
        yield ""


def _cli() -> Iterator[str]:
    root = typer.main.get_command(app)  # a command of the click that typer carries
    yield "# The command line\n"
    yield "`chimera`, or `python -m chimera_nb`. Exit 0: done. 1: the job failed. 2: the input was refused, and nothing"
    yield "was touched. `--json` prints one JSON document on stdout, and nothing else there.\n"
    yield from _command(root, "chimera")


def _command(command: Any, path: str) -> Iterator[str]:
    if children := getattr(command, "commands", None):
        for name in sorted(children):
            yield from _command(children[name], f"{path} {name}")
        return
    context = typer.Context(command, info_name=path)
    yield f"## {path}\n"
    yield f"    {command.get_usage(context).removeprefix('Usage:').strip()}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    rows = []
    for each in command.params:
        if record := each.get_help_record(context):
            name, words = (text.replace("|", "\\|").replace("\n", " ") for text in record)
            rows.append(f"| `{name}` | {words} |")
    if rows:
        yield "| option | what |\n| --- | --- |"
        yield from rows
        yield ""

"""What a job form offers to choose from: sources, buckets, and the jobs on record."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.runners.dataflow import options_of
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_form import messages
from chimera_nb.widgets.job_form.model import DATAFLOW_FIELDS
from chimera_nb.widgets.job_form.recent_jobs import LOOKED_AT, recent_configurations, recent_selections
from chimera_nb.widgets.job_form.view_choice import OfferedView, offered_views
from pipeline.errors import SettingsError, StorageError
from pipeline.job_options import FORMATS


@dataclass(frozen=True)
class Choices:
    """settings are None until they are known; sources are names with a line on each; views are by source; records
    newest first.
    """

    settings: Settings | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, tuple[OfferedView, ...]] = field(default_factory=dict)
    buckets: tuple[str, ...] = ()
    records: tuple[JobRecord, ...] = ()

    def record(self, job_id: str) -> JobRecord:
        """One of those offered. Raises LookupError."""
        return {record.job_id: record for record in self.records}[job_id]

    def with_record(self, record: JobRecord) -> Choices:
        """The same with the newest job, if it is not among them."""
        if any(known.job_id == record.job_id for known in self.records):
            return self
        return replace(self, records=(record, *self.records))

    def view(self, source: str, name: str) -> OfferedView | None:
        """The view of that name, if the source offers it."""
        return next((view for view in self.views.get(source, ()) if view.name == name), None)

    def missing(self, runner: str, options: Mapping[str, Any]) -> str | None:
        """What the settings lack for a job of that runner, in a sentence; `options` are what is asked for."""
        if self.settings is None or runner != "dataflow":
            return None
        try:
            options_of(self.settings, **options)
        except SettingsError as e:
            return e.sentence
        return None

    def shown(self) -> messages.Choices:
        """As the front end shows them."""
        options = self.settings.dataflow_options().to_json() if self.settings else {}
        return messages.Choices(
            sources=tuple(messages.Choice(name, says) for name, says in self.sources.items()),
            views={
                source: tuple(
                    messages.Choice(view.name, f"{view.name}: {view.description}") for view in views
                )
                for source, views in self.views.items()
            },
            formats=FORMATS,
            buckets=self.buckets,
            configurations=tuple(
                messages.Choice(r.job_id, r.label) for r in recent_configurations(self.records)
            ),
            selections=tuple(messages.Choice(r.job_id, r.label) for r in recent_selections(self.records)),
            settings={name: str(options[name]) for name in DATAFLOW_FIELDS if name in options},
        )


def gather(session: Session, buckets: Sequence[str] | None, *, stores: bool) -> Choices:
    """Gather the choices; blocks. Raises JobLogError.

    buckets   the only ones that may be written; None for those of the settings, which may ask the store for all,
              where `stores` says that there is one. If it does not tell them, a name can still be typed.
    """
    from pipeline.sources import describe_sources
    from pipeline.storage.access_policy import allowed_folders

    service, settings = session.service, session.settings
    if buckets is None and (folders := allowed_folders(settings.write_buckets, "write_buckets")) is not None:
        buckets = sorted({folder.bucket for folder in folders} - {""})
    if buckets is None and stores:
        with contextlib.suppress(StorageError):
            buckets = sorted(settings.store.list_buckets())
    records = service.log.list(limit=LOOKED_AT).records
    sources = describe_sources()
    return Choices(settings, sources, offered_views(sources), tuple(buckets or ()), records)

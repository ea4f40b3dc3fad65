"""May this job run: every check that needs the store, before anything is written."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import RefusedError
from pipeline.inputs.listing import only_patterns, wanted
from pipeline.inputs.manifest import write_patterns
from pipeline.inputs.selection import check_apart, check_inputs, patterns_by_input
from pipeline.inputs.since import find_new
from pipeline.sources.views import find_view
from pipeline.spec import JobSpec
from pipeline.storage import Store, join
from pipeline.target.joined import write_joined
from pipeline.target.layout import inputs_uri, job_folders, joined_name
from pipeline.target.lifecycle import abandon_target, prepare_target


def admit(
    store: Store, spec: JobSpec, is_alive: Callable[[str], bool | None], *, makes_bucket: bool = False
) -> list[str]:
    """Check the inputs and the target, and take the target; give what the job looks for (`pipeline.inputs.listing`).

    It also stands at the target, for the process that runs the job (`pipeline.inputs.manifest.read_patterns`).
    `is_alive` is as in `prepare_target`. With `makes_bucket` the target's bucket is made where there is none: on a
    local stack it costs nothing and has no location. Raises RefusedError with nothing touched: a result that the
    job is to replace stays until the job itself begins (`pipeline.target.lifecycle.begin_target`). Of a job that
    takes its files from an inventory report that is read and held against the inputs. Of a job that
    adds to earlier output (`pipeline.inputs.since`) the new files are looked for; NothingNewError where there are none.
    """
    find_view(spec)
    inputs, target = spec.reads, spec.writes
    by_input = patterns_by_input(store, inputs, spec.source, every=spec.every_file)
    patterns = only_patterns(wanted(by_input))
    check_apart(store, inputs, target, patterns, job_id=spec.job_id, overwrite=spec.overwrite)
    if spec.inventory:
        if spec.since:
            raise RefusedError(
                "--since holds ledgers against what stands in the bucket now, and --inventory is of another moment; "
                "leave one of them out"
            )
        from pipeline.inputs.inventory import read_inventory  # with Arrow, which others do without

        read_inventory(store, spec.inventory, inputs.bucket)
    looked_for = wanted(check_inputs(store, by_input, listing=not spec.inventory))
    new = find_new(store, spec, looked_for) if spec.since else None
    looked_for = new.patterns() if new else looked_for
    if makes_bucket and not store.bucket_exists(target.bucket):
        store.make_bucket(target.bucket)
    prepare_target(store, spec, is_alive)
    try:
        write_patterns(store, spec, looked_for)
        if new:
            write_joined(store, spec.target, new.joined)
    except BaseException:
        withdraw(store, spec)
        raise
    return looked_for


def withdraw(store: Store, spec: JobSpec) -> None:
    """Undo `admit`, for a job that was not put on record: its claim, patterns and manifests are deleted."""
    abandon_target(store, spec)
    manifest = inputs_uri(spec.target, spec.job_id)
    store.delete([manifest, join(spec.target, joined_name(spec.job_id))])
    store.remove_empty_folder(manifest.rpartition("/")[0])
    store.remove_empty_folder(job_folders(spec.target))

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.admit import admit
from pipeline.errors import NothingMatchesError, RefusedError, StorageError
from pipeline.inputs.manifest import (
    INPUTS_KEPT,
    all_inputs,
    read_list,
    read_patterns,
    with_manifest,
    write_list,
)
from pipeline.inputs.selection import check_inputs, patterns_by_input
from pipeline.locations import Inputs
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import abandon_target, prepare_target

STORE = PlainStore()


def spec(folder, names, **options) -> JobSpec:
    inputs = tuple(f"{folder}/in/{name}" for name in names)
    return JobSpec(inputs=inputs, target=f"{folder}/out", job_id="me", **options)


def by_input_of(spec: JobSpec) -> dict[str, list[str]]:
    return patterns_by_input(STORE, Inputs(spec.inputs), spec.source)


def lay(folder, names) -> None:
    for name in names:
        STORE.write_bytes(f"{folder}/in/{name}", b"x\n")


@given(st.lists(st.text() | st.just("\udce9\n\\")))
def test_a_list_comes_back_as_it_was(tmp_path_factory, texts):
    uri = f"{tmp_path_factory.mktemp('list')}/list.ndjson"
    write_list(STORE, uri, texts)
    assert list(read_list(STORE, uri)) == texts


def test_a_list_that_was_cut_off_is_an_error(tmp_path):
    (tmp_path / "list").write_bytes(b'"a"\n"b')
    with pytest.raises(StorageError, match="ends in the middle of a line"):
        list(read_list(STORE, f"{tmp_path}/list"))


def test_many_inputs_go_into_a_manifest_that_outlives_the_job(tmp_path):
    names = [f"{n}.bz2" for n in range(INPUTS_KEPT + 1)]
    lay(tmp_path, names)
    full = spec(tmp_path, names)
    admit(STORE, full, lambda _: None)
    short = with_manifest(STORE, full)
    assert short.inputs == full.inputs[:INPUTS_KEPT]
    assert short.inputs_total == len(names)
    assert JobSpec.from_json(short.to_json()) == short
    assert read_patterns(STORE, short) == list(full.inputs)
    abandon_target(STORE, full)
    assert all_inputs(STORE, short) == full.inputs
    prepare_target(
        STORE, JobSpec(inputs=("/x",), target=full.target, job_id="other", overwrite=True), lambda _: False
    )
    assert all_inputs(STORE, short) == full.inputs
    STORE.delete([str(short.manifest)])
    with pytest.raises(RefusedError, match="which is gone; choose them again"):
        all_inputs(STORE, short)


def test_few_inputs_stay_where_they_are(tmp_path):
    few = spec(tmp_path, ["a", "b"])
    assert with_manifest(STORE, few) is few
    assert all_inputs(STORE, few) == few.inputs


def test_many_files_of_one_folder_cost_one_listing(tmp_path, monkeypatch):
    names = [f"{n}.bz2" for n in range(100)]
    lay(tmp_path, names)
    by_input = by_input_of(spec(tmp_path, names))
    asked = []
    for function in ("exists", "list_objects", "list_folder"):
        real = getattr(STORE, function)
        monkeypatch.setattr(
            PlainStore,
            function,
            staticmethod(lambda *a, real=real, name=function, **k: asked.append(name) or real(*a, **k)),
        )
    found = check_inputs(STORE, by_input)
    assert asked == ["list_folder"]
    # The folders that such a name could be as well are not there, so they are not looked for again.
    assert found == {path: [path] for path in by_input}


def test_one_that_is_missing_among_many_is_named(tmp_path):
    names = [f"{n}.bz2" for n in range(100)]
    lay(tmp_path, names[:50] + names[51:])
    with pytest.raises(NothingMatchesError, match=r"no file matches .*/in/50\.bz2; tried"):
        check_inputs(STORE, by_input_of(spec(tmp_path, names)))


def test_folders_among_many_files_are_looked_into(tmp_path):
    names = [f"{n}.bz2" for n in range(30)]
    lay(tmp_path, [*names, "d/x.bz2", "e/f/x.bz2"])
    found = check_inputs(STORE, by_input_of(spec(tmp_path, [*names, "d/", "e/"], source="betfair")))
    assert found[f"{tmp_path}/in/d/"] == [f"{tmp_path}/in/d/*.bz2", f"{tmp_path}/in/d/**/*.bz2"]
    assert f"{tmp_path}/in/e/**/*.bz2" in found[f"{tmp_path}/in/e/"]


def test_the_graph_of_a_hundred_thousand_paths_is_small(tmp_path):
    import apache_beam as beam

    from pipeline.graph.build import build

    paths = [f"gs://a-bucket/ADVANCED/2016/Jan/{n % 31}/{n}/1.{n}.bz2" for n in range(100_000)]
    small = spec(tmp_path, ["a"])
    sizes = []
    for patterns in (paths[:2000], paths):
        root = beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner")
        build(root, STORE, small, patterns)
        sizes.append(root.to_runner_api().ByteSize())
    assert max(sizes) < 1 << 20
    assert abs(sizes[1] - sizes[0]) < 10_000

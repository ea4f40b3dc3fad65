from __future__ import annotations

import os

import pytest

from chimera_nb.cli.upload_plan import plan_uploads
from pipeline.errors import RefusedError
from pipeline.storage import PlainStore


def lay(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.fsencode(name))


def planned(*sources):
    plan = plan_uploads(PlainStore(), sources, "gs://b/raw")
    return {upload.uri.removeprefix("gs://b/raw/"): upload.path for upload in plan.uploads}, plan.left_out


def test_files_go_by_their_names_and_folders_with_all_below_them(tmp_path):
    lay(tmp_path, "jan/data.json", "jan/1/x.bz2", "one.json")
    found, left_out = planned(tmp_path / "jan", tmp_path / "one.json")
    assert found == {
        "1/x.bz2": f"{tmp_path}/jan/1/x.bz2",
        "data.json": f"{tmp_path}/jan/data.json",
        "one.json": f"{tmp_path}/one.json",
    }
    assert left_out == {}


@pytest.mark.parametrize(
    "sources", [("jan/data.json", "feb/data.json"), ("jan", "feb"), ("jan", "feb/data.json")]
)
def test_two_files_that_would_get_one_name_are_refused_with_both(tmp_path, sources):
    lay(tmp_path, "jan/data.json", "feb/data.json")
    with pytest.raises(RefusedError) as caught:
        planned(*(tmp_path / source for source in sources))
    assert str(caught.value).startswith(
        f"{tmp_path}/jan/data.json and {tmp_path}/feb/data.json would both become gs://b/raw/data.json;"
    )


def test_what_the_refusal_proposes_works(tmp_path):
    lay(tmp_path, "all/jan/data.json", "all/feb/data.json")
    assert sorted(planned(tmp_path / "all")[0]) == ["feb/data.json", "jan/data.json"]


def test_one_file_that_is_named_twice_is_copied_once(tmp_path):
    lay(tmp_path, "a.json")
    (tmp_path / "sub").mkdir()
    assert list(planned(tmp_path / "a.json", tmp_path / "sub/../a.json")[0]) == ["a.json"]


def test_a_stacks_own_folder_and_links_that_lead_nowhere_are_left_out_and_named(tmp_path):
    lay(tmp_path, "d/a.json", "d/.chimera/jobs.sqlite", "d/.chimera/storage/b/x", "d/.config/b.json")
    (tmp_path / "d/gone").symlink_to("nowhere")
    found, left_out = planned(tmp_path / "d")
    assert sorted(found) == [".config/b.json", "a.json"]
    assert left_out == {
        f"{tmp_path}/d/.chimera": "a local stack's own data",
        f"{tmp_path}/d/gone": "a link that leads nowhere",
    }


def test_what_is_behind_a_link_is_copied_once(tmp_path):
    lay(tmp_path, "d/2016/a.json", "disk/2017/b.json")
    (tmp_path / "d/2017").symlink_to(tmp_path / "disk/2017")
    (tmp_path / "d/latest").symlink_to("2016")
    (tmp_path / "d/2016/loop").symlink_to("..")
    assert sorted(planned(tmp_path / "d")[0]) == ["2016/a.json", "2017/b.json"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (os.fsdecode(b"\xff.json"), "is no UTF-8"),
        ("a\nb.json", "no line ends"),
        ("gone.json", "there is no such file"),
    ],
)
def test_what_no_bucket_takes_is_refused_by_name(tmp_path, name, says):
    if name != "gone.json":
        lay(tmp_path, name)
    with pytest.raises(RefusedError, match=says):
        planned(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedError, match="there are no files in it"):
        planned(tmp_path / "empty")

"""The end of a job in every order of its requests: the real functions over a store in memory.

Each request is a switch point. All orders of two actors with at most two preemptions are run (of those that come to the
same, one), and of more by chance.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from pipeline.target import claim as claims
from pipeline.target import contents
from pipeline.target import lifecycle as target
from pipeline.target.layout import summary_uri
from pipeline.write import publish
from tests.fixtures.scenes import (
    KINDS_OF_STORE,
    cast,
    first_fault,
    first_worker,
    job_process,
    lay_killed,
    lay_running,
    lay_whole,
    publisher,
    reader,
    second_worker,
    submitter,
    viewer,
)
from tests.fixtures.schedules import every_order, some_orders

PLAYS = {
    "a job and a viewer that takes it for dead": cast([lay_running], job_process, viewer),
    "a worker and a viewer that takes it for dead": cast([lay_running], publisher, viewer),
    "a job and its repetition": cast([lay_running], publisher, publisher),
    "a job and a reader": cast([lay_running], publisher, reader),
    "a job and who takes its target": cast([lay_running], job_process, submitter),
    "a job and who takes its target, without overwrite": cast(
        [lay_running], job_process, lambda made: submitter(made, overwrite=False)
    ),
    "a job of bad files and a viewer": cast([lay_running], lambda made: publisher(made, good=False), viewer),
    "a job of two workers": cast([lay_running], first_worker, second_worker),
    "two viewers": cast([lay_running], viewer, viewer),
    "a viewer and who takes the target": cast([lay_running], viewer, submitter),
    "a killed job, a viewer and who takes the target": cast(
        [lay_running, partial(lay_killed, before=("move", "part-1"))], viewer, submitter
    ),
    "two that overwrite at once": cast([lay_whole], submitter, lambda made: submitter(made, "M")),
    "two that want a free target": cast(
        [], lambda made: submitter(made, overwrite=False), lambda made: submitter(made, "M", overwrite=False)
    ),
    "one that overwrites and its viewer": cast([lay_whole], submitter, lambda made: viewer(made, "N")),
    "one that is refused, and one that is not": cast(
        [lay_whole], lambda made: submitter(made, refused=True), lambda made: submitter(made, "M")
    ),
    "a whole job that is not moved yet, a viewer and who overwrites": cast(
        [lay_running, partial(lay_killed, before=("move", "claim.json"))],
        viewer,
        submitter,
    ),
}


# Without moves only the renames differ.
WITH_RENAMES = [name for name in PLAYS if name.startswith(("a job", "a worker"))]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for kind in KINDS_OF_STORE
        for name in (PLAYS if KINDS_OF_STORE[kind]["moves"] else WITH_RENAMES)
    ],
)
def test_in_every_order_what_is_whole_is_whole_and_nothing_else_is_left(name, kind):
    count, fault = first_fault(PLAYS[name], kind, every_order)
    assert fault is None, fault
    assert count > 15


@pytest.mark.parametrize("kind", ["bucket", "folder"])
@pytest.mark.parametrize(
    "name",
    [
        "a job and a viewer that takes it for dead",
        "a job and its repetition",
        "a job and who takes its target",
        "one that overwrites and its viewer",
        "a job of two workers",
    ],
)
def test_the_same_when_one_of_them_is_killed_anywhere(name, kind):
    count, fault = first_fault(PLAYS[name], kind, partial(every_order, crashes=True))
    assert fault is None, fault
    assert count > 60


MORE = {
    "a job, its repetition and a viewer": cast([lay_running], publisher, publisher, viewer),
    "a job, its repetition and who takes the target": cast([lay_running], publisher, job_process, submitter),
    "a job, a viewer and who takes the target": cast([lay_running], job_process, viewer, submitter),
    "a job of two workers and a viewer": cast([lay_running], first_worker, second_worker, viewer),
    "a job of two workers, one of them twice": cast(
        [lay_running], first_worker, second_worker, second_worker
    ),
    "a job of two workers and who takes the target": cast(
        [lay_running], first_worker, second_worker, submitter
    ),
    "a job of two workers, each of them twice, and a viewer": cast(
        [lay_running], first_worker, second_worker, first_worker, second_worker, viewer
    ),
    "a job of two workers, one of them twice, and who takes the target": cast(
        [lay_running], first_worker, second_worker, second_worker, submitter
    ),
    "two viewers and who takes the target": cast([lay_running], viewer, viewer, submitter),
    "two that overwrite and a viewer of one": cast(
        [lay_whole], submitter, lambda made: submitter(made, "M"), lambda made: viewer(made, "N")
    ),
    "a job and two that overwrite": cast(
        [lay_running], job_process, submitter, lambda made: submitter(made, "M")
    ),
}


@pytest.mark.parametrize("kind", KINDS_OF_STORE)
@pytest.mark.parametrize("name", MORE)
def test_in_orders_of_more_by_chance_the_same_holds(name, kind):
    _, fault = first_fault(MORE[name], kind, partial(some_orders, count=200, seed=20240119))
    assert fault is None, fault


# The test can fail: a protocol that is wrong in one place is found out.


def write_plainly(store, where, claim) -> None:
    store.write_bytes(summary_uri(where), claim.text, owner=claim.job_id)
    claims.drop(store, where, claim)


def delete_by_name(store, versions) -> None:
    store.delete([version.uri for version in versions])


def whole_whatever_stands(store, where, claim, summary):
    standing_claim = claims.read_claim(store, where)
    return claims.make_whole(store, where, standing_claim or replace(claim, generation=0), summary)


def outputs_first(store, where, claim):
    left = contents.look(store, where)
    contents.delete(store, contents.litter(left, claim))
    for page in store.list_folder(f"{where}/_chimera/"):
        for folder in page.folders:
            store.delete_tree(folder)
    return left


WRONG = {
    "the summary is written plainly by who made the job whole": (
        [(publish, "roll_forward", write_plainly)],
        "a job and who takes its target",
    ),
    "shards are deleted by name": (
        [(contents, "delete", delete_by_name)],
        "a killed job, a viewer and who takes the target",
    ),
    "the commit does not look at the claim's generation": (
        [(publish, "make_whole", whole_whatever_stands)],
        "a job and a viewer that takes it for dead",
    ),
    "what is deleted may have been listed at any time": (
        [(contents, "stands", lambda *_: True)],
        "a viewer and who takes the target",
    ),
    "each commits whatever the claim was when its parts were given their names": (
        [(publish, "make_whole", whole_whatever_stands)],
        "a job of two workers and a viewer",
    ),
    "outputs are deleted before parts": (
        [(target, "clear_up", outputs_first)],
        "a worker and a viewer that takes it for dead",
    ),
    "a job does not ask whether it still has the target that it clears": (
        [(target, "stands", lambda *_: True)],
        "two that overwrite at once",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_protocol_that_is_wrong_in_one_place_is_found_out(monkeypatch, name):
    wrong, play = WRONG[name]
    for module, function, instead in wrong:
        monkeypatch.setattr(module, function, instead)
    orders = every_order if play in PLAYS else partial(some_orders, count=400, seed=20240119)
    made_for = PLAYS.get(play) or MORE[play]
    assert any(first_fault(made_for, kind, orders)[1] for kind in ("bucket", "folder"))

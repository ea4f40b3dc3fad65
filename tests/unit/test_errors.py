"""What errors say of themselves."""

from __future__ import annotations

import pickle

import pytest

from pipeline.errors import (
    BadFileError,
    NotAllowedError,
    RefusedError,
    StorageError,
    StoreUnavailableError,
    UnknownNameError,
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RefusedError("no inputs; give one"), "No inputs; give one."),
        (RefusedError("it is done."), "It is done."),
        (StorageError("gs://b/x", "is gone"), "gs://b/x: is gone."),
        (StorageError("gs://b/x", "is gone", "list the folder"), "Is gone: gs://b/x; list the folder."),
        (NotAllowedError("gs://b/x", "is not on the list"), "gs://b/x: is not on the list."),
        (RefusedError("'a b' cannot be read"), "'a b' cannot be read."),
    ],
)
def test_a_sentence_begins_with_a_capital_unless_a_name_is_first(error, sentence):
    assert error.sentence == sentence


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("no inputs"),
        BadFileError("is empty", of_the_file=True),
        UnknownNameError("view", "races", ["runners"]),
        StorageError("gs://b/x", "is gone", "list the folder"),
        StoreUnavailableError("gs://b/x", "is away"),
        NotAllowedError("gs://b/x", "is not on the list"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_out_of_another_process_as_it_went_in(error):
    found = pickle.loads(pickle.dumps(error))
    assert (type(found), str(found), found.args, vars(found)) == (
        type(error),
        str(error),
        error.args,
        vars(error),
    )

"""What errors say of themselves."""

from __future__ import annotations

import pytest

from pipeline.errors import NotAllowedError, RefusedError, StorageError


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

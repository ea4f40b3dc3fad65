from __future__ import annotations

import traceback

import pytest

from pipeline.errors import NothingMatchesError, ObjectNotFoundError, TooManyFailuresError
from pipeline.failure_cause import cause_of

REASON = "all 3 files failed; gs://out/x/ledger/ has the reason for each"

NESTED = f"""Error processing instruction process_bundle_1. Original traceback is
Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1498, in apache_beam.runners.common.DoFnRunner.process
    return self.do_fn_invoker.invoke_process(windowed_value)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/work/pipeline/ledger.py", line 130, in judge
    raise TooManyFailuresError(f"all {{total:,}} files failed; {{where}} has the reason for each")
pipeline.errors.TooManyFailuresError: {REASON}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/worker/sdk_worker.py", line 311, in _execute
    response = task()
               ^^^^^^
  File "apache_beam/runners/common.py", line 1613, in _reraise_augmented
    raise new_exn.with_traceback(tb)
pipeline.errors.TooManyFailuresError: {REASON} [while running 'WriteOutput/Publish']
"""


def test_our_own_error_under_a_runners_traceback_is_told_by_its_text():
    assert cause_of(RuntimeError(NESTED)) == REASON
    assert cause_of(NESTED) == REASON


def test_a_traceback_wrapped_again_is_told_by_its_text():
    twice = f'Traceback (most recent call last):\n  File "a.py", line 1, in run\nRuntimeError: {NESTED}\n\n'
    assert cause_of(RuntimeError(twice)) == REASON


def test_our_own_error_that_beam_could_not_make_again_is_told_by_its_text():
    # StorageError takes two arguments, so Beam wraps its text in a RuntimeError.
    text = NESTED.replace(
        f"pipeline.errors.TooManyFailuresError: {REASON} [",
        "RuntimeError: pipeline.errors.ObjectNotFoundError: gs://in/a: there is no such object or bucket [",
    )
    assert cause_of(RuntimeError(text)) == "gs://in/a: there is no such object or bucket"


def test_anybody_elses_error_keeps_its_kind_and_says_where():
    text = NESTED.replace(f"pipeline.errors.TooManyFailuresError: {REASON} [", "MemoryError: no room [")
    assert cause_of(RuntimeError(text)) == "MemoryError: no room (in WriteOutput/Publish)"


def test_an_error_without_a_text_keeps_its_kind_and_says_where():
    text = NESTED.replace(f"pipeline.errors.TooManyFailuresError: {REASON} [", "KeyboardInterrupt [")
    assert cause_of(text) == "KeyboardInterrupt (in WriteOutput/Publish)"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TooManyFailuresError(REASON), REASON),
        (ObjectNotFoundError("gs://in/a", "there is no such object"), "gs://in/a: there is no such object"),
        (NothingMatchesError("no file matches x", ["x"]), "no file matches x"),
        (ValueError("bad"), "ValueError: bad"),
        (ValueError("bad: Traceback"), "ValueError: bad: Traceback"),
        (RuntimeError("plain"), "RuntimeError: plain"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError"),
        (ValueError(""), "ValueError"),
        ("", "failed without a reason"),
        (" \n \n", "failed without a reason"),
        ("Workflow failed.", "Workflow failed."),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
    ],
)
def test_an_error_without_a_traceback_is_told_as_it_is(error, says):
    assert cause_of(error) == says


@pytest.mark.parametrize("message", ["one\ntwo", "one:\n  indented\nthree", "one:\n  two\n  three"])
def test_a_message_of_several_lines_stays_whole(message):
    assert cause_of(TooManyFailuresError(message)) == message
    assert cause_of(ValueError(message)) == f"ValueError: {message}"
    assert cause_of(RuntimeError(NESTED.replace(REASON, message))) == message


def test_a_real_traceback_of_a_chain_is_read():
    try:
        try:
            {}["x"]
        except KeyError as e:
            raise TooManyFailuresError(REASON) from e
    except TooManyFailuresError as e:
        text = "".join(traceback.format_exception(e))
    assert cause_of(text) == cause_of(RuntimeError(text)) == REASON

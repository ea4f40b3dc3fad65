"""What a process imports for good, and Beam without what no job needs of it."""

from __future__ import annotations

import base64
import bz2
import functools
import gc
import subprocess
import sys

import pytest

from chimera_nb.local.demo.files import market_of_size
from pipeline.beam_work import pickles_as_they_are
from pipeline.imports import LEFT_OUT_OF_BEAM, import_beam, import_for_good
from pipeline.ledger import FileRecord

_PROGRAM = f"""
import sys
from pipeline.imports import import_beam
import_beam()
import apache_beam
print([name for name in {LEFT_OUT_OF_BEAM!r} if name in sys.modules])
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
with apache_beam.Pipeline(runner=FnApiRunner()) as root:
    root | apache_beam.Create([1, 2]) | apache_beam.Map(lambda n: n + 1) | apache_beam.Map(print)
"""
_AFTERWARDS = "".join(f"import {name}\n" for name in LEFT_OUT_OF_BEAM)


def test_a_graph_runs_without_what_is_left_out_and_a_plugin_finds_all_of_it_afterwards():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM + _AFTERWARDS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split("\n", 1)[0], done.stderr, done.returncode) == ("[]", "", 0)
    assert sorted(done.stdout.split()[1:]) == ["2", "3"]


def test_beam_looks_at_a_function_once_and_finds_what_it_did(monkeypatch):
    import_beam()
    from apache_beam.transforms import core

    class Doubled(core.DoFn):
        def process(self, element, times=2, *, unit="bytes"):
            yield element * times, unit

    remembered, look = core.get_function_args_defaults, core.get_function_args_defaults.__wrapped__
    for called in (
        Doubled().process,
        Doubled.process,
        lambda a, b=[]: a,
        functools.partial(len),
        str.strip,
        Doubled,
    ):
        assert remembered(called) == remembered(called) == look(called)
    names, defaults = remembered(Doubled().process)
    names.clear(), defaults.clear()  # whoever asked may change what it was given
    assert remembered(Doubled().process) == (["element", "times"], [2])
    with monkeypatch.context() as patch:
        patch.setattr("inspect.signature", None)
        assert core.get_function_arguments(Doubled(), "process") == (["element", "times"], [2])
    import_beam()
    assert core.get_function_args_defaults is remembered

    class Both(core.DoFn):
        def process(self, element):
            if element:
                return [element]
            yield element

    assert core._check_fn_use_yield_and_return(Both().process) is True
    with monkeypatch.context() as patch:
        patch.setattr("inspect.getsourcelines", None)
        assert core._check_fn_use_yield_and_return(Both().process) is True


def test_beam_looks_once_at_the_state_that_a_kind_of_dofn_keeps(monkeypatch):
    import_beam()
    from apache_beam.coders import VarIntCoder
    from apache_beam.transforms import core, userstate

    count = userstate.ReadModifyWriteStateSpec("count", VarIntCoder())

    class Counting(core.DoFn):
        def process(self, element, state=core.DoFn.StateParam(count)):  # noqa: B008
            yield element, state

    class Plain(core.DoFn):
        def process(self, element):
            yield element

    assert userstate.get_dofn_specs(Counting()) == ({count}, set())
    assert userstate.get_dofn_specs(Plain()) == (set(), set())
    borrowed = Plain()
    borrowed.process = Counting().process
    assert userstate.get_dofn_specs(borrowed) == ({count}, set())
    userstate.get_dofn_specs(Counting())[0].clear()
    with monkeypatch.context() as patch:
        patch.setattr("apache_beam.runners.common.MethodWrapper", None)
        assert userstate.is_stateful_dofn(Counting())


def test_a_job_of_lines_loads_no_arrow_and_one_of_a_view_no_pandas(tmp_path):
    (tmp_path / "lines.json").write_text('{"a": 1}\n')
    (tmp_path / "market.bz2").write_bytes(bz2.compress(market_of_size(7, 100_000, plan="BASIC")))
    code = (
        "import sys\n"
        "from pipeline.__main__ import main\n"
        "loaded = lambda: [name for name in ('pyarrow', 'xlsxwriter', 'IPython', 'pandas') if name in sys.modules]\n"
        "assert main(['--input', 'lines.json', '--target', 'lines']) == 0\n"
        "print(loaded(), file=sys.stderr)\n"
        "betfair = ['--source', 'betfair', '--view', 'runners']\n"
        "assert main(['--input', 'market.bz2', '--target', 'rows', *betfair]) == 0\n"
        "print(loaded(), file=sys.stderr)\n"
        "import pyarrow\n"
        "print(len(pyarrow.array([1.5, None]).to_pandas()), file=sys.stderr)\n"
        "assert pyarrow.array(sys.modules['pandas'].Series([1.5, None])).null_count == 1\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]\n['pyarrow']\n2\n")


def test_the_collector_works_again_after_an_import_that_fails(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text(
        "import gc\nassert not gc.isenabled()\nraise OSError('broken')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OSError, match="broken"):
        import_for_good("broken_module")
    assert gc.isenabled()
    gc.unfreeze()


def test_what_is_imported_already_costs_nothing():
    before = gc.get_freeze_count()
    import_for_good("json", "pipeline.imports")
    assert gc.get_freeze_count() == before


def test_a_graph_of_this_process_is_pickled_without_compression_and_one_of_another_is_not():
    import_beam()
    from apache_beam.internal import pickler

    compressed = pickler.dumps([1, 2])
    with pickles_as_they_are():
        plain = pickler.dumps([1, 2])
        assert pickler.loads(plain) == pickler.loads(compressed) == [1, 2]
    assert pickler.dumps([1, 2]) == compressed
    assert base64.b64decode(plain) == bz2.decompress(base64.b64decode(compressed))
    assert pickler.loads(plain) == [1, 2]


def test_what_beam_keeps_weighs_what_it_does_without_the_modules():
    import_beam()
    import objsize
    from apache_beam.runners.worker import statecache

    for kept in (
        [b"x" * 1000, {"a": [1.5, "b"]}],
        FileRecord("gs://b/x", "complete"),
        [print, statecache],
        None,
    ):
        beams_own = objsize.get_deep_size(
            kept,
            get_size_func=statecache._size_func,
            get_referents_func=statecache._get_referents_func,
            filter_func=statecache._filter_func,
        )
        assert statecache.get_deep_size(kept) == beams_own

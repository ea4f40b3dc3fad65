"""Why a file cannot be used: the error itself says whether its reason is of the file or of its data."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

from pipeline.errors import BadFileError, CutOffError

ROOT = Path(__file__).parents[2]


def raised():
    """Each BadFileError that the code makes of a text: where, what the text begins with, whether it is of the file."""
    for path in sorted([*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("chimera_nb/**/*.py")]):
        module = ast.parse(path.read_text("utf-8"))
        named = {
            name.id: node.value
            for node in module.body
            if isinstance(node, ast.Assign)
            for name in node.targets
            if isinstance(name, ast.Name)
        }
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"BadFileError", "CutOffError"}:
                text = node.args[0]
                text = named.get(text.id, text) if isinstance(text, ast.Name) else text
                begin = text.values[0] if isinstance(text, ast.JoinedStr) else text
                if not isinstance(begin, ast.Constant | ast.FormattedValue):
                    continue  # of another's making
                of_the_file = any(word.arg == "of_the_file" for word in node.keywords)
                yield f"{path.name}:{node.lineno}", str(getattr(begin, "value", "")), of_the_file


def test_a_reason_that_is_of_the_file_says_so():
    found = list(raised())
    assert len(found) > 20
    assert [at for at, text, of_the_file in found if text.startswith(("is ", "holds ")) != of_the_file] == []


def test_a_reason_is_a_sentence_by_itself_and_comes_whole_from_another_process():
    empty = pickle.loads(pickle.dumps(BadFileError("is empty", of_the_file=True)))
    assert (str(empty), empty.sentence) == ("is empty", "This file is empty.")
    cut = pickle.loads(pickle.dumps(CutOffError("the bz2 data is cut off")))
    assert (type(cut), cut.sentence) == (CutOffError, "This file cannot be used: the bz2 data is cut off.")

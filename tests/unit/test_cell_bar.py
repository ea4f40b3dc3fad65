"""The bar under a cell: how full it is, what it says, and that it goes."""

from __future__ import annotations

import ipywidgets
import pytest

from chimera_nb.machine.kernel import cell_bar


@pytest.fixture
def shown(monkeypatch):
    """What was displayed."""
    boxes = []
    monkeypatch.setattr("IPython.display.display", boxes.append)
    return boxes


def test_a_bar_shows_the_share_and_the_words_and_goes_at_the_end_and_after_an_error(shown):
    with cell_bar() as show:
        (box,) = shown
        bar, text = box.children
        assert (type(bar), bar.value) == (ipywidgets.FloatProgress, 0.0)
        show(0, 0, "listing")
        assert (bar.value, text.value) == (0.0, "listing")
        show(3, 4, "3 of 4")
        assert (bar.value, text.value) == (0.75, "3 of 4")
    assert bar.comm is None
    with pytest.raises(OSError, match="gone"), cell_bar():
        raise OSError("gone")
    assert shown[1].comm is None

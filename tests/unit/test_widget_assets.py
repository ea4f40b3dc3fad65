"""Style sheets of several widgets are on one page: each keeps to its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "chimera_nb" / "widgets" / "static"
OWN = {
    "base": r"\.chimera$|:where\(\.chimera\)",
    "browser": r"\.ch-browser |\.chimera\.ch-browser|\.chimera \.ch-total",
    "chart": r"\.chimera \.ch-chart",
    "form": r"\.ch-form ",
    "form_plan": r"\.ch-form ",
    "history": r"\.ch-history|\.chimera \.ch-history",
    "joblog": r"\.ch-monitor ",
    "list": r"\.ch-browser ",
    "monitor": r"\.ch-monitor ",
    "preview": r"\.ch-preview|\.chimera \.ch-preview",
    "result": r"\.ch-monitor |\.ch-result",
    "standing": r"\.ch-monitor[ :\[]",
    "steps": r"\.ch-steps|\.chimera\.ch-steps|\.ch-dashboard",
}


def selectors(text):
    """Every selector of a style sheet, without those of keyframes."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    for found in re.findall(r"([^{};]+)\{", text):
        if not found.strip().startswith("@"):
            yield from (part.strip() for part in re.split(r",(?![^(]*\))", found))


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.stem)
def test_a_widgets_style_touches_nothing_of_another(path):
    strange = [each for each in selectors(path.read_text()) if not re.match(OWN[path.stem], each)]
    assert strange == []


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.stem)
def test_no_front_end_makes_html_or_code_of_text(path):
    text = path.read_text()
    found = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|https?://(?!www\.w3\.org)",
        text,
    )
    assert found == []
    assert len(text.splitlines()) <= 300

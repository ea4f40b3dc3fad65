"""Style sheets of several widgets are on one page: each keeps to its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WIDGETS = Path(__file__).parents[2] / "chimera_nb" / "widgets"
OWN = {
    "base/style.css": r"(:where\(.*\) )?\.chimera$|:where\(\.chimera\)",
    "base/pieces.css": r":where\(\.chimera\)",
    "browser/style.css": r"\.ch-browser |\.chimera\.ch-browser|\.chimera \.ch-total",
    "browser/head.css": r"\.ch-browser ",
    "browser/tray.css": r"\.ch-browser |\.chimera \.ch-total",
    "base/chart.css": r"\.chimera \.ch-chart",
    "job_form/style.css": r"\.ch-form ",
    "job_form/plan.css": r"\.ch-form ",
    "job_history/list.css": r"\.ch-history|\.chimera \.ch-history",
    "job_history/style.css": r"\.ch-history|\.chimera \.ch-history",
    "job_monitor/log.css": r"\.ch-monitor ",
    "browser/content.css": r"\.ch-browser ",
    "browser/list.css": r"\.ch-browser ",
    "job_monitor/style.css": r"\.ch-monitor ",
    "market_plot/style.css": r"\.chimera[ .]+ch-market",
    "preview/style.css": r"\.ch-preview|\.chimera \.ch-preview",
    "job_monitor/result.css": r"\.ch-monitor |\.ch-result",
    "job_monitor/numbers.css": r"\.ch-monitor[ :\[]",
    "table/table.css": r":where\(\.chimera\) (?::is\(|\[aria-sort)?"
    r"(?:\.ch-(?:datatable|table|sort|menu|step|warn|zone|arrow|dim|right)|=)",
    "job_monitor/time_spent.css": r"\.ch-monitor ",
    "dashboard/header.css": r"\.ch-steps|\.chimera\.ch-steps|\.ch-dashboard",
    "dashboard/parts.css": r"\.ch-dashboard",
    "dashboard/bar.css": r"\.ch-steps|\.ch-dashboard",
}


PAGE = WIDGETS.parents[1] / "dashboards" / "templates" / "chimera" / "static"
STYLES, SCRIPTS = sorted(WIDGETS.glob("*/*.css")), sorted([*WIDGETS.glob("*/*.js"), *PAGE.glob("*.js")])


def name_of(path):
    return f"{path.parent.name}/{path.name}"


def selectors(text):
    """Every selector of a style sheet, without those of keyframes."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    for found in re.findall(r"([^{};]+)\{", text):
        if not found.strip().startswith("@"):
            yield from (part.strip() for part in re.split(r",(?![^(]*\))", found))


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_widgets_style_touches_nothing_of_another(path):
    strange = [each for each in selectors(path.read_text()) if not re.match(OWN[name_of(path)], each)]
    assert strange == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_no_front_end_makes_html_or_code_of_text(path):
    text = path.read_text()
    found = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|https?://(?!www\.w3\.org)",
        text,
    )
    assert found == []
    assert len(text.splitlines()) <= 300

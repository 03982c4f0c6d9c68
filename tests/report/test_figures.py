"""Figures say what the record says."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from accordeur.report.data import Entry, entries_of
from accordeur.report.figures.axes import Linear, Log, score_range
from accordeur.report.figures.break_even import break_even_figure
from accordeur.report.figures.confusion import confusion_panels, matrix
from accordeur.report.figures.curve import curve_figure
from accordeur.report.figures.intervals import intervals_figure
from accordeur.report.figures.marks import NARROW, place_labels
from accordeur.report.figures.pareto import pareto_figure, pareto_front

from .conftest import Reports


@pytest.fixture
def entries(reports: Reports) -> tuple[Entry, ...]:
    return entries_of(reports.run("labels").record)


def test_a_linear_scale_has_round_ticks_inside_it() -> None:
    assert [round(tick, 6) for tick in Linear(0.0, 1.0, 0, 100).ticks(5)] == [
        0.0, 0.2, 0.4, 0.6, 0.8, 1.0,
    ]  # fmt: skip


@pytest.mark.parametrize(("low", "high"), [(1e-9, 1.0), (0.9, 1.3), (3.0, 700.0), (1e-12, 1e9)])
def test_a_logarithmic_scale_has_ticks_inside_it(low: float, high: float) -> None:
    scale = Log(low, high, 0, 100)
    ticks = scale.ticks(6)
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    assert len(ticks) <= 9
    middle = scale(math.sqrt(low * high))
    assert middle == pytest.approx(50)


def test_a_cost_of_zero_stands_at_the_edge_of_a_logarithmic_scale() -> None:
    assert Log(1e-3, 1.0, 10, 100)(0.0) == 10


@pytest.mark.parametrize("values", [[0.5], [0.0, 1.0], [0.41, 0.44], [-0.2, 3.4]])
def test_the_range_of_scores_holds_them(values: list[float]) -> None:
    low, high = score_range(values)
    assert low <= min(values) <= max(values) <= high
    assert low < high


def test_the_front_holds_what_nothing_beats() -> None:
    places = [(1.0, 0.5), (2.0, 0.4), (3.0, 0.7), (3.0, 0.6), (9.0, 0.7)]
    assert pareto_front(places) == [(1.0, 0.5), (3.0, 0.7)]


def test_labels_never_overlap() -> None:
    points = [(50.0 + 3 * place, 50.0, f"a name {place}") for place in range(9)]
    assert len(place_labels(points, 0, 300, 0, 100)) < len(points)


def test_every_figure_names_its_entries_for_those_who_do_not_see_it(
    entries: tuple[Entry, ...],
) -> None:
    for figure in (
        intervals_figure(entries, "accuracy"),
        pareto_figure(entries, "accuracy", "USD", 50_000, 0.01),
        break_even_figure(entries, [], "USD", 50_000),
    ):
        assert figure is not None
        title = re.search(r"<title>(.*?)</title>", figure)
        assert title
        assert all(entry.name in title[1] for entry in entries)


def test_figures_keep_to_the_width_they_are_given(entries: tuple[Entry, ...]) -> None:
    figure = intervals_figure(entries, "accuracy")
    assert figure is not None
    assert f'width="{NARROW}"' in figure
    for x in re.findall(r' (?:x|x1|x2|cx)="(-?[\d.]+)"', figure):
        assert -1 <= float(x) <= 961


def test_break_even_repeats_the_record(entries: tuple[Entry, ...]) -> None:
    pick = next(entry.name for entry in entries if entry.pick)
    a, b, c, d = [entry.name for entry in entries if not entry.pick][:4]
    pairs: list[dict[str, Any]] = [
        {"a": pick, "b": a, "queries": 1234.2},
        {"a": b, "b": pick, "queries": 900.9},
        {"a": pick, "b": c, "queries": "always"},
        {"a": pick, "b": d, "queries": "never"},
        {"a": d, "b": pick, "queries": "always"},
    ]
    figure = break_even_figure(entries, pairs, "USD", 50_000)
    assert figure is not None
    for said in ("from 1,235 queries", "up to 900 queries", "always", "never"):
        assert f"<td>{said}</td>" in figure


def test_a_confusion_matrix_draws_each_count_once() -> None:
    drawn = matrix({"labels": ["a", "b"], "matrix": [[7, 3], [0, 11]], "other": [0, 2]}, "x")
    assert re.findall(r'class="count[^>]*>(\d+)<', drawn) == ["7", "3", "11", "2"]
    assert "(no label)" in drawn
    assert "a said as b: 3" in drawn


def test_77_labels_draw_only_what_is_not_zero() -> None:
    labels = [f"label {place}" for place in range(77)]
    counts = [[int(row == column) for column in range(77)] for row in range(77)]
    drawn = matrix({"labels": labels, "matrix": counts, "other": [0] * 77}, "x")
    assert drawn.count("<rect") == 78
    assert len(drawn) < 60_000


def test_figures_without_data_are_left_out() -> None:
    entry = Entry(1, {"name": "a", "status": "failed", "kind": "lever"}, False)
    assert intervals_figure([entry], "accuracy") is None
    assert pareto_figure([entry], "accuracy", "USD", 1, 0.01) is None
    assert break_even_figure([entry], [], "USD", 1) is None
    assert confusion_panels([entry]) is None
    assert curve_figure([{"k": 0, "score": 0.5}], "accuracy") is None


def test_free_candidates_can_be_drawn() -> None:
    cost = {"make": 0.0, "use": 0.0, "total": 0.0}
    data = {"name": "a", "status": "finished", "kind": "floor", "cost": cost, "est": 0.5}
    entry = Entry(1, data, True)
    assert pareto_figure([entry], "accuracy", "USD", 1, 0.01) is not None
    assert break_even_figure([entry], [], "USD", 1) is not None

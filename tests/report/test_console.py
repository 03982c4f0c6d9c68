"""What the terminal shows, at 80 and 120 columns."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from accordeur.report.console import (
    compare,
    comparison_table,
    forgetting_table,
    preflight_table,
    runs_table,
    verdict_panel,
)
from accordeur.store import RunInfo

from .conftest import HOSTILE, RUNS, Reports


def shown(renderable: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    """What a terminal of this width receives."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="auto",
        legacy_windows=False,
    )
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def everything(reports: Reports, name: str, width: int) -> list[RenderableType]:
    record = reports.run(name).record
    forgotten = forgetting_table(record)
    return [
        *([forgotten] if forgotten is not None else []),
        verdict_panel(record),
        comparison_table(record, width=width),
        preflight_table(record["preflight"]),
        compare(record, reports.run("unconfirmed").record),
    ]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", RUNS)
def test_everything_fits_the_terminal(name: str, width: int, reports: Reports) -> None:
    for renderable in everything(reports, name, width):
        text = shown(renderable, width)
        assert text.strip()
        assert max(cell_len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("name", ["hostile", "hostile text"])
def test_no_text_drives_the_terminal(name: str, reports: Reports) -> None:
    for renderable in everything(reports, name, 80):
        text = shown(renderable)
        for character in "\x1b\x07\x9b\u202e\u2028":
            assert character not in text
    coloured = shown(verdict_panel(reports.run(name).record), colour=True)
    assert "\x1b]0;" not in coloured
    assert "\x1b[31m" not in coloured


def test_markup_in_data_is_shown_as_it_stands(reports: Reports) -> None:
    text = shown(verdict_panel(reports.run("hostile").record), 2000)
    assert "[red]bold[/red]" in text
    assert "<|im_end|>" in text


def test_names_are_whole_at_80_columns(reports: Reports) -> None:
    text = shown(comparison_table(reports.run("labels").record, width=80))
    for name in ("floor:embedding-logistic", "few-shot+calibration", "floor:majority"):
        assert name in text
    assert "◆" in text
    assert "Alone" not in text


def test_wider_terminals_show_more(reports: Reports) -> None:
    text = shown(comparison_table(reports.run("labels").record, width=120), 120)
    for heading in ("Per query", "Alone", "Not ok"):
        assert heading in text


def test_what_was_forgotten_stands_on_a_few_lines(reports: Reports) -> None:
    found = forgetting_table(reports.run("labels").record)
    assert found is not None
    text = " ".join(shown(found).split())
    for said in (
        "42.7 → 51.3",
        "×1.20 [1.14, 1.26]",
        "22.5 → 15.0",
        "base again",
        "26 passages of general text (2,517 tokens) and 40 rows of the example task finance",
        "Not measured: calibration, few-shot, few-shot+calibration: the time budget was spent.",
    ):
        assert said in text, said
    assert forgetting_table(reports.run("unconfirmed").record) is None
    assert forgetting_table({}) is None


def test_a_failed_run_says_why(reports: Reports) -> None:
    text = " ".join(shown(comparison_table(reports.run("failed").record)).split())
    assert "stopped: The model local/smollm2 could not" in text


def test_preflight_shows_a_sign_and_a_few_ids(reports: Reports) -> None:
    text = shown(preflight_table(reports.run("labels").record["preflight"]))
    assert "! warn" in text
    assert "row-0, row-1, row-2, row-3, row-4 and 4 more" in text


def test_runs_are_listed_with_those_that_run_now() -> None:
    run = RunInfo(
        name="support-0123456789",
        folder=Path(),
        task=HOSTILE,
        plan="0" * 64,
        phase="levers",
        created="2026-11-21T10:00:00+00:00",
        updated="2026-11-21T10:31:02+00:00",
        live=True,
        state={"pick": "few-shot"},
    )
    text = shown(runs_table([run]))
    assert "2026-11-21 10:31" in text
    assert "running now" in text
    assert "\x1b" not in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_two_runs_stand_side_by_side(reports: Reports) -> None:
    text = shown(compare(reports.run("labels").record, reports.run("failed").record), 120)
    assert "Dev A" in text
    assert "Held-out B" in text
    assert "nothing is tested" in text
    assert "few-shot+calibration" in text

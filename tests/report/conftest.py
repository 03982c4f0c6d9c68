"""Reports of fake runs, each written once, and one browser for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accordeur.report import write_report

from .chromium import Chromium, find_chromium
from .fake_run import LABEL_KINDS, FakeRun, Kind, failed_run, text_run, unconfirmed_run

HOSTILE = (
    "<script>window.pwned=1;document.title='pwned'</script>"
    "</script><img src=x onerror=\"window.pwned=2;document.title='pwned'\">"
    "<!--<script><|im_end|>\u202egnp.exe\u202c\u200f\x1b[31m\x1b]0;pwned\x07\x9b2J\u2028'\"`&lt;"
    "[red]bold[/red]"
)
"""What a model or a data file might say."""


def many_labels_run() -> FakeRun:
    """500 held-out rows, 10 entries: what the browser must stay quick with."""
    more = Kind("few-shot:long", "more demonstrations", 0.7, make=0.01, use=5e-6)
    run = FakeRun(kinds=(*LABEL_KINDS, more), dev=120, test=240)
    run.rows_repeated = 500
    return run


RUNS: dict[str, Callable[[], FakeRun]] = {
    "labels": FakeRun,
    "text": text_run,
    "unconfirmed": unconfirmed_run,
    "failed": failed_run,
    "large": many_labels_run,
    "hostile": lambda: FakeRun(plant=HOSTILE, dev=20, test=40),
    "hostile text": lambda: FakeRun(
        task="calls", kind="text", kinds=text_run().kinds, plant=HOSTILE, dev=10, test=12
    ),
}


class Reports:
    """Runs and their reports by name, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs: dict[str, FakeRun] = {}

    def page(self, name: str) -> Path:
        """The report of a run."""
        out = self.folder / f"{name}.html"
        if not out.exists():
            self.runs[name] = RUNS[name]()
            run = self.runs[name].write(self.folder / "runs" / name)
            write_report(run.folder, out)
        return out

    def run(self, name: str) -> FakeRun:
        """The run behind it."""
        self.page(name)
        return self.runs[name]


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    return Reports(tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    path = find_chromium()
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with Chromium(path) as opened:
        yield opened

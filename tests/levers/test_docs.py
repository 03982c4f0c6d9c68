"""The pages of docs/levers say what is true, and their example runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from accordeur.levers import LEVERS

PAGES = Path(__file__).parents[2] / "docs" / "levers"


@pytest.mark.parametrize("name", LEVERS.names())
def test_every_lever_has_a_page_that_names_its_settings_and_its_source(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# `{name}`")
    for heading in ("What it does", "Settings", "Source", "Cost", "When it helps", "When it does"):
        assert f"**{heading}" in page
    for setting in LEVERS.load(name)().settings:
        assert f"`{setting}`" in page
    assert re.search(r"arXiv:\d{4}\.\d{5}", page)
    assert f"({name}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")


def test_the_example_of_a_lever_of_your_own_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {"__name__": "courtesy"}
    for block in blocks:
        exec(compile(block, "docs/levers/README.md", "exec", dont_inherit=True), names)
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target

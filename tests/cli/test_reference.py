"""docs/cli.md says what the program says."""

from __future__ import annotations

from pathlib import Path

from accordeur.cli.main import COMMANDS, children, load
from accordeur.cli.reference import COMMAND, reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), f"run: {COMMAND}"


def test_every_flag_stands_on_the_page() -> None:
    page = reference()
    for path in COMMANDS:
        if not children(path):
            section = page.split(f"## accordeur {path}\n")[1].split("\n## ")[0]
            for parameter in load(path).params:
                if parameter.param_type_name == "option":
                    assert all(f"`{name}" in section for name in parameter.opts)

"""The help is quick, whole, and loads nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from accordeur.cli.main import COMMANDS, children, load

HEAVY = {"numpy", "torch", "transformers", "yaml", "rich", "sqlite3", "httpx", "jinja2"}
TYPER_LOADS = {"pydantic"}
"""To read a flag; only the top help comes before that."""

CHILD = """
import json, sys
from accordeur.cli.main import main
code = main(sys.argv[1:])
sys.stdout.flush()
print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], HEAVY | TYPER_LOADS),
        (["--version"], HEAVY | TYPER_LOADS),
        (["runs", "--help"], HEAVY),
        (["run", "--help"], HEAVY),
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str], heavy: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True
    )
    code, loaded = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    assert heavy.isdisjoint(loaded)


def test_help_comes_at_once() -> None:
    def seconds() -> float:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "accordeur.cli", "--help"], capture_output=True, check=True
        )
        return time.perf_counter() - began

    # The aim is 0.25 s (DESIGN section 10); twice that leaves room for a busy machine.
    assert min(seconds() for _ in range(5)) < 0.5


def test_every_command_stands_in_the_help(say: Callable[..., Any]) -> None:
    said = say("--help")
    assert said.code == 0
    for name in children(""):
        assert f"\n  {name} " in said.out
        assert COMMANDS[name].split(",")[0] in said.out


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_explains_itself(path: str, say: Callable[..., Any]) -> None:
    said = say(*path.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert f"Usage: accordeur {path}" in said.out
    for parameter in load(path).params:
        assert parameter.help, f"{path}: {parameter.name} is not explained"


@pytest.mark.parametrize("path", [path for path in COMMANDS if not children(path)])
def test_the_short_help_begins_like_the_long_one(
    path: str,
) -> None:
    long = (load(path).help or "").split(".")[0].split()[0]
    assert COMMANDS[path].split()[0] == long


def test_a_group_alone_shows_its_commands_and_is_wrong_usage(say: Callable[..., Any]) -> None:
    said = say("runs")
    assert said.code == 2
    assert "compare" in said.err


def test_version(say: Callable[..., Any]) -> None:
    from accordeur import __version__

    assert say("--version").out == f"accordeur {__version__}\n"

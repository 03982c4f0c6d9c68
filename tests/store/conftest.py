"""Real folders, real processes, a small disk."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.measurement import RowResult
from accordeur.core.model import Usage
from accordeur.store import RunFolder

Child = Callable[..., subprocess.Popen[str]]


def make_row(index: int, text: str = "") -> RowResult:
    """The row result that every test and child process would compute for this index."""
    return RowResult(
        row=f"row-{index}",
        group=f"group-{index // 2}",
        answer=Answer(
            text or f"réponse {index} 日本",
            status=Status.OK if index % 5 else Status.PARSE_FAILURE,
            label=f"label-{index % 3}",
            scores=(-0.1 * index, -1 / 3, -2.5e-7),
            usage=Usage(input_tokens=10 + index, output_tokens=1, computed_tokens=3),
            seconds=0.1 + index / 3,
        ),
        score=float(index % 5 > 0),
    )


@pytest.fixture
def row() -> Callable[..., RowResult]:
    """Row results by index."""
    return make_row


@pytest.fixture
def warnings() -> list[str]:
    """What was told to `warn`; pass `warnings.append`."""
    return []


@pytest.fixture
def plan() -> dict[str, Any]:
    return {"task": "a" * 64, "levers": ["as-is"], "seed": 0}


@pytest.fixture
def run(tmp_path: Path, plan: dict[str, Any], warnings: list[str]) -> RunFolder:
    """A fresh run."""
    return RunFolder.create_or_open(tmp_path / "runs", "support", plan, warn=warnings.append)


@pytest.fixture
def child() -> Iterator[Child]:
    """Start Python code in a process of its own: `child(code, *arguments)`."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def together(child: Child) -> Callable[..., list[str]]:
    """Run the same code in several processes that begin at the same moment; what each printed.

    The code begins after its imports, where it says `START`; `sys.argv[-1]` is the process's
    number.
    """

    def run(code: str, count: int, *arguments: object) -> list[str]:
        wait = "print('ready', flush=True); sys.stdin.readline()"
        code = code.replace("START", wait)
        processes = [child(code, *arguments, number) for number in range(count)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        printed = []
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, "")
            printed.append(out)
        return printed

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where this machine lets us mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a size-limited file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=20)

"""Small data files and task folders; each fixture is a function that makes one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

ANSWERS = {"billing": "Why was I charged", "card": "My card is gone", "login": "I cannot log in"}
Row = dict[str, Any]


def make_rows(count: int, prefix: str = "row") -> list[Row]:
    names = list(ANSWERS)
    return [
        {
            "id": f"{prefix}-{number}",
            "input": f"{ANSWERS[names[number % 3]]}, {prefix} {number}",
            "expected": names[number % 3],
        }
        for number in range(count)
    ]


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def rows() -> Callable[..., list[Row]]:
    """`rows(12, "train")`: label rows over three labels, every input different."""
    return make_rows


@pytest.fixture
def data_file(tmp_path: Path) -> Callable[..., Path]:
    """`data_file("x.jsonl", rows)` or `data_file("x.csv", "text")` or bytes."""

    def make(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        else:
            write_lines(path, content)
        return path

    return make


@pytest.fixture
def task_folder(tmp_path: Path) -> Callable[..., Path]:
    """`task_folder("labels: [...]", train=12, dev=rows)`: given splits, sizes or rows."""

    def make(yaml: str = "", **splits: Any) -> Path:
        for name, content in splits.items():
            found = make_rows(content, name) if isinstance(content, int) else content
            write_lines(tmp_path / f"{name}.jsonl", found)
        paths = ", ".join(f"{name}: {name}.jsonl" for name in splits)
        data = f"data: {{{paths}}}\n" if splits else ""
        (tmp_path / "task.yaml").write_text(data + yaml, encoding="utf-8")
        return tmp_path

    return make


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; skips where there is none."""
    default = Path(__file__).parents[2] / ".." / "shared" / "data"
    folder = Path(os.environ.get("ACCORDEUR_DATA") or default).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data sets at {folder} (set ACCORDEUR_DATA)")
    return folder

"""The example tasks of this repository, and the real data sets through a written task.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from accordeur.tasks import load_task, raise_errors, run_checks

EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/*/task.yaml"))

SETS = {
    "banking77": ("metric: accuracy\n", "labels", 77, (5000, 999, 2000)),
    "twitter_fin": ("", "labels", 3, (5000, 998, 2000)),
    "uci_sentences": ("", "labels", 2, (1981, 399, 600)),
    "persona": ("", "labels", 2, (2388, 398, 1200)),
    "svamp": ("metric: numeric\n", "text", 0, (600, 100, 300)),
    "xquad_en": ("fields: {expected: answers}\n", "text", 0, (597, 155, 438)),
    "mts_dialog": ("", "text", 0, (1197, 100, 200)),
    "shakespeare": ("", "text", 0, (5000, 355, 355)),
    "glaive_tools": ("", "text", 0, (76, 25, 52)),
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_task_loads_and_passes_its_checks(path: Path) -> None:
    task = load_task(path.parent)
    assert task.held_out is not None
    assert task.instruction
    raise_errors(run_checks(task))


@pytest.mark.parametrize("name", SETS)
def test_a_real_data_set_loads_through_a_written_task(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    yaml, kind, labels, sizes = SETS[name]
    folder = real_data / name
    paths = ", ".join(f"{split}: {folder / split}.jsonl" for split in ("train", "dev", "test"))
    (tmp_path / "task.yaml").write_text(f"name: {name}\ndata: {{{paths}}}\n{yaml}")
    task = load_task(tmp_path)
    assert (task.kind, len(task.labels)) == (kind, labels)
    assert task.held_out is not None
    assert (len(task.train), len(task.dev), task.held_out.count) == sizes
    checks = {check.name: check for check in run_checks(task)}
    assert checks["counts"].level == "ok"
    assert checks["empty inputs"].level == "ok"

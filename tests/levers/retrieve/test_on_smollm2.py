"""From the command line to the ladder, on the embedded models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accordeur.core.paths import cache_folder
from accordeur.parts.bundle import load_bundle
from accordeur.testing import toy


@pytest.mark.smollm2
@pytest.mark.timeout(900)  # a minute on one quiet core
def test_a_run_over_documents_shows_the_ladder_and_leaves_a_bundle_that_answers(
    tmp_path: Path,
) -> None:
    from accordeur.models import catalog

    catalog.ready(catalog.SMOLLM2)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "models").symlink_to(cache_folder() / "models", target_is_directory=True)
    task = toy.write_document_task(tmp_path / "notes")
    words = (task / "task.yaml").read_text().replace("exact-match", "token-f1")
    (task / "task.yaml").write_text(words.replace(", test: test.jsonl", ""))  # for speed
    folders = {"ACCORDEUR_CACHE": str(cache), "ACCORDEUR_RUNS": str(tmp_path / "runs")}
    named = ("k=1", "modes=lexical", "weights=0.5", "abstain=false")
    settings = [word for one in named for word in ("--set", f"retrieve.{one}")]
    command = ["accordeur.cli", "run", str(task), "--levers", "retrieve", *settings]
    done = subprocess.run(
        [sys.executable, "-m", *command, "--limit", "10"],
        env={**os.environ, **folders, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Why retrieval helps, or not" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if "─" in line)
    (run,) = (tmp_path / "runs").glob("toy-notes-*")
    record = json.loads((run / "record.json").read_text())
    scores = {one["name"]: one["score"] for one in record["ladder"]["rungs"]}
    # Nobody knows who called about what; from a note that says it a small model reads some of it.
    assert scores["gold passage"] > scores["closed book"] + 0.05
    assert len(scores) == 5
    assert "gold passage − closed book" in (run / "report.html").read_text()
    entry = next(one for one in record["entries"] if one["name"] == "retrieve")
    assert "[1] ms-quinn.md" in entry["prompt"]
    made = load_bundle(run / "candidates" / entry["configuration_id"])
    assert "1 passage of 26 by lexical" in made.candidate.describe()

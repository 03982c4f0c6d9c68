"""A run on our own server finds what a run in the process finds.

Deterministic float32 on both sides. Texts are the same to the letter. Scores of labels are the sums
of the same log-probabilities computed in another order, so they agree to rounding (DESIGN P9, D3).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import accordeur
from accordeur.bench.finished import Run
from accordeur.core.measurement import RowResult
from accordeur.models.source import Models
from accordeur.serve.app import make_app
from accordeur.serve.engine import Engine
from accordeur.serve.model import ServedModels
from accordeur.serve.served import Catalog, serve_model
from accordeur.store.run_folder import RunFolder
from accordeur.testing.toy import write_label_task, write_text_task

from .conftest import running


@pytest.fixture(scope="module")
def url(tiny_folder: Path) -> Iterator[str]:
    engine = Engine()
    source = ServedModels(Models(deterministic=True), engine)
    with running(
        make_app(Catalog([serve_model("tiny", str(tiny_folder), source)], {}), engine)
    ) as at:
        yield f"{at}/v1"


def answers(run: Run) -> dict[tuple[str, str, int], RowResult]:
    """What every entry answered to every row, by entry, split and row."""
    folder = RunFolder.open(run.folder)
    record = json.loads((run.folder / "record.json").read_text(encoding="utf-8"))
    return {
        (entry["name"], split, at): row
        for entry in record["entries"]
        if entry.get("configuration_id")
        for split in ("dev", "test")
        for at, row in folder.read_answers(split, entry["configuration_id"]).items()
    }


@pytest.mark.parametrize("kind", ["labels", "texts"])
def test_a_run_over_the_wire_is_the_run_in_the_process(
    kind: str, url: str, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    task = (write_label_task if kind == "labels" else write_text_task)(tmp_path / "task")
    levers = ["few-shot", "calibration"] if kind == "labels" else ["few-shot", "reason"]
    settings: dict[str, Any] = {
        "levers": levers,
        "effort": 2,
        "screening": False,
        "use_cache": False,
    }
    here = accordeur.run(
        task, model=str(tiny_folder), deterministic=True, runs=tmp_path / "here", **settings
    )
    there = accordeur.run(
        task, model="vllm/tiny", base_url=url, runs=tmp_path / "there", **settings
    )
    expected, found = answers(here), answers(there)
    assert expected.keys() == found.keys()
    assert len({name for name, *_ in found} & {"as-is", *levers}) == 3
    for key, row in expected.items():
        mine, theirs = row.answer, found[key].answer
        assert (theirs.text, theirs.status) == (mine.text, mine.status), key
        assert found[key].score == row.score
        if mine.scores is not None:
            assert theirs.scores == pytest.approx(mine.scores, abs=1e-3)


def test_what_is_echoed_depends_on_no_companion_and_no_order(url: str) -> None:
    texts = ["Where is my card?", "Where is my money? Tell me now.", "Where", "Hello"]

    def echoed(*asked: str) -> list[list[float | None]]:
        body = {"model": "tiny", "prompt": list(asked), "echo": True, "logprobs": 1}
        answer = httpx.post(f"{url}/completions", json={**body, "max_tokens": 0}, timeout=60)
        return [one["logprobs"]["token_logprobs"] for one in answer.json()["choices"]]

    together = echoed(*texts)
    assert echoed(*texts[::-1]) == together[::-1]
    assert [echoed(text)[0] for text in texts] == together

"""The ladder in a run: on toy documents, with a model that reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.bench.conftest import Watch
from tests.bench.ladder.conftest import Reader

from accordeur.bench.finished import Run
from accordeur.bench.ladder import climb
from accordeur.bench.run import run
from accordeur.core.budget import Budget
from accordeur.levers.retrieve import Retrieve
from accordeur.store.run_folder import RunFolder
from accordeur.tasks import load_task
from accordeur.testing import ScriptedModel, ScriptedSource, toy
from accordeur.testing.trial import Workshop


def climbed(folder: Path, reader: Reader, **more: Any) -> Run:
    options: dict[str, Any] = {
        "levers": "retrieve",
        "settings": {"retrieve": {"k": (1,), "modes": ("lexical",), "weights": (0.5,)}},
        "use_cache": False,
        "allow_leakage": ("near",),
        "forgetting": "off",
    }
    options["source"] = ScriptedSource(ScriptedModel(answers=reader))
    return run(folder, model="scripted", **{**options, **more})


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return toy.write_document_task(tmp_path / "notes")


def test_every_rung_shows_what_it_says(notes: Path) -> None:
    record = climbed(notes, Reader()).record
    ladder = record["ladder"]
    scores = {one["name"]: one["score"] for one in ladder["rungs"]}
    assert scores == {
        "closed book": 0.0,
        "gold passage": 1.0,
        "best retriever": 1.0,
        "real retriever": 1.0,
        "distractors": 0.0,
    }
    assert list(scores) == list(dict.fromkeys(one["name"] for one in ladder["rungs"]))
    assert (ladder["n"], ladder["unanswerable"], ladder["without_place"]) == (8, 2, 0)
    assert all(one["n"] == 8 and one["interval"] for one in ladder["rungs"])
    assert (ladder["k"], ladder["retriever"]) == (1, "lexical")
    assert (ladder["where_found"]["n"], ladder["where_found"]["difference"]) == (8, 0.0)
    (ceiling, *_) = ladder["gaps"]
    assert ceiling["difference"] == 1.0
    assert ceiling["sentence"].startswith("With the passage that holds the answer the model gains")


def test_the_search_is_measured_by_itself_the_one_in_use_first(notes: Path) -> None:
    table = climbed(notes, Reader()).record["ladder"]["retrieval"]
    assert table[0]["ranking"] == "lexical"
    assert {one["ranking"] for one in table} == {"lexical", "fusion 0.5", "dense", "rrf"}
    assert set(table[0]["measures"]) >= {"span_recall@1", "ndcg@10", "mrr@10"}
    assert table[0]["measures"]["mrr@10"]["value"] == 1.0
    assert table[0]["measures"]["mrr@10"]["n"] == 8


def test_no_rung_takes_part_in_the_decision(notes: Path) -> None:
    done = climbed(notes, Reader())
    ids = {one["configuration_id"] for one in done.record["ladder"]["rungs"]}
    assert ids.isdisjoint(one["configuration_id"] for one in done.record["ledger"])
    assert ids.isdisjoint(path.name for path in (done.folder / "candidates").iterdir())
    entries = {one["name"] for one in done.record["entries"]}
    assert set(done.record["decision"]["estimates"]) <= entries
    assert not entries & {one["name"] for one in done.record["ladder"]["rungs"]}
    assert {path.stem for path in (done.folder / "answers" / "ladder").iterdir()} == ids


def test_without_the_lever_a_usual_retriever_stands_for_it(notes: Path) -> None:
    ladder = climbed(notes, Reader(), levers="as-is").record["ladder"]
    assert (ladder["k"], ladder["retriever"]) == (3, "fusion 0.5")
    assert len(ladder["rungs"]) == 5


class _Interrupting(Watch):
    def log(self, message: str) -> None:
        if message == "ladder: real retriever":
            raise KeyboardInterrupt


def test_what_was_measured_before_an_interruption_is_not_asked_again(notes: Path) -> None:
    reader = Reader()
    source = ScriptedSource(ScriptedModel(answers=reader))
    with pytest.raises(KeyboardInterrupt):
        climbed(notes, reader, source=source, observer=_Interrupting())
    before = reader.calls
    ladder = climbed(notes, reader, source=source).record["ladder"]
    assert ladder["status"] == "measured"
    assert len(ladder["rungs"]) == 5
    assert reader.calls - before == 2 * ladder["n"], "distractors and best retriever were left"


def test_rows_without_places_are_told(notes: Path) -> None:
    place = notes / "task.yaml"
    place.write_text(place.read_text() + "fields: {spans: null}\n")
    ladder = climbed(notes, Reader(), levers="as-is").record["ladder"]
    assert ladder["status"] == "skipped"
    assert "`spans`" in ladder["reason"]
    assert (ladder["n"], ladder["without_place"], ladder["rungs"]) == (0, 8, [])


def test_a_run_without_documents_has_no_ladder(notes: Path) -> None:
    place = notes / "task.yaml"
    place.write_text(place.read_text().replace("documents: documents\n", ""))
    assert climbed(notes, Reader(), levers="as-is").record["ladder"] is None


def test_without_time_it_is_cut_and_says_so(notes: Path, tmp_path: Path) -> None:
    source = ScriptedSource(ScriptedModel(answers=Reader()))
    shop = Workshop(Retrieve(), load_task(notes), source, "scripted", tmp_path / "shop")
    folder = RunFolder.create_or_open(tmp_path / "shop", "late", {})
    bench = replace(shop.bench(folder, 1), budget=Budget(1e-9))
    with folder.lock():
        found = climb(shop.given(), [], bench, print)
    assert found is not None
    assert (found["status"], found["rungs"], found["gaps"]) == ("cut", [], [])
    assert "budget" in found["reason"]
    assert found["retrieval"], "searching alone takes no model"


def test_withholding_stands_beside_the_entry(notes: Path) -> None:
    record = climbed(notes, Reader()).record
    found = next(one for one in record["entries"] if one["name"] == "retrieve")["withholding"]
    assert (found["n"], found["unanswerable"]) == (10, 2)
    assert found["points"][-1][1] == 1.0
    assert found["points"][-1][2] == pytest.approx(0.2)
    best = found["thresholds"][0]
    assert best["coverage"] == pytest.approx(0.8)
    assert best["difference"] == pytest.approx(0.2)
    assert all(one["withholding"] is None for one in record["entries"] if one["name"] != "retrieve")

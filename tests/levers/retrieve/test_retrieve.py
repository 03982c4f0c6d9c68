"""The lever fitted for real on toy documents, with a scripted model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from accordeur.core.errors import PlanError, TaskError
from accordeur.core.model import FloatArray
from accordeur.core.rendering import Rendered
from accordeur.levers.retrieve import Retrieve
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.reranking import Reranking
from accordeur.tasks import load_task
from accordeur.testing import (
    ScriptedEmbedder,
    ScriptedModel,
    ScriptedReranker,
    ScriptedSource,
    toy,
)
from accordeur.testing.trial import Trial, Workshop

NOTE = re.compile(r"(M\w+ \w+) called about (.+?)\. ")


def reader(prompt: Rendered) -> str:
    """Reads what it is shown: the matter of the caller asked for, else that of the first note."""
    text = prompt.messages[-1].text
    notes: dict[str, str] = dict(NOTE.findall(text))
    asked = re.search(r"What did (.+?) call about", text)
    assert asked is not None
    return notes.get(asked[1], next(iter(notes.values()), "no idea"))


def shop(tmp_path: Path, lever: Retrieve, **task: str) -> Workshop:
    folder = toy.write_document_task(tmp_path / "task")
    if task:
        place = folder / "task.yaml"
        lines = "".join(f"{name}: {value}\n" for name, value in task.items())
        place.write_text(place.read_text() + lines)
    source = ScriptedSource(ScriptedModel(answers=reader))
    return Workshop(lever, load_task(folder), source, "scripted", tmp_path / "runs")


def part(found: object) -> Retrieval:
    assert isinstance(found, Retrieval)
    return found


def test_sizes_are_tried_first_then_rankings_with_the_best_size(tmp_path: Path) -> None:
    trial = shop(tmp_path, Retrieve(abstain=False)).fit(effort=6)
    assert trial.evaluated[:3] == ["k=3 fusion 0.5", "k=1 fusion 0.5", "k=5 fusion 0.5"]
    size = trial.evaluated[3].split()[0]
    assert trial.evaluated[3:] == [f"{size} lexical", f"{size} dense", f"{size} fusion 0.25"]


def test_a_reader_of_notes_answers_what_stands_in_them(tmp_path: Path) -> None:
    trial = shop(tmp_path, Retrieve(abstain=False)).fit(effort=4)
    best = max(score or 0 for _, score in trial.ledger)
    assert best == pytest.approx(8 / 10)  # two of ten dev rows have no answer


def test_withholding_is_learned_from_train_rows_without_an_answer(tmp_path: Path) -> None:
    trial = shop(tmp_path, Retrieve()).fit(effort=6)
    silent = [name for name in trial.evaluated if "silent" in name]
    assert silent
    found = part(trial.result.parts["retrieval"])
    assert found.threshold is not None
    assert max(score or 0 for _, score in trial.ledger) == pytest.approx(1.0)


def test_without_such_rows_nothing_is_withheld(tmp_path: Path) -> None:
    bench = shop(tmp_path, Retrieve())
    rows = [row for row in bench.task.train if row.expected]
    trial = bench.fit(train=rows, effort=6)
    assert not any("silent" in name for name in trial.evaluated)


def test_a_template_that_shows_no_context_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="never be seen"):
        shop(tmp_path, Retrieve(), template="'{{ input }}'").fit()


@pytest.mark.parametrize(
    "settings",
    [
        {"k": ()},
        {"k": (0,)},
        {"modes": ("best",)},
        {"weights": (1.5,)},
        {"gold": 2},
        {"tokens": 0},
        {"queries": ("x",)},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(PlanError) as told:
        Retrieve(**settings)  # type: ignore[arg-type]
    assert next(iter(settings)) in told.value.message


CALLER = re.compile(r"What did (.+?) call about")


def finds_the_caller(question: str, text: str) -> float:
    asked = CALLER.search(question)
    return float(asked is not None and asked[1] in text)


class Alike(ScriptedEmbedder):
    """Tells nothing apart, so passages are found in their order."""

    def embed(self, texts: Sequence[str]) -> FloatArray:
        return np.full((len(texts), self.dimension), self.dimension**-0.5, np.float32)


def reranked(tmp_path: Path, reranker: ScriptedReranker) -> Trial:
    folder = toy.write_document_task(tmp_path / "task")
    source = ScriptedSource(ScriptedModel(answers=reader), Alike(), reranker)
    lever = Retrieve(k=(1,), modes=("dense",), weights=(0.5,), abstain=False, reranker="ce")
    return Workshop(lever, load_task(folder), source, "scripted", tmp_path / "runs").fit(effort=3)


def test_a_reranker_is_kept_where_it_scores_best(tmp_path: Path) -> None:
    trial = reranked(tmp_path, ScriptedReranker(finds_the_caller))
    (plain, before), (named, after) = trial.ledger
    assert (plain, named) == ("k=1 dense", "k=1 dense, reranked by scripted-reranker")
    assert after == pytest.approx(8 / 10)
    assert (before or 0.0) < 0.5
    found = part(trial.result.parts["retrieval"])
    assert found.reranking == Reranking("scripted-reranker", "scripted")


def test_a_reranker_that_helps_nothing_is_left_out(tmp_path: Path) -> None:
    trial = reranked(tmp_path, ScriptedReranker(lambda question, text: 0.0))
    assert len(trial.ledger) == 2
    assert part(trial.result.parts["retrieval"]).reranking is None


def writes_queries(prompt: Rendered) -> str:
    text = prompt.messages[-1].text
    return "a heron" if "search quer" in text else reader(prompt)


def test_ways_of_writing_queries_are_tried_and_must_earn_their_keep(tmp_path: Path) -> None:
    folder = toy.write_document_task(tmp_path / "task")
    source = ScriptedSource(ScriptedModel(answers=writes_queries))
    lever = Retrieve(
        k=(1,), modes=("lexical",), weights=(0.5,), abstain=False, queries=("rewrite", "several")
    )
    trial = Workshop(lever, load_task(folder), source, "scripted", tmp_path / "runs").fit(effort=4)
    names = [name for name, _ in trial.ledger]
    assert names == ["k=1 lexical", "k=1 lexical, rewrite", "k=1 lexical, several"]
    scores = [score for _, score in trial.ledger]
    assert scores[1] == 0.0, "a heron is in no note"
    assert part(trial.result.parts["retrieval"]).queries is None


def test_what_was_asked_for_by_name_goes_before_further_rankings_and_thresholds() -> None:
    lever = Retrieve(reranker="ce", queries=("rewrite",))
    for effort in range(1, 12):
        planned = lever.forecast(toy.text_task().brief, 20, effort)
        assert len(planned) <= effort
        written = [one.query_tokens for one in planned if one.query_tokens]
        assert len(written) == (1 if effort >= 4 else 0), "a size, quotes, the reranker"

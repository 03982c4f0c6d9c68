"""The lever fitted for real on toy documents, with a scripted model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accordeur.core.errors import PlanError, TaskError
from accordeur.core.rendering import Rendered
from accordeur.levers.retrieve import Retrieve
from accordeur.parts.retrieval import Retrieval
from accordeur.tasks import load_task
from accordeur.testing import ScriptedModel, ScriptedSource, toy
from accordeur.testing.trial import Workshop

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
    [{"k": ()}, {"k": (0,)}, {"modes": ("best",)}, {"weights": (1.5,)}, {"gold": 2}, {"tokens": 0}],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(PlanError) as told:
        Retrieve(**settings)  # type: ignore[arg-type]
    assert next(iter(settings)) in told.value.message

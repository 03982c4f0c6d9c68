"""A bundle that scores labels, on endpoints that tell no log-probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.errors import EndpointGone, NoLogprobs
from accordeur.core.rendering import Request
from accordeur.core.task import TaskBrief
from accordeur.models.source import Models
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.calibration import Calibration
from accordeur.parts.decoding import Decoding
from accordeur.parts.loaded import load
from accordeur.parts.prompt import Prompt
from accordeur.testing.endpoint import Messages, ScriptedEndpoint


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint(lambda messages: "Billing") as found:
        yield found


def scoring(task: TaskBrief) -> Candidate:
    made = Candidate(task, "openai/scripted").with_part(Prompt("Which?"))
    bias = Calibration("fitted", ("billing", "card_lost"), (0.0, 9.0))
    return made.with_part(Decoding("score")).with_part(bias)


def labels(answerer: Answerer, *rows: str) -> list[str | None]:
    batches = answerer.answer([Request(row) for row in rows])
    return [answer.label for batch in batches for answer in batch.results]


def test_labels_are_read_and_it_is_said_once(server: ScriptedEndpoint, labelled: TaskBrief) -> None:
    told: list[str] = []
    source = Models(base_url=server.base_url)
    found_out = assemble(scoring(labelled), source, unscored=told.append)
    assert not told, "nobody was asked yet"
    assert labels(found_out, "pay", "card") == ["billing", "billing"]
    assert labels(found_out, "pay") == ["billing"]
    known = assemble(scoring(labelled), source, unscored=told.append)
    assert labels(known, "pay") == ["billing"]
    assert len(told) == 2, "once for each"
    assert told[0] == told[1]
    assert "no log-probabilities" in told[0]
    assert "calibration is not used" in told[0]


def test_where_nobody_is_told_it_is_an_error(server: ScriptedEndpoint, labelled: TaskBrief) -> None:
    with pytest.raises(NoLogprobs):
        labels(assemble(scoring(labelled), Models(base_url=server.base_url)), "pay")


def test_an_endpoint_that_scores_is_scored(labelled: TaskBrief) -> None:
    def score(messages: Messages, answer: str) -> float:
        return -1.0 if answer == "Billing" else -3.0

    told: list[str] = []
    with ScriptedEndpoint(score=score) as server:
        asked = assemble(scoring(labelled), Models(base_url=server.base_url), unscored=told.append)
        assert labels(asked, "pay") == ["card_lost"], "its calibration decides"
    assert not told


def test_another_failure_is_no_reason_to_write(
    server: ScriptedEndpoint, labelled: TaskBrief
) -> None:
    told: list[str] = []
    asked = assemble(scoring(labelled), Models(base_url=server.base_url), unscored=told.append)
    server.faults = {"401": 1.0}
    with pytest.raises(EndpointGone, match="key refused"):
        labels(asked, "pay")
    assert not told


def test_a_bundle_that_a_program_loads_warns(
    server: ScriptedEndpoint, labelled: TaskBrief, tmp_path: Path
) -> None:
    folder = save_bundle(Bundle(scoring(labelled)), tmp_path / "bundle")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert load(folder, base_url=server.base_url).answer("pay").label == "billing"
    assert [str(one.message) for one in caught if "log-prob" in str(one.message)]

"""Soft prompts of several seeds, asked in one batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.conftest import TEXTS

import accordeur
from accordeur.bench.memory_cache import MemoryCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError, PlanError
from accordeur.core.model import Model
from accordeur.core.rendering import Request
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import load_bundle
from accordeur.parts.decoding import Decoding
from accordeur.parts.loaded import LoadedBundle
from accordeur.parts.soft_prompt import SoftPrompt, SoftPromptEnsemble, load
from accordeur.testing.toy import write_label_task, write_text_task
from accordeur.training.ground import Ground
from accordeur.training.soft_prompt import PromptTuning

REQUESTS = [Request(text) for text in TEXTS[:5]]


class Only:
    """A source of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def model(self, name: str) -> Model:
        return self._model

    def embedder(self, name: str) -> object:
        raise AssertionError(name)


@pytest.fixture
def members(candidate: Candidate, ground: Ground) -> list[Candidate]:
    recipe = PromptTuning("insert", 3, "random")
    return [recipe.begin(candidate, ground, seed).candidate() for seed in range(3)]


def part(candidate: Candidate) -> SoftPrompt:
    found = candidate.part(SoftPrompt)
    assert found is not None
    return found


def together(members: list[Candidate]) -> Candidate:
    return members[0].with_part(SoftPromptEnsemble(tuple(part(one) for one in members)))


def answers(
    candidate: Candidate,
    model: LocalModel,
    cache: MemoryCache | None = None,
    done: tuple[int, ...] = (),
) -> dict[int, tuple[float, ...]]:
    found = {}
    for batch in assemble(candidate, Only(model), cache=cache).answer(REQUESTS, done=done):  # type: ignore[arg-type]
        for index, answer in zip(batch.indices, batch.results, strict=True):
            assert answer.scores is not None
            assert index not in found
            found[index] = answer.scores
    return found


def test_it_says_the_mixture_of_what_its_members_say(
    members: list[Candidate], tiny: LocalModel
) -> None:
    alone = np.array([[answers(one, tiny)[at] for at in range(5)] for one in members])
    assert np.abs(alone[0] - alone[1]).max() > 0.01
    mixed = answers(together(members), tiny)
    expected = np.log(np.exp(alone).mean(axis=0))
    assert np.allclose([mixed[at] for at in range(5)], expected, atol=1e-4)


def test_what_is_done_or_cached_is_not_asked_again(
    members: list[Candidate], tiny: LocalModel
) -> None:
    whole = answers(together(members), tiny)
    cache = MemoryCache()
    some = answers(together(members), tiny, cache, done=(0, 2, 4))
    assert some.keys() == {1, 3}
    rest = answers(together(members), tiny, cache)
    assert rest == whole


def test_every_member_is_in_pefts_format_and_read_back(members: list[Candidate]) -> None:
    ensemble = together(members).parts["soft_prompt"]
    assert isinstance(ensemble, SoftPromptEnsemble)
    files = dict(ensemble.files())
    for number in range(3):
        alone = part(members[number]).files()
        for name, data in alone.items():
            assert files[name.replace("soft_prompt/", f"soft_prompt/{number}/")] == data
    again = load(files)
    assert isinstance(again, SoftPromptEnsemble)
    assert again.files() == files
    assert again.trained_parameters == 3 * part(members[0]).trained_parameters
    for broken in (
        {**files, "soft_prompt/ensemble.json": b"{"},
        {name: data for name, data in files.items() if not name.startswith("soft_prompt/2/")},
    ):
        with pytest.raises(BundleError, match="cannot be read"):
            load(broken)


def test_it_cannot_write_one_text(members: list[Candidate], tiny: LocalModel) -> None:
    writes = together(members).with_part(Decoding("generate"))
    with pytest.raises(BundleError, match="score labels"):
        assemble(writes, Only(tiny))  # type: ignore[arg-type]


def pull(tiny_folder: Path, home: Path, levers: list[str], effort: int) -> accordeur.Run:
    return accordeur.run(
        write_label_task(home / "task"),
        model=str(tiny_folder),
        levers=levers,
        settings={
            "soft-prompt": {
                "steps": 4,
                "batch_rows": 4,
                "must_improve": False,
                "seeds": 2,
                "mode": "insert",
                "initial": "random",
            }
        },
        effort=effort,
        runs=home / "runs",
        source=Models(dtype="float32"),
    )


def test_seeds_are_trained_apart_and_scored_together(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    run = pull(tiny_folder, tmp_path, ["soft-prompt"], 5)
    ledger = [row["configuration"] for row in run.record["ledger"] if row["entry"] == "soft-prompt"]
    assert ledger == ["step 2", "step 4", "seed 1, step 2", "seed 1, step 4", "2 seeds together"]
    entries = {entry["name"]: entry for entry in run.record["entries"]}
    assert entries["soft-prompt"]["status"] == "finished", entries["soft-prompt"]["reason"]
    [forgotten] = run.record["forgetting"]["entries"]
    assert forgotten["status"] == "measured", forgotten["reason"]
    assert forgotten["off"]["identical"]
    place = run.folder / "candidates" / entries["soft-prompt"]["configuration_id"]
    assert LoadedBundle(load_bundle(place), Models(dtype="float32")).answer("A card?").text


def test_nothing_is_trained_on_top_of_several(
    members: list[Candidate], ground: Ground, tiny: LocalModel
) -> None:
    class Context:
        model = tiny

    with pytest.raises(ModelError, match="several soft prompts at once"):
        Ground.under(together(members), Context())  # type: ignore[arg-type]


def test_texts_refuse_several_seeds_while_planning(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="score labels"):
        accordeur.run(
            write_text_task(tmp_path / "task"),
            model=str(tiny_folder),
            levers=["soft-prompt"],
            settings={"soft-prompt": {"seeds": 2}},
            runs=tmp_path / "runs",
            source=Models(dtype="float32"),
        )

"""Prompt tuning on a tiny model: step 0 is the prompt, and training moves what it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.conftest import INSTRUCTION, TEXTS, rows_of, scores, write

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError, TaskError
from accordeur.core.model import Adaptation
from accordeur.models.local.model import LocalModel
from accordeur.parts.soft_prompt import SoftPrompt, load
from accordeur.training.ground import Ground
from accordeur.training.loop import train
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule
from accordeur.training.soft_prompt import PromptTuning, VirtualTokens, embedding_rms

Learned = tuple[list[tuple[float, Candidate]], list[TrainingRow], VirtualTokens]


def soft(candidate: Candidate) -> SoftPrompt:
    part = candidate.part(SoftPrompt)
    assert part is not None
    return part


def test_step_0_is_the_prompt(candidate: Candidate, ground: Ground, tiny: LocalModel) -> None:
    start = PromptTuning("replace", 64).begin(candidate, ground, 0).candidate()
    assert scores(start, tiny) == pytest.approx(scores(candidate, tiny), abs=1e-4)
    assert soft(start).trained == soft(start).tokens


def test_other_vectors_say_something_else(
    candidate: Candidate, ground: Ground, tiny: LocalModel
) -> None:
    start = PromptTuning("replace", 64).begin(candidate, ground, 0).candidate()
    part = soft(start)
    other = start.with_part(replace(part, vectors=part.vectors + 0.5))
    assert scores(other, tiny) != pytest.approx(scores(candidate, tiny), abs=1e-2)


def test_a_soft_segment_needs_its_vectors(
    candidate: Candidate, ground: Ground, tiny: LocalModel
) -> None:
    from accordeur.core.rendering import Message, Rendered, Segment

    lead = Segment("", "soft", shared=True, soft_tokens=3)
    with pytest.raises(ModelError, match="asks for"):
        list(tiny.score([Rendered((Message("user", (lead, Segment("x", "data"))),))], ["a"]))
    with pytest.raises(ModelError, match="wide"):
        tiny.adapted(Adaptation(np.zeros((3, 7), np.float32)))


@pytest.mark.parametrize("initial", ["labels", "vocabulary", "random", "text"])
def test_new_tokens_start_as_what_was_asked(
    initial: str, candidate: Candidate, ground: Ground
) -> None:
    recipe = PromptTuning("insert", 5, initial, "a few words")  # type: ignore[arg-type]
    first, again = (soft(recipe.begin(candidate, ground, 3).candidate()) for _ in range(2))
    assert first.vectors.shape == (5, 64)
    assert np.array_equal(first.vectors, again.vectors)
    table = ground.loaded.model.get_input_embeddings().weight
    known = {row.tobytes() for row in table.numpy()}
    assert all((row.tobytes() in known) == (initial != "random") for row in first.vectors)
    assert np.sqrt((first.vectors**2).mean()) == pytest.approx(embedding_rms(ground), rel=0.3)


def test_without_words_there_is_nothing_to_start_from(candidate: Candidate, ground: Ground) -> None:
    bare = replace(candidate, task=replace(candidate.task, instruction=""))
    with pytest.raises(TaskError, match="no instruction"):
        PromptTuning("replace", 4).begin(bare, ground, 0)
    with pytest.raises(TaskError, match="no text"):
        PromptTuning("insert", 4, "text").begin(candidate, ground, 0)


def learn(candidate: Candidate, tiny: LocalModel, ground: Ground, seed: int = 0) -> Learned:
    """Twelve steps towards always saying the second label, the first two vectors fixed."""
    count = len(tiny.chat.plain(f"{INSTRUCTION}\n\n"))
    trainee = PromptTuning("replace", count - 2).begin(candidate, ground, 0)
    rows = rows_of(trainee)
    schedule = Schedule(12, 4, 0.3)
    found = train(trainee, rows, schedule, seed=seed, checks=(4, 12))
    return [(loss, trainee.candidate()) for _, loss in found], rows, trainee


def test_training_lowers_the_loss_and_leaves_the_fixed_vectors(
    candidate: Candidate, tiny: LocalModel, ground: Ground
) -> None:
    start = soft(PromptTuning("replace", 64).begin(candidate, ground, 0).candidate()).vectors
    ((early, _), (late, made)), _, _ = learn(candidate, tiny, ground)
    assert late < early - 0.5
    assert np.array_equal(soft(made).vectors[:2], start[:2])
    assert not np.isclose(soft(made).vectors[2:], start[2:]).all(axis=1).any()
    assert scores(made, tiny)[1] > scores(candidate, tiny)[1] + 1.0, "what was trained answers"
    assert all(p.grad is None and not p.requires_grad for p in ground.loaded.model.parameters())


def test_the_same_seed_gives_the_same_vectors(
    candidate: Candidate, tiny: LocalModel, ground: Ground
) -> None:
    state = torch.get_rng_state()
    first, again, other = (learn(candidate, tiny, ground, seed)[0][1][1] for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert torch.equal(torch.get_rng_state(), state), "no other chance is used"


def test_a_rate_that_blows_up_is_said(candidate: Candidate, ground: Ground) -> None:
    trainee = PromptTuning("replace", 64).begin(candidate, ground, 0)
    schedule = Schedule(3, 1, float("inf"))
    with pytest.raises(ModelError, match="broke down at step 1"):
        list(train(trainee, rows_of(trainee), schedule, seed=0, checks=(3,)))


def test_plain_peft_reads_it_and_gives_the_same_scores(
    candidate: Candidate, tiny: LocalModel, ground: Ground, tiny_folder: Path, tmp_path: Path
) -> None:
    import peft
    import transformers

    made, rows, trainee = learn(candidate, tiny, ground)
    part = soft(made[1][1])
    write(part.files(), tmp_path)
    base = transformers.AutoModelForCausalLM.from_pretrained(str(tiny_folder), dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(base, str(tmp_path / "soft_prompt"))
    row = rows[0]
    at = row.prefix.index(trainee.ground.vocabulary)
    rest = (*row.prefix[at + part.tokens :], *row.row, *row.answer[:-1])
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([rest])).logits[0, -len(row.answer) :]
    expected = logits.log_softmax(-1).gather(1, torch.tensor(row.answer)[:, None]).sum()
    read = candidate.with_part(load(part.files()))
    assert scores(read, tiny, TEXTS[0])[1] == pytest.approx(float(expected), abs=1e-3)


def test_a_damaged_part_is_refused() -> None:
    vectors = np.ones((3, 4), np.float32)
    files = dict(SoftPrompt("insert", vectors, vectors[:1], 2, "b", "p", 2, 4).files())
    read = SoftPrompt.from_files(files)
    assert (read.tokens, read.trained_parameters, len(read.header)) == (3, 8, 1)
    assert read.files() == files
    for name in files:
        with pytest.raises(BundleError):
            load({**files, name: b"{}"})
        with pytest.raises(BundleError):
            load({other: data for other, data in files.items() if other != name})

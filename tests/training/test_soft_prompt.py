"""Prompt tuning on a tiny model: step 0 is the prompt, and training moves what it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.core.errors import BundleError, ModelError, TaskError
from accordeur.core.lever import Stopped
from accordeur.core.model import Adaptation
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.local.adapter import Loaded
from accordeur.models.local.model import LocalModel
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule, batches
from accordeur.training.soft_prompt import Tuned, embed, embedding_rms, tune

WORDS = "Which team should answer?\n\n"
LABELS = ["Billing", "Lost card"]


def prompt(lead: Segment, text: str = "Where is my card?") -> Rendered:
    return Rendered((Message("user", (lead, Segment(text, "data", trim=True))),))


def scores(model: LocalModel, rendered: Rendered) -> tuple[float, ...]:
    (batch,) = model.score([rendered], LABELS)
    return batch.results[0].scores


def softened(model: LocalModel, modules: Loaded) -> tuple[LocalModel, Segment]:
    vectors = embed(modules, model.chat.plain(WORDS))
    lead = Segment("", "soft", shared=True, soft_tokens=len(vectors))
    return model.adapted(Adaptation(vectors)), lead


def test_vectors_of_the_words_are_the_words(tiny: LocalModel, modules: Loaded) -> None:
    soft, lead = softened(tiny, modules)
    words = prompt(Segment(WORDS, shared=True))
    assert scores(soft, prompt(lead)) == pytest.approx(scores(tiny, words), abs=1e-4)
    assert "soft tokens" in soft.prompt_text(prompt(lead))
    assert scores(tiny, words) == scores(soft, words), "the base is there as it was"


def test_other_vectors_say_something_else(tiny: LocalModel, modules: Loaded) -> None:
    vectors = embed(modules, tiny.chat.plain(WORDS))
    lead = Segment("", "soft", shared=True, soft_tokens=len(vectors))
    other = tiny.adapted(Adaptation(vectors + 0.5))
    words = scores(tiny, prompt(Segment(WORDS, shared=True)))
    assert scores(other, prompt(lead)) != pytest.approx(words, abs=1e-2)


def test_a_soft_segment_needs_its_vectors(tiny: LocalModel, modules: Loaded) -> None:
    _, lead = softened(tiny, modules)
    with pytest.raises(ModelError, match="asks for"):
        scores(tiny, prompt(lead))
    with pytest.raises(ModelError, match="wide"):
        tiny.adapted(Adaptation(np.zeros((3, 7), np.float32)))


@pytest.fixture(scope="module")
def learned(tiny: LocalModel, modules: Loaded) -> tuple[list[Tuned], list[TrainingRow], Any]:
    """Twelve steps towards always saying the second label."""
    start = embed(modules, tiny.chat.plain(WORDS))
    first = int(modules.model.get_input_embeddings().weight.shape[0])
    virtual = range(first, first + len(start))
    chat = tiny.chat.with_virtual(virtual)
    lead = Segment("", "soft", shared=True, soft_tokens=len(start))
    texts = [f"Question number {i} about a card" for i in range(12)]
    rows = training_rows(chat, [prompt(lead, text) for text in texts], [LABELS[1]] * 12, 1024)
    schedule = Schedule(12, 4, 0.3)

    def run(seed: int = 0) -> list[Tuned]:
        found = tune(
            modules, rows, virtual, start, len(start) - 2, schedule, seed=seed, checks=(4, 12)
        )
        return list(found)

    return run(), rows, run


def test_training_lowers_the_loss_and_leaves_the_fixed_vectors(
    learned: tuple[list[Tuned], list[TrainingRow], Any], tiny: LocalModel, modules: Loaded
) -> None:
    early, late = learned[0]
    assert (early.step, late.step) == (4, 12)
    assert late.loss < early.loss - 0.5
    start = embed(modules, tiny.chat.plain(WORDS))
    assert np.array_equal(late.vectors[:2], start[:2])
    assert not np.isclose(late.vectors[2:], start[2:]).all(axis=1).any()
    lead = Segment("", "soft", shared=True, soft_tokens=len(start))
    before = scores(tiny, prompt(Segment(WORDS, shared=True)))
    after = scores(tiny.adapted(Adaptation(late.vectors)), prompt(lead))
    assert after[1] > before[1] + 1.0, "what was trained is what answers"


def test_the_same_seed_gives_the_same_vectors(
    learned: tuple[list[Tuned], list[TrainingRow], Any],
) -> None:
    again, other = learned[2](), learned[2](seed=1)
    assert np.array_equal(learned[0][1].vectors, again[1].vectors)
    assert not np.array_equal(learned[0][1].vectors, other[1].vectors)


def test_a_rate_that_blows_up_is_said(tiny: LocalModel, modules: Loaded) -> None:
    start = embed(modules, tiny.chat.plain(WORDS))
    first = int(modules.model.get_input_embeddings().weight.shape[0])
    virtual = range(first, first + len(start))
    row = TrainingRow((*virtual, 5), (6, 7), (8, 9))
    schedule = Schedule(3, 1, float("inf"))
    with pytest.raises(ModelError, match="left the numbers at step 1"):
        list(tune(modules, [row], virtual, start, len(start), schedule, seed=0, checks=(3,)))


def test_the_clock_cuts_between_two_steps(tiny: LocalModel, modules: Loaded) -> None:
    start = embed(modules, tiny.chat.plain(WORDS))
    first = int(modules.model.get_input_embeddings().weight.shape[0])
    virtual = range(first, first + len(start))
    row = TrainingRow((*virtual, 5), (6, 7), (8, 9))
    taken: list[int] = []

    def on_step(step: int) -> None:
        taken.append(step)
        if step == 2:
            raise Stopped("no time", cut=True)

    schedule = Schedule(9, 1, 0.01)
    with pytest.raises(Stopped):
        list(
            tune(
                modules,
                [row],
                virtual,
                start,
                len(start),
                schedule,
                seed=0,
                checks=(9,),
                on_step=on_step,
            )
        )
    assert taken == [1, 2]


def test_the_base_is_not_trained(modules: Loaded, learned: Any) -> None:
    assert all(p.grad is None and not p.requires_grad for p in modules.model.parameters())
    assert embedding_rms(modules) == pytest.approx(0.3, rel=0.02)


def test_plain_peft_reads_it_and_gives_the_same_scores(
    learned: tuple[list[Tuned], list[TrainingRow], Any],
    tiny: LocalModel,
    modules: Loaded,
    tiny_folder: Path,
    tmp_path: Path,
) -> None:
    import peft
    import transformers

    row = learned[1][0]
    first = int(modules.model.get_input_embeddings().weight.shape[0])
    vectors = learned[0][1].vectors
    at = row.prefix.index(first)
    part = SoftPrompt(
        "replace", vectors, embed(modules, row.prefix[:at]), len(vectors) - 2, "tiny", "p", 2, 4
    )
    for name, data in part.files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    base = transformers.AutoModelForCausalLM.from_pretrained(str(tiny_folder), dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(base, str(tmp_path / "soft_prompt"))
    rest = (*row.prefix[at + len(vectors) :], *row.row, *row.answer[:-1])
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([rest])).logits[0, -len(row.answer) :]
    expected = logits.log_softmax(-1).gather(1, torch.tensor(row.answer)[:, None]).sum()
    lead = Segment("", "soft", shared=True, soft_tokens=len(vectors))
    read = SoftPrompt.from_files(part.files())
    model = tiny.adapted(Adaptation(read.vectors))
    ours = scores(model, prompt(lead, "Question number 0 about a card"))[1]
    assert ours == pytest.approx(float(expected), abs=1e-3)


def test_a_damaged_part_is_refused() -> None:
    vectors = np.ones((3, 4), np.float32)
    files = dict(SoftPrompt("insert", vectors, vectors[:1], 2, "b", "p", 2, 4).files())
    read = SoftPrompt.from_files(files)
    assert (read.tokens, read.trained_parameters, len(read.header)) == (3, 8, 1)
    assert read.files() == files
    for name in files:
        with pytest.raises(BundleError):
            SoftPrompt.from_files({**files, name: b"{}"})
        with pytest.raises(BundleError):
            SoftPrompt.from_files({other: data for other, data in files.items() if other != name})


def test_rows_without_room_or_answer_are_refused(tiny: LocalModel) -> None:
    words = prompt(Segment(WORDS, shared=True), "a long row " * 40)
    with pytest.raises(TaskError, match="do not fit"):
        training_rows(tiny.chat, [words], ["Billing"], 60)
    with pytest.raises(TaskError, match="empty answer"):
        training_rows(tiny.chat, [words], [""], 1024)
    (row,) = training_rows(tiny.chat, [words], ["Billing"], 1024)
    assert tiny.chat.decode(row.answer, special=True) == "Billing<|im_end|>"


def test_every_pass_shows_every_row_once_and_batches_share_a_prefix() -> None:
    rows = [TrainingRow((i % 2, 7), (i, *range(i % 5)), (1, 2)) for i in range(20)]
    shown = list(batches(rows, Schedule(12, 4, 0.1), seed=3))
    assert len(shown) == 12
    assert all(len({row.prefix for row in batch}) == 1 for batch in shown)
    first = [row for batch in shown[:6] for row in batch]
    assert sorted(first, key=lambda row: row.row) == sorted(rows, key=lambda row: row.row)
    assert shown != list(batches(rows, Schedule(12, 4, 0.1), seed=4))


def test_the_rate_rises_then_falls() -> None:
    schedule = Schedule(20, 4, 1.0, warmup=0.2)
    rates = [schedule.rate(step) for step in range(20)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.1

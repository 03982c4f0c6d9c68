"""LoRA on a tiny model: what is trained is what is stored, what PEFT reads, and what answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from accordeur.core.errors import BundleError, ModelError
from accordeur.core.model import Adaptation
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.local.adapter import Loaded
from accordeur.models.local.model import LocalModel
from accordeur.parts.weights import LoraWeights
from accordeur.training.loop import train
from accordeur.training.lora import inject, linear_names, pairs_of
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule
from accordeur.training.shared_prefix import batch_loss
from accordeur.training.soft_prompt import vectors_of

LABELS = ["Billing", "Lost card"]
SEVEN = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]


def prompt(text: str) -> Rendered:
    lead = Segment("Which team should answer?\n\n", shared=True)
    return Rendered((Message("user", (lead, Segment(text, "data", trim=True))),))


def scores(model: LocalModel, text: str) -> tuple[float, ...]:
    (batch,) = model.score([prompt(text)], LABELS)
    return batch.results[0].scores


@pytest.fixture(scope="module")
def rows(tiny: LocalModel) -> list[TrainingRow]:
    texts = [f"Question number {i} about a card" for i in range(12)]
    return training_rows(tiny.chat, [prompt(text) for text in texts], [LABELS[1]] * 12, 1024)


def trained(
    tiny: LocalModel, rows: list[TrainingRow], *, rank_stable: bool = False
) -> tuple[LoraWeights, list[float], Loaded]:
    loaded = tiny.modules()
    moving = inject(loaded, rank=4, alpha=8.0, rank_stable=rank_stable, seed=5)
    found = train(
        moving,
        lambda batch: batch_loss(loaded, batch, vectors_of(loaded, batch[0].prefix)),
        rows,
        Schedule(12, 4, 0.01),
        seed=0,
        checks=(3, 12),
        on_step=lambda _: None,
    )
    losses = [loss for _, loss in found]
    part = LoraWeights(pairs_of(loaded.model), 4, 8.0, rank_stable, "tiny", "p")
    return part, losses, loaded


@pytest.fixture(scope="module")
def learned(tiny: LocalModel, rows: list[TrainingRow]) -> tuple[LoraWeights, list[float], Loaded]:
    return trained(tiny, rows)


def test_all_linear_layers_but_the_head_are_adapted(
    tiny: LocalModel, learned: tuple[LoraWeights, list[float], Loaded]
) -> None:
    assert linear_names(tiny.modules().model) == SEVEN
    part = learned[0]
    assert len(part.pairs) == 2 * len(SEVEN)
    assert part.trained_parameters == sum(a.size + b.size for a, b in part.pairs.values())
    frozen = [p for n, p in learned[2].model.named_parameters() if "lora_" not in n]
    assert not any(p.requires_grad or p.grad is not None for p in frozen)


@pytest.mark.parametrize("rank_stable", [False, True])
def test_training_lowers_the_loss_and_what_was_trained_answers(
    tiny: LocalModel, rows: list[TrainingRow], rank_stable: bool
) -> None:
    part, losses, loaded = trained(tiny, rows, rank_stable=rank_stable)
    assert losses[1] < losses[0] - 0.5
    model = tiny.adapted(Adaptation(deltas=part.deltas))
    assert scores(model, "A new question")[1] > scores(tiny, "A new question")[1] + 1.0
    row = rows[0]
    with torch.no_grad():
        loss, _ = batch_loss(loaded, [row], vectors_of(loaded, row.prefix))
    text = "Question number 0 about a card"
    assert scores(model, text)[1] == pytest.approx(-float(loss), abs=1e-3)


def test_the_base_stays_as_it_was(
    tiny: LocalModel, learned: tuple[LoraWeights, list[float], Loaded]
) -> None:
    before = scores(tiny, "A question")
    tiny.adapted(Adaptation(deltas=learned[0].deltas))
    assert scores(tiny, "A question") == before


def test_the_same_seed_gives_the_same_weights(
    tiny: LocalModel,
    rows: list[TrainingRow],
    learned: tuple[LoraWeights, list[float], Loaded],
) -> None:
    state = torch.get_rng_state()
    again, _, _ = trained(tiny, rows)
    assert torch.equal(torch.get_rng_state(), state), "the global generator is left alone"
    assert again.files() == learned[0].files()


def test_plain_peft_reads_it_and_gives_the_same_scores(
    tiny: LocalModel,
    tiny_folder: Path,
    rows: list[TrainingRow],
    learned: tuple[LoraWeights, list[float], Loaded],
    tmp_path: Path,
) -> None:
    import peft
    import transformers

    part = LoraWeights.from_files(learned[0].files())
    for name, data in part.files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    base = transformers.AutoModelForCausalLM.from_pretrained(str(tiny_folder), dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(base, str(tmp_path / "adapter"))
    row = rows[0]
    whole = (*row.prefix, *row.row, *row.answer[:-1])
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([whole])).logits[0, -len(row.answer) :]
    expected = logits.log_softmax(-1).gather(1, torch.tensor(row.answer)[:, None]).sum()
    ours = scores(tiny.adapted(Adaptation(deltas=part.deltas)), "Question number 0 about a card")
    assert ours[1] == pytest.approx(float(expected), abs=1e-3)


def test_a_part_for_another_model_is_refused(tiny: LocalModel) -> None:
    a, b = np.ones((2, 64), np.float32), np.ones((64, 2), np.float32)
    with pytest.raises(ModelError, match="no module"):
        tiny.adapted(Adaptation(deltas={"model.layers.9.self_attn.q_proj": (a, b, 1.0)}))
    with pytest.raises(ModelError, match="another shape"):
        tiny.adapted(Adaptation(deltas={"model.layers.0.self_attn.k_proj": (a, b, 1.0)}))


def test_a_damaged_part_is_refused(learned: tuple[LoraWeights, list[float], Loaded]) -> None:
    files = dict(learned[0].files())
    assert LoraWeights.from_files(files).files() == files
    config = files["adapter/adapter_config.json"]
    bad = {
        "adapter/adapter_config.json": config.replace(b'"r": 4', b'"r": 5'),
        "adapter/adapter_model.safetensors": files["adapter/adapter_model.safetensors"][:-9],
        "adapter/training.json": b"[]",
    }
    for name, data in bad.items():
        with pytest.raises(BundleError):
            LoraWeights.from_files({**files, name: data})
    with pytest.raises(BundleError):
        LoraWeights.from_files(
            {**files, "adapter/adapter_config.json": config.replace(b"LORA", b"IA3")}
        )

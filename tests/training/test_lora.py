"""LoRA on a tiny model: what is trained is what is stored, what PEFT reads, and what answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.conftest import TEXTS, Context, rows_of, scores, write

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError
from accordeur.core.model import Adaptation, Delta
from accordeur.models.local.model import LocalModel
from accordeur.parts.weights import LoraWeights, load
from accordeur.training.ground import Ground
from accordeur.training.loop import train
from accordeur.training.lora import LowRank, linear_names
from accordeur.training.schedule import Schedule

SEVEN = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]

KINDS = {
    "LoRA": LowRank(4, 8.0),
    "rank-stable": LowRank(4, 8.0, rank_stable=True),
    "DoRA": LowRank(4, 8.0, dora=True),
}


def learn(
    recipe: LowRank, candidate: Candidate, tiny: LocalModel
) -> tuple[LoraWeights, list[float], Ground]:
    ground = Ground.under(candidate, Context(tiny))  # type: ignore[arg-type]
    trainee = recipe.begin(candidate, ground, 5)
    found = train(trainee, rows_of(trainee), Schedule(12, 4, 0.01), seed=0, checks=(3, 12))
    losses = [loss for _, loss in found]
    part = trainee.candidate().part(LoraWeights)
    assert part is not None
    return part, losses, ground


def test_all_linear_layers_but_the_head_are_adapted(candidate: Candidate, tiny: LocalModel) -> None:
    assert linear_names(tiny.modules().model) == SEVEN
    part, _, ground = learn(KINDS["LoRA"], candidate, tiny)
    assert len(part.pairs) == 2 * len(SEVEN)
    assert part.trained_parameters == sum(a.size + b.size for a, b in part.pairs.values())
    frozen = [p for n, p in ground.loaded.model.named_parameters() if "lora_" not in n]
    assert not any(p.requires_grad or p.grad is not None for p in frozen)


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss_and_what_was_trained_answers(
    kind: str, candidate: Candidate, tiny: LocalModel
) -> None:
    part, losses, ground = learn(KINDS[kind], candidate, tiny)
    assert losses[1] < losses[0] - 0.5
    made = candidate.with_part(part)
    assert scores(made, tiny, "A new one")[1] > scores(candidate, tiny, "A new one")[1] + 1.0
    row = rows_of(KINDS[kind].begin(candidate, Ground.under(candidate, Context(tiny)), 5))[0]  # type: ignore[arg-type]
    with torch.no_grad():
        loss, _ = ground.loss([row])
    assert scores(made, tiny, TEXTS[0])[1] == pytest.approx(-float(loss), abs=1e-3)


def test_the_base_stays_as_it_was(candidate: Candidate, tiny: LocalModel) -> None:
    before = scores(candidate, tiny)
    scores(candidate.with_part(learn(KINDS["DoRA"], candidate, tiny)[0]), tiny)
    assert scores(candidate, tiny) == before


def test_the_same_seed_gives_the_same_weights(candidate: Candidate, tiny: LocalModel) -> None:
    state = torch.get_rng_state()
    first, again = (learn(KINDS["LoRA"], candidate, tiny)[0] for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state), "the global generator is left alone"
    assert again.files() == first.files()


@pytest.mark.parametrize("kind", KINDS)
def test_plain_peft_reads_it_and_gives_the_same_scores(
    kind: str, candidate: Candidate, tiny: LocalModel, tiny_folder: Path, tmp_path: Path
) -> None:
    import peft
    import transformers

    part, _, _ = learn(KINDS[kind], candidate, tiny)
    read = load(part.files())
    place = write(read.files(), tmp_path) / "adapter"
    base = transformers.AutoModelForCausalLM.from_pretrained(str(tiny_folder), dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(base, str(place))
    ground = Ground.under(candidate, Context(tiny))  # type: ignore[arg-type]
    row = rows_of(KINDS[kind].begin(candidate, ground, 5))[0]
    whole = (*row.prefix, *row.row, *row.answer[:-1])
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([whole])).logits[0, -len(row.answer) :]
    expected = logits.log_softmax(-1).gather(1, torch.tensor(row.answer)[:, None]).sum()
    ours = scores(candidate.with_part(read), tiny, TEXTS[0])
    assert ours[1] == pytest.approx(float(expected), abs=1e-3)


def test_a_part_for_another_model_is_refused(tiny: LocalModel) -> None:
    delta = Delta(np.ones((2, 64), np.float32), np.ones((64, 2), np.float32), 1.0)
    with pytest.raises(ModelError, match="no module"):
        tiny.adapted(Adaptation(deltas={"model.layers.9.self_attn.q_proj": delta}))
    with pytest.raises(ModelError, match="another shape"):
        tiny.adapted(Adaptation(deltas={"model.layers.0.self_attn.k_proj": delta}))


@pytest.mark.parametrize("kind", ["LoRA", "DoRA"])
def test_a_damaged_part_is_refused(kind: str, candidate: Candidate, tiny: LocalModel) -> None:
    files = dict(learn(KINDS[kind], candidate, tiny)[0].files())
    assert load(files).files() == files
    config = files["adapter/adapter_config.json"]
    other = b'"use_dora": false' if kind == "DoRA" else b'"use_dora": true'
    changed = [
        {"adapter/adapter_config.json": config.replace(b'"r": 4', b'"r": 5')},
        {"adapter/adapter_config.json": config.replace(b"LORA", b"IA3")},
        {"adapter/adapter_config.json": _with(config, other)},
        {"adapter/adapter_model.safetensors": files["adapter/adapter_model.safetensors"][:-9]},
        {"adapter/training.json": b"[]"},
    ]
    for bad in changed:
        with pytest.raises(BundleError):
            load({**files, **bad})


def _with(config: bytes, line: bytes) -> bytes:
    now = b'"use_dora": true' if b'"use_dora": true' in config else b'"use_dora": false'
    return config.replace(now, line)

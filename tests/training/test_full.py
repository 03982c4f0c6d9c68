"""Full fine-tuning on a tiny model: the stored folder is a model that transformers loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.training.conftest import Context, rows_of, scores, write

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError
from accordeur.core.model import Adaptation
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.parts.weights import FullWeights, load
from accordeur.training.full import AllWeights
from accordeur.training.ground import Ground
from accordeur.training.loop import train
from accordeur.training.schedule import Schedule


def learn(candidate: Candidate, ground: Ground) -> tuple[FullWeights, list[float]]:
    trainee = AllWeights().begin(candidate, ground, 0)
    found = train(trainee, rows_of(trainee), Schedule(12, 4, 0.003), seed=0, checks=(4, 12))
    losses = [loss for _, loss in found]
    part = trainee.candidate().part(FullWeights)
    assert part is not None
    return part, losses


def test_training_lowers_the_loss_and_what_was_trained_answers(
    candidate: Candidate, ground: Ground, tiny: LocalModel
) -> None:
    before = scores(candidate, tiny)
    part, losses = learn(candidate, ground)
    assert losses[1] < losses[0] - 0.5
    assert scores(candidate.with_part(part), tiny)[1] > before[1] + 1.0
    assert scores(candidate, tiny) == before, "the base is there as it was"
    assert part.trained_parameters == sum(p.numel() for p in ground.loaded.model.parameters())


def test_the_gradient_reaches_the_output_layer_as_autograd_says(
    candidate: Candidate, ground: Ground
) -> None:
    trainee = AllWeights().begin(candidate, ground, 0)
    rows = rows_of(trainee)[:3]
    loss, _ = trainee.loss(rows)
    torch.autograd.backward([loss])
    ours = {one.name: one.master.grad for one in trainee.moving}
    model = ground.loaded.model
    model.zero_grad(set_to_none=True)
    total = torch.zeros(())
    for row in rows:
        whole = torch.tensor([[*row.prefix, *row.row, *row.answer[:-1]]])
        logits = model(input_ids=whole).logits[0, -len(row.answer) :]
        target = torch.tensor(row.answer)
        total = total + torch.nn.functional.cross_entropy(logits, target, reduction="sum")
    torch.autograd.backward([total])
    for name, parameter in model.named_parameters():
        mine = ours[name]
        assert mine is not None
        assert parameter.grad is not None
        error = float((mine - parameter.grad).norm() / parameter.grad.norm())
        assert error < 1e-4, name


def test_transformers_loads_the_folder_and_gives_the_same_scores(
    candidate: Candidate, ground: Ground, tiny: LocalModel, tmp_path: Path
) -> None:
    import transformers

    part, _ = learn(candidate, ground)
    read = load(part.files())
    assert read.files() == part.files()
    place = write(part.files(), tmp_path) / "weights"
    theirs = transformers.AutoModelForCausalLM.from_pretrained(str(place), dtype=torch.float32)
    row = rows_of(AllWeights().begin(candidate, ground, 0))[0]
    whole = (*row.prefix, *row.row, *row.answer[:-1])
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([whole])).logits[0, -len(row.answer) :]
    expected = logits.log_softmax(-1).gather(1, torch.tensor(row.answer)[:, None]).sum()
    ours = scores(candidate.with_part(read), tiny)
    assert ours[1] == pytest.approx(float(expected), abs=1e-3)
    alone = Models(dtype="float32").model(str(place))
    assert scores(candidate, alone)[1] == pytest.approx(ours[1], abs=1e-4), "a model of its own"


def test_in_bfloat16_float32_masters_take_steps_too_small_for_it(
    candidate: Candidate, tiny_folder: Path
) -> None:
    model = Models(dtype="bfloat16").model(str(tiny_folder))
    ground = Ground.under(candidate, Context(model))  # type: ignore[arg-type]
    trainee = AllWeights().begin(candidate, ground, 0)
    assert all(one.master.dtype == torch.float32 for one in trainee.moving)
    before = [one.master.clone() for one in trainee.moving]
    list(train(trainee, rows_of(trainee), Schedule(3, 4, 1e-6), seed=0, checks=(3,)))
    moved = [
        float((one.master - old).abs().max())
        for one, old in zip(trainee.moving, before, strict=True)
    ]
    assert all(0 < step < 1e-5 for step in moved)


def test_weights_of_another_model_are_refused(
    candidate: Candidate, ground: Ground, tiny: LocalModel
) -> None:
    from safetensors.torch import save

    with pytest.raises(ModelError, match="on one side only"):
        tiny.adapted(Adaptation(weights=save({"a": torch.zeros(2)})))
    own = {name: torch.zeros(1) for name, _ in ground.loaded.model.named_parameters()}
    with pytest.raises(ModelError, match="another shape"):
        tiny.adapted(Adaptation(weights=save(own)))


def test_a_damaged_part_is_refused(candidate: Candidate, ground: Ground) -> None:
    files = dict(learn(candidate, ground)[0].files())
    for name, data in {
        "weights/model.safetensors": files["weights/model.safetensors"][:-9],
        "weights/training.json": b"[]",
        "weights/config.json": b"{",
    }.items():
        with pytest.raises(BundleError):
            load({**files, name: data})

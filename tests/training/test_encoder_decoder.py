"""Training a T5 model: the loss is transformers' own, and what is stored is what it reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
import transformers
from tests.training.conftest import LABELS, TEXTS, Context, rows_of, scores, write

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.lever import Stopped
from accordeur.core.model import Adaptation, KeyValues
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.parts import soft_prompt, weights
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.parts.weights import FullWeights, LoraWeights
from accordeur.testing import tiny_t5
from accordeur.training import gradient
from accordeur.training.full import AllWeights
from accordeur.training.ground import Ground
from accordeur.training.key_values import PrefixTuning
from accordeur.training.loop import train
from accordeur.training.lora import LowRank, linear_names
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule
from accordeur.training.soft_prompt import PromptTuning
from accordeur.training.targets import targets
from accordeur.training.trainee import Recipe, Trainee


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_t5(tmp_path_factory.mktemp("t5") / "model")


@pytest.fixture(scope="module")
def gated(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kind of T5 1.1 and FLAN: gated, the output layer its own, the states not scaled."""
    place = tmp_path_factory.mktemp("gated")
    known = json.loads((folder / "config.json").read_text())
    known |= {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
    config = transformers.T5Config(**known)
    torch.manual_seed(0)
    model = transformers.AutoModelForSeq2SeqLM.from_config(config)
    with torch.no_grad():
        model.lm_head.weight = torch.nn.Parameter(0.3 * torch.randn_like(model.lm_head.weight))
    model.save_pretrained(place)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (place / name).write_bytes((folder / name).read_bytes())
    (place / "config.json").write_text(json.dumps(known))  # as the hub has it
    return place


@pytest.fixture(scope="module")
def t5(folder: Path) -> LocalModel:
    return Models().local(str(folder))


@pytest.fixture
def ground(candidate: Candidate, t5: LocalModel) -> Ground:
    return Ground.under(candidate, Context(t5))  # type: ignore[arg-type]


def theirs(model: Any, rows: list[TrainingRow], embeds: torch.Tensor | None = None) -> torch.Tensor:
    """Summed loss of every row by itself, by transformers' own `labels`."""
    total = torch.zeros(())
    for row in rows:
        shown = {"input_ids": torch.tensor([row.row])} if embeds is None else {}
        if embeds is not None:
            table = model.get_input_embeddings()
            rest = table(torch.tensor(row.row[len(embeds) :]))
            shown = {"inputs_embeds": torch.cat((embeds, rest))[None]}
        loss = model(**shown, labels=torch.tensor([row.answer])).loss
        total = total + loss * len(row.answer)
    return total


def unlike_rows(count: int = 5) -> list[TrainingRow]:
    """Rows and answers of unlike lengths."""
    draws = torch.Generator().manual_seed(3)

    def tokens(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 120, (length,), generator=draws).tolist())

    return [TrainingRow((), (*tokens(3 + 2 * i), 1), (*tokens(1 + i % 3), 1)) for i in range(count)]


@pytest.mark.parametrize("kind", ["folder", "gated"])
def test_loss_and_every_gradient_are_those_of_transformers(
    kind: str, candidate: Candidate, request: pytest.FixtureRequest
) -> None:
    model = Models().model(str(request.getfixturevalue(kind)))
    ground = Ground.under(candidate, Context(model))  # type: ignore[arg-type]
    trainee = AllWeights().begin(candidate, ground, 0)
    rows = unlike_rows()
    loss, tokens = trainee.loss(rows)
    assert tokens == sum(len(row.answer) for row in rows)
    torch.autograd.backward([loss])
    ours = {one.name: one.master.grad for one in trainee.moving}
    modules = ground.loaded.model
    modules.zero_grad(set_to_none=True)
    expected = theirs(modules, rows)
    torch.autograd.backward([expected])
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for name, parameter in modules.named_parameters():
        mine = ours[name]
        assert mine is not None
        assert parameter.grad is not None
        assert float((mine - parameter.grad).norm() / parameter.grad.norm()) < 1e-4, name


def test_a_batch_in_parts_has_the_same_gradient(
    candidate: Candidate, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainee = AllWeights().begin(candidate, ground, 0)
    rows = unlike_rows()
    losses, gradients = [], []
    for most in (10_000, 1):
        monkeypatch.setitem(gradient.MOST_POSITIONS, "cpu", most)
        losses.append(gradient.backward(trainee, rows))
        gradients.append([one.master.grad for one in trainee.moving])
        for one in trainee.moving:
            one.master.grad = None
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for whole, summed in zip(*gradients, strict=True):
        assert whole is not None
        assert summed is not None
        assert float((summed - whole).norm() / whole.norm()) < 1e-4


def test_the_gradient_of_virtual_tokens_is_that_of_transformers(
    candidate: Candidate, ground: Ground
) -> None:
    trainee = PromptTuning("insert", 3, "random").begin(candidate, ground, 0)
    first = trainee.ground.vocabulary
    rows = [replace(row, row=(first, first + 1, first + 2, *row.row)) for row in unlike_rows()]
    loss, _ = trainee.loss(rows)
    torch.autograd.backward([loss])
    ours = trainee.moving[0].master.grad
    start = trainee.moving[0].master.detach().clone().requires_grad_(True)
    expected = theirs(ground.loaded.model, rows, start)
    torch.autograd.backward([expected])
    assert ours is not None
    assert start.grad is not None
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float((ours - start.grad).norm() / start.grad.norm()) < 1e-5


RECIPES: dict[str, tuple[Recipe, float]] = {
    "replace": (PromptTuning("replace", 64), 0.3),
    "insert": (PromptTuning("insert", 4), 0.3),
    "lora": (LowRank(4, 8.0), 0.01),
    "dora": (LowRank(4, 8.0, dora=True), 0.01),
    "full": (AllWeights(), 0.003),
}


def learn(name: str, candidate: Candidate, ground: Ground) -> tuple[Trainee, list[float]]:
    """Towards always saying the second label."""
    recipe, rate = RECIPES[name]
    trainee = recipe.begin(candidate, ground, 5)
    found = train(trainee, rows_of(trainee), Schedule(12, 4, rate), seed=0, checks=(3, 12))
    return trainee, [loss for _, loss in found]


@pytest.mark.parametrize("name", RECIPES)
def test_training_lowers_the_loss_and_what_was_trained_answers(
    name: str, candidate: Candidate, ground: Ground, t5: LocalModel
) -> None:
    before = scores(candidate, t5, "a new question")
    trainee, losses = learn(name, candidate, ground)
    assert losses[1] < losses[0] - 0.2
    made = trainee.candidate()
    assert scores(made, t5, "a new question")[1] > before[1] + 1.0
    with torch.no_grad():
        loss, _ = trainee.loss(rows_of(trainee)[:1])
    assert scores(made, t5)[1] == pytest.approx(-float(loss), abs=1e-3)
    assert scores(candidate, t5, "a new question") == before, "the base is there as it was"


@pytest.mark.parametrize("name", ["replace", "lora", "dora", "full"])
def test_step_0_is_the_prompt(
    name: str, candidate: Candidate, ground: Ground, t5: LocalModel
) -> None:
    start = RECIPES[name][0].begin(candidate, ground, 0).candidate()
    assert scores(start, t5) == pytest.approx(scores(candidate, t5), abs=1e-4)


def seen_by(model: Any, prompt: tuple[int, ...], t5: LocalModel) -> list[float]:
    """Log-probabilities of both labels by the given modules alone."""
    found = []
    for text in LABELS:
        answer = t5.chat.continuation(text)
        labels = torch.tensor([answer])
        inputs = torch.tensor([[0, *answer[:-1]]])  # PEFT looks for padding in what T5 would shift
        with torch.no_grad():
            shown = torch.tensor([prompt])
            logits = model(input_ids=shown, decoder_input_ids=inputs).logits.float()
        found.append(float(logits.log_softmax(-1).gather(2, labels[..., None]).sum()))
    return found


def base_of(folder: Path) -> Any:
    return transformers.AutoModelForSeq2SeqLM.from_pretrained(str(folder)).eval()


@pytest.mark.parametrize("name", ["lora", "dora"])
def test_plain_peft_reads_an_adapter_and_gives_the_same_scores(
    name: str, candidate: Candidate, ground: Ground, t5: LocalModel, folder: Path, tmp_path: Path
) -> None:
    trainee, _ = learn(name, candidate, ground)
    part = trainee.candidate().part(LoraWeights)
    assert part is not None
    read = weights.load(part.files())
    assert read.files() == part.files()
    assert b"SEQ_2_SEQ_LM" in part.files()["adapter/adapter_config.json"]
    place = write(read.files(), tmp_path) / "adapter"
    model = peft.PeftModel.from_pretrained(base_of(folder), str(place)).eval()
    prompt = rows_of(trainee)[0].row
    ours = scores(candidate.with_part(read), t5, TEXTS[0])
    assert ours == pytest.approx(seen_by(model, prompt, t5), abs=1e-3)


@pytest.mark.parametrize("name", ["replace", "insert"])
def test_plain_peft_reads_a_soft_prompt_and_gives_the_same_scores(
    name: str, candidate: Candidate, ground: Ground, t5: LocalModel, folder: Path, tmp_path: Path
) -> None:
    trainee, _ = learn(name, candidate, ground)
    part = trainee.candidate().part(SoftPrompt)
    assert part is not None
    read = soft_prompt.load(part.files())
    assert read.files() == part.files()
    assert b"SEQ_2_SEQ_LM" in part.files()["soft_prompt/adapter_config.json"]
    place = write(read.files(), tmp_path) / "soft_prompt"
    model = peft.PeftModel.from_pretrained(base_of(folder), str(place)).eval()
    prompt = rows_of(trainee)[0].row
    behind = prompt[prompt.index(trainee.ground.vocabulary) + part.tokens :]
    ours = scores(candidate.with_part(read), t5, TEXTS[0])
    assert ours == pytest.approx(seen_by(model, behind, t5), abs=1e-3)
    assert len(part.header) == (0 if name == "replace" else len(prompt) - len(behind) - 4)


@pytest.mark.parametrize("kind", ["folder", "gated"])
def test_transformers_loads_all_weights_and_gives_the_same_scores(
    kind: str, candidate: Candidate, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = Models().local(str(request.getfixturevalue(kind)))
    ground = Ground.under(candidate, Context(model))  # type: ignore[arg-type]
    trainee, _ = learn("full", candidate, ground)
    part = trainee.candidate().part(FullWeights)
    assert part is not None
    place = write(part.files(), tmp_path) / "weights"
    ours = scores(candidate.with_part(weights.load(part.files())), model)
    prompt = rows_of(trainee)[0].row
    assert ours == pytest.approx(seen_by(base_of(place), prompt, model), abs=1e-3)
    alone = Models().model(str(place))
    assert scores(candidate, alone) == pytest.approx(ours, abs=1e-4), "a model of its own"


def test_weights_under_a_soft_prompt_are_trained_with_it(
    candidate: Candidate, ground: Ground, t5: LocalModel
) -> None:
    soft = learn("insert", candidate, ground)[0].candidate()
    under = Ground.under(soft, Context(t5))  # type: ignore[arg-type]
    trainee, losses = learn("lora", soft, under)
    assert losses[1] < losses[0]
    with torch.no_grad():
        loss, _ = trainee.loss(rows_of(trainee)[:1])
    assert scores(trainee.candidate(), t5)[1] == pytest.approx(-float(loss), abs=1e-3)


def test_all_linear_layers_of_encoder_and_decoder_are_adapted(
    candidate: Candidate, ground: Ground
) -> None:
    assert linear_names(ground.loaded.model) == ["k", "o", "q", "v", "wi", "wo"]
    part = LowRank(2, 4.0).begin(candidate, ground, 0).candidate().part(LoraWeights)
    assert part is not None
    assert len(part.pairs) == 2 * 6 + 2 * 10


def test_what_is_learned_is_the_answer_and_its_end(candidate: Candidate, ground: Ground) -> None:
    trainee = RECIPES["full"][0].begin(candidate, ground, 0)
    facts = targets(trainee.ground.chat, rows_of(trainee))
    assert facts["shown"][0]["trained"] == "Lost card</s>"
    assert facts["shown"][0]["masked"].endswith("card</s>")
    assert facts["prefix_tokens"] == 0


def test_a_prompt_may_fill_the_window_beside_its_answer(t5: LocalModel) -> None:
    from accordeur.core.rendering import Message, Rendered, Segment

    prompt = Rendered((Message("user", (Segment("card " * 511, "data", trim=True),)),))
    (row,) = training_rows(t5.chat, [prompt], ["Billing"], t5.context_window)
    assert len(row.row) == t5.context_window


def test_keys_and_values_are_refused(candidate: Candidate, ground: Ground, t5: LocalModel) -> None:
    with pytest.raises(Stopped, match="encoder reads"):
        PrefixTuning().begin(candidate, ground, 0)
    nothing = np.zeros((2, 4, 1, 16), np.float32)
    with pytest.raises(ModelError, match="both sides"):
        t5.adapted(Adaptation(prefix=KeyValues((3,), nothing, nothing)))

"""Base against adapted on a tiny random model, with adaptations of known effect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from accordeur.bench.memory_cache import MemoryCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.lever import Stopped
from accordeur.core.model import Capability
from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.core.task import Turn
from accordeur.measure.forgetting import (
    Forgetting,
    Materials,
    check_forgetting,
    is_trained,
    materials_for,
)
from accordeur.measure.forgetting.check import ASKED
from accordeur.measure.forgetting.subject import active_subject, base_subject, switching_off
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.parts.answering.prompted_model import PromptedModel
from accordeur.parts.prompt import Prompt
from accordeur.parts.soft_prompt import Mode, SoftPrompt
from accordeur.parts.weights import LoraWeights
from accordeur.testing import ScriptedModel, ScriptedSource, tiny_model, toy

BRIEF = toy.label_task().brief
WHOLE = materials_for(BRIEF)
"""All passages, and the rows of `finance`: the toy task has labels of `support`."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def source() -> Models:
    return Models(dtype="float32")


@pytest.fixture(scope="module")
def tiny(source: Models, folder: Path) -> LocalModel:
    return source.local(str(folder))


@pytest.fixture(scope="module")
def cache() -> MemoryCache:
    """The base model is asked once for all tests."""
    return MemoryCache()


@pytest.fixture(scope="module")
def some() -> Materials:
    """Enough for tests that look at numbers one by one."""
    assert WHOLE.other is not None
    return Materials(WHOLE.passages[:3], None)


def lora(model: LocalModel, size: float, ending: str = "_proj") -> LoraWeights:
    """Random updates of all linear layers of this kind; with size 0 they change nothing."""
    draws = np.random.default_rng(0)
    pairs = {
        name: (
            draws.normal(0, 1, (4, module.in_features)).astype(np.float32),
            draws.normal(0, 1, (module.out_features, 4)).astype(np.float32) * np.float32(size),
        )
        for name, module in model.modules().model.named_modules()
        if isinstance(module, torch.nn.Linear) and name.endswith(ending)
    }
    return LoraWeights(pairs, 4, 8.0, False, "tiny", "p")


def soft(tiny: LocalModel, folder: Path, text: str, mode: Mode) -> SoftPrompt:
    """The embeddings of a text, as if training had not moved them."""
    loaded = tiny.modules()
    table = loaded.model.get_input_embeddings().weight.detach().float().numpy()
    vectors = table[list(tiny.chat.plain(text))]
    return SoftPrompt(mode, vectors, vectors[:0], len(vectors), str(folder), "p", 2, 4)


def test_updates_that_change_nothing_give_exactly_the_base_numbers(
    tiny: LocalModel, folder: Path, source: Models, cache: MemoryCache
) -> None:
    candidate = Candidate(BRIEF, str(folder)).with_part(lora(tiny, 0.0))
    found = check_forgetting(candidate, source, WHOLE, cache=cache, seed=0)
    general, other = found.general, found.other
    assert general.passages == len(WHOLE.passages)
    assert general.ratio.value == 1.0
    assert general.base == general.active
    assert other is not None
    assert other.n == 40
    assert other.base == other.active
    assert (other.lost, other.gained, other.same_answer.value) == (0, 0, 1.0)
    assert found.off.how == "base"
    assert found.off.identical is True
    assert found.off.greatest_difference == 0.0
    assert len(found.details["rows"]) == 40


def test_a_large_update_is_seen_and_leaves_the_base_as_it_was(
    tiny: LocalModel, folder: Path, source: Models, cache: MemoryCache
) -> None:
    candidate = Candidate(BRIEF, str(folder)).with_part(lora(tiny, 1.0))
    found = check_forgetting(candidate, source, WHOLE, cache=cache, seed=0)
    assert found.general.ratio.value != 1.0  # random weights know nothing that could be lost
    assert found.other is not None
    assert found.other.same_answer.value < 1.0
    assert found.off.identical is True, "asked anew after the adapted model, without the cache"
    assert found.off.passages == 5


@pytest.mark.smollm2
def test_a_real_model_is_seen_to_forget() -> None:
    name, source = "local/smollm2", Models()
    part = lora(source.local(name), 0.05, "down_proj")
    candidate = Candidate(BRIEF, name).with_part(part)
    found = check_forgetting(candidate, source, Materials(WHOLE.passages[:5], None), seed=0)
    assert 10 < found.general.base.value < 100, "it reads plain English"
    assert found.general.ratio.interval is not None
    assert found.general.ratio.interval.low > 1.1
    assert found.off.identical is True


def perplexity(model: Any, prompt: Sequence[int], answers: Sequence[Sequence[int]]) -> float:
    """By plain transformers, every passage in a forward pass of its own."""
    total = 0.0
    for answer in answers:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0]
        rows = logits[len(prompt) - 1 : -1].log_softmax(-1)
        total += float(rows.gather(1, torch.tensor(answer)[:, None]).sum())
    return math.exp(-total / sum(map(len, answers)))


@pytest.fixture
def theirs(folder: Path) -> Any:
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)


def test_perplexity_is_that_of_plain_transformers(
    tiny: LocalModel, folder: Path, source: Models, some: Materials, theirs: Any
) -> None:
    import transformers

    part = lora(tiny, 0.03)
    candidate = Candidate(BRIEF, str(folder)).with_part(part)
    found = check_forgetting(candidate, source, some, seed=0).general
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    chat = [{"role": "user", "content": ASKED}]
    start = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    texts = [start, *(f"{passage.text}<|im_end|>" for passage in some.passages)]
    prompt, *answers = tokenizer(texts, add_special_tokens=False)["input_ids"]
    assert found.tokens == sum(map(len, answers))
    assert found.base.value == pytest.approx(perplexity(theirs, prompt, answers), rel=1e-4)
    modules = dict(theirs.named_modules())
    for name, (a, b) in part.pairs.items():
        modules[name].weight.data += part.scale * torch.from_numpy(b @ a)
    assert found.active.value == pytest.approx(perplexity(theirs, prompt, answers), rel=1e-4)
    assert found.active.value != pytest.approx(found.base.value, rel=1e-3)


@pytest.mark.parametrize("mode", ["replace", "insert"])
def test_a_soft_prompt_stands_where_it_was_trained_before_what_is_asked(
    mode: Mode, tiny: LocalModel, folder: Path, source: Models, some: Materials, theirs: Any
) -> None:
    """Soft tokens that are the embeddings of words must do what the words do there."""
    virtual = soft(tiny, folder, "Be brief.\n\n", mode)
    made = Candidate(BRIEF, str(folder)).with_part(Prompt("Say which team."))
    candidate = made.with_part(virtual)
    found = check_forgetting(candidate, source, some, seed=0)
    request = Request((Turn("user", ASKED),))

    base = PromptedModel(base_subject(candidate), source, tiny, None, 0)
    head, asked, tail = (piece.tokens for piece in tiny.chat.pieces(base.render([request])[0]))
    words = tiny.chat.plain("Be brief.\n\n")
    if mode == "insert":
        words = (*tiny.chat.plain("Say which team.\n\n"), *words)
    answers = [tiny.chat.continuation(passage.text) for passage in some.passages]
    expected = perplexity(theirs, (*head, *words, *asked, *tail), answers)
    assert found.general.active.value == pytest.approx(expected, rel=1e-4)
    expected = perplexity(theirs, (*head, *asked, *tail), answers)
    assert found.general.base.value == pytest.approx(expected, rel=1e-4)
    assert found.off.identical is True

    active = PromptedModel(active_subject(candidate), source, tiny, None, 0)
    text = active.model.prompt_text(active.render([request])[0])
    assert f"soft tokens\u27e9{ASKED}" in text
    assert ("Say which team." in text) == (mode == "insert")


@dataclass(frozen=True)
class OtherWeights:
    """Weights that are no update of the base's."""

    slot: ClassVar[Slot] = "weights"
    trained_parameters: int = 1

    def files(self) -> Mapping[str, bytes]:
        return {}

    def describe(self) -> str:
        return ""


def test_weights_of_their_own_cannot_be_switched_off() -> None:
    candidate = Candidate(BRIEF, "base").with_part(OtherWeights())
    assert is_trained(candidate)
    assert switching_off(candidate) == "none"


def of_scripted(model: ScriptedModel, cache: MemoryCache | None = None) -> Forgetting:
    candidate = Candidate(BRIEF, "scripted").with_part(Prompt("Which team?"))
    return check_forgetting(candidate, ScriptedSource(model), WHOLE, cache=cache, seed=0)


def test_the_base_model_is_asked_once_through_the_cache() -> None:
    asked: list[str] = []

    def score(prompt: object, text: str) -> float:
        asked.append(text)
        return -float(len(text))

    model, cache = ScriptedModel(scores=score), MemoryCache()
    first = of_scripted(model, cache)
    once = len(asked)
    assert of_scripted(model, cache) == first
    assert len(asked) == once
    assert first.general.ratio.value == 1.0


@pytest.mark.parametrize("score", [math.nan, -math.inf])
def test_scores_that_are_no_numbers_are_said_and_not_cached(score: float) -> None:
    cache = MemoryCache()
    with pytest.raises(ModelError, match="not finite"):
        of_scripted(ScriptedModel(scores=lambda prompt, text: score), cache)
    assert cache._entries == {}


def test_a_model_without_log_probabilities_is_said() -> None:
    with pytest.raises(ModelError, match="gives no log-probabilities"):
        of_scripted(ScriptedModel(capabilities={Capability.GENERATE}))


def test_it_can_be_stopped_between_calls() -> None:
    told: list[tuple[int, int]] = []

    def before(done: int, calls: int) -> None:
        told.append((done, calls))
        if done == 3:
            raise Stopped("enough", cut=True)

    candidate = Candidate(BRIEF, "scripted").with_part(Prompt("Which team?"))
    with pytest.raises(Stopped):
        check_forgetting(candidate, ScriptedSource(), WHOLE, seed=0, before_call=before)
    groups: Sequence[int] = [call for _, call in told]
    assert [done for done, _ in told] == [0, 1, 2, 3]
    assert set(groups) == {14}

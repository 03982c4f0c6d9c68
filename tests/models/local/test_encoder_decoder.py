"""T5 models: scores and answers against transformers, and what a run may rely on."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accordeur.core.errors import ContextOverflow, ModelError
from accordeur.core.model import Batch, Capability, Model, Sampling, Scored
from accordeur.core.rendering import Rendered
from accordeur.models.local import adapter
from accordeur.models.local.encoder_decoder import EncoderDecoderBody, encoder_window
from accordeur.models.local.generation import decode
from accordeur.models.local.model import LocalModel
from accordeur.models.local.scoring import score_rows
from accordeur.models.local.trie import build_trie
from accordeur.models.source import Models
from accordeur.testing import tiny_t5

from ..conftest import ask

TOLERANCE = 1e-3
VOCABULARY = 97

SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "relative_attention_num_buckets": 6,
    "relative_attention_max_distance": 9,
    "decoder_start_token_id": 0,
}
NETWORKS: dict[str, Any] = {
    "t5": transformers.T5Config(**SIZES),
    "t5-1.1": transformers.T5Config(
        **SIZES, feed_forward_proj="gated-gelu", tie_word_embeddings=False
    ),
    "mt5": transformers.MT5Config(**SIZES),
}


def network(name: str) -> adapter.Loaded:
    torch.manual_seed(7)
    model = transformers.AutoModelForSeq2SeqLM.from_config(NETWORKS[name], dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.eval().requires_grad_(False)
    config = model.config
    return adapter.Loaded(model, config, None, adapter.head_of(model, config), 512, frozenset())


LOADED = {name: network(name) for name in NETWORKS}
BODIES = {name: adapter.body_of(loaded) for name, loaded in LOADED.items()}

token = st.integers(1, VOCABULARY - 1)
few = st.integers(1, 2)  # few distinct tokens make deep shared starts


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]]]:
    rows = draw(st.lists(st.lists(token, min_size=1, max_size=14), min_size=1, max_size=4))
    shape = st.lists(st.one_of(few, token), min_size=1, max_size=14)
    return rows, draw(st.lists(shape, min_size=1, max_size=40))


def naive(model: Any, prompt: list[int], answer: list[int]) -> float:
    """Log-probability of an answer by the whole model, its own shift of the labels included."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([prompt]), labels=torch.tensor([answer])).logits[0]
    places = logits.float().log_softmax(-1)
    return float(places.gather(1, torch.tensor(answer)[:, None]).sum())


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees())
def test_scores_equal_the_naive_computation(
    name: str, tree: tuple[list[list[int]], list[list[int]]]
) -> None:
    rows, answers = tree
    loaded = LOADED[name]
    scores = score_rows(BODIES[name], loaded.head, rows, build_trie(answers), None)
    for at, row in enumerate(rows):
        for label in (0, len(answers) // 2, len(answers) - 1):
            expected = naive(loaded.model, row, answers[label])
            assert abs(float(scores[at, label]) - expected) < TOLERANCE


@pytest.mark.parametrize("name", NETWORKS)
def test_greedy_tokens_equal_those_of_transformers(name: str) -> None:
    loaded = LOADED[name]
    draw = random.Random(0)
    rows = [[draw.randrange(3, VOCABULARY) for _ in range(n)] for n in (3, 12, 1, 7, 5, 9, 2, 4, 8)]

    def reference(row: list[int], steps: int, stop: int) -> list[int]:
        output = loaded.model.generate(
            torch.tensor([row]),
            max_new_tokens=steps,
            do_sample=False,
            eos_token_id=stop,
            use_cache=False,  # its cache counts the encoder's layers, of which we have fewer
        )
        found: list[int] = output[0, 1:].tolist()
        return found

    # Stopping at a token the first row makes early lets a row leave the batch.
    stop = reference(rows[0], 4, -1)[3]
    sampling = Sampling(max_tokens=14)
    answers = decode(BODIES[name], loaded.head, rows, None, sampling, frozenset({stop}))
    assert answers[0].finished
    for row, answer in zip(rows, answers, strict=True):
        expected = reference(row, 14, stop)
        assert answer.tokens == [token for token in expected if token != stop]
        assert answer.finished == (stop in expected)


def test_virtual_tokens_are_vectors_of_the_encoders_input() -> None:
    loaded, body = LOADED["t5"], BODIES["t5"]
    table = loaded.model.get_input_embeddings()
    like = body.with_virtual(table.weight[[11, 12]].clone())
    trie = build_trie([[5, 6, 1], [5, 1]])
    first = body.vocabulary
    soft = score_rows(like, loaded.head, [[first, first + 1, 20]], trie, None)
    hard = score_rows(body, loaded.head, [[11, 12, 20]], trie, None)
    torch.testing.assert_close(soft, hard)


def test_no_part_of_a_prompt_can_be_computed_ahead() -> None:
    with pytest.raises(ModelError, match="both sides"):
        BODIES["t5"].extend([1, 2], None)


def test_the_window_is_what_the_model_states() -> None:
    class Tokenizer:
        model_max_length = 10**30

    config = transformers.T5Config()
    assert encoder_window(config, Tokenizer) == 512
    Tokenizer.model_max_length = 1024
    assert encoder_window(config, Tokenizer) == 1024
    assert encoder_window(transformers.T5Config(n_positions=256), Tokenizer) == 256


LABELS = ["billing", "card lost", "card stolen", "other things", "card"]
SHOTS = (("Where is my card?", "card lost"), ("Pay me", "billing"))


def prompts(count: int = 16) -> list[Rendered]:
    draw = random.Random(1)
    words = ["card", "money", "lost", "bank", "payment", "please", "help", "urgent", "stolen"]
    return [
        ask(" ".join(draw.choices(words, k=draw.randint(1, 30))), shots=SHOTS) for _ in range(count)
    ]


ALL = prompts()


def by_index(batches: list[Batch[Scored]]) -> dict[int, tuple[float, ...]]:
    return {at: one.scores for b in batches for at, one in zip(b.indices, b.results, strict=True)}


@pytest.fixture(scope="module")
def alone(strict_t5: LocalModel) -> dict[int, tuple[float, ...]]:
    return by_index(list(strict_t5.score(ALL, LABELS)))


@pytest.fixture(scope="module")
def reference(t5_folder: Path) -> Any:
    return transformers.AutoModelForSeq2SeqLM.from_pretrained(t5_folder).eval()


def test_a_folder_scores_as_transformers_alone_does(
    t5: LocalModel, t5_folder: Path, reference: Any
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(t5_folder)
    prompt = ask("where is my money")
    (batch,) = t5.score([prompt], LABELS)
    whole = tokenizer("Which team? where is my money").input_ids
    for label, score in zip(LABELS, batch.results[0].scores, strict=True):
        assert score == pytest.approx(naive(reference, whole, tokenizer(label).input_ids), abs=1e-4)


def test_a_folder_answers_as_transformers_alone_does(
    t5: LocalModel, t5_folder: Path, reference: Any
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(t5_folder)
    for text in ("where is my money", "no", "card"):
        (batch,) = t5.generate([ask(text)], Sampling(max_tokens=9))
        asked = tokenizer(f"Which team? {text}", return_tensors="pt")
        made = reference.generate(**asked, max_new_tokens=9, do_sample=False)
        assert batch.results[0].text == tokenizer.decode(made[0], skip_special_tokens=True)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(chosen=st.lists(st.integers(0, len(ALL) - 1), min_size=1, max_size=9))
def test_deterministic_scores_do_not_depend_on_companions_or_order(
    strict_t5: LocalModel, alone: dict[int, tuple[float, ...]], chosen: list[int]
) -> None:
    found = by_index(list(strict_t5.score([ALL[at] for at in chosen], LABELS)))
    assert found == {place: alone[at] for place, at in enumerate(chosen)}


def test_batched_scores_are_within_a_thousandth_of_those_alone(
    t5: LocalModel, alone: dict[int, tuple[float, ...]]
) -> None:
    found = by_index(list(t5.score(ALL, LABELS)))
    assert by_index(list(t5.score(ALL, LABELS))) == found
    for at, scores in found.items():
        assert scores == pytest.approx(alone[at], abs=1e-3)


def test_resuming_computes_the_same_batches(t5: LocalModel) -> None:
    draw = random.Random(2)
    long = [ask(" ".join(draw.choices(["card", "lost"], k=300 + at))) for at in range(30)]
    everything = list(t5.score(long, LABELS))
    assert len(everything) > 2
    done = [*everything[0].indices, *everything[1].indices[:1]]
    rest = list(t5.score(long, LABELS, done=done))
    assert [batch.indices for batch in rest] == [batch.indices for batch in everything[1:]]
    assert by_index(rest) == {at: s for b in everything[1:] for at, s in by_index([b]).items()}


def test_sampling_depends_on_seed_prompt_and_repetition_only(t5: LocalModel) -> None:
    def sampled(texts: list[str], seed: int) -> list[str]:
        sampling = Sampling(max_tokens=8, temperature=1.0, top_p=0.9, seed=seed)
        found: dict[int, Any] = {}
        for batch in t5.generate([ask(text) for text in texts], sampling):
            found.update(zip(batch.indices, batch.results, strict=True))
        return [found[at].text for at in sorted(found)]

    first = sampled(["a b c", "a b c", "x"], 1)
    assert first[0] != first[1]
    assert sampled(["x", "a b c", "a b c"], 1) == [first[2], first[0], first[1]]
    assert sampled(["a b c", "a b c", "x"], 2) != first


def test_a_stream_concatenates_to_the_generated_text(t5: LocalModel) -> None:
    for sampling in (Sampling(max_tokens=12), Sampling(max_tokens=12, temperature=1.5, seed=3)):
        (batch,) = t5.generate([ask("hello")], sampling)
        assert "".join(t5.stream(ask("hello"), sampling)) == batch.results[0].text


def test_counts(t5: LocalModel) -> None:
    prompt = ask("my card")
    (batch,) = t5.score([prompt], LABELS)
    total, shared = t5.prompt_tokens(prompt)
    answers = sum(t5.count_tokens(label) + 1 for label in LABELS)
    assert shared == 0
    assert batch.results[0].usage.input_tokens == len(LABELS) * total + answers
    assert t5.prompt_text(prompt) == "Which team? my card</s>"


def test_what_does_not_fit_is_counted_or_refused(t5: LocalModel) -> None:
    long = ask(" ".join(["card"] * 600), shots=SHOTS)
    (batch,) = t5.generate([long], Sampling(max_tokens=100))
    assert batch.results[0].usage.dropped_demonstrations == 2
    assert batch.results[0].usage.truncated_tokens == t5.prompt_tokens(ask(" card" * 600))[0] - 512
    with pytest.raises(ContextOverflow):
        t5.score([ask("x", instruction="word " * 600)], LABELS)


def test_the_identity_and_what_it_can_do(t5: LocalModel, strict_t5: LocalModel) -> None:
    assert isinstance(t5, Model)
    assert isinstance(adapter.body_of(t5.modules()), EncoderDecoderBody)
    assert t5.identity.dtype == "float32"
    assert t5.trial is None
    assert (strict_t5.identity.deterministic, t5.identity.deterministic) == (True, False)
    assert {Capability.SCORE, Capability.GENERATE} <= t5.capabilities
    assert t5.context_window == 512


def test_bfloat16_can_be_asked_for_and_stays_close(t5: LocalModel, t5_folder: Path) -> None:
    half = Models(dtype="bfloat16").model(str(t5_folder))
    exact, found = (by_index(list(model.score(ALL[:4], LABELS))) for model in (t5, half))
    for at, scores in found.items():
        assert scores == pytest.approx(exact[at], abs=1.5)
    list(half.generate(ALL[:2], Sampling(max_tokens=3)))


def test_an_untied_output_layer_is_loaded(t5_folder: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForSeq2SeqLM.from_config(NETWORKS["t5-1.1"])
    with torch.no_grad():
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((t5_folder / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    loaded = adapter.load(tmp_path, dtype=torch.float32, device=torch.device("cpu"))
    torch.testing.assert_close(loaded.head.weight, model.lm_head.weight.detach())


def test_encoder_decoders_of_other_families_are_refused_with_a_hint(tmp_path: Path) -> None:
    config = {"model_type": "bart", "is_encoder_decoder": True}
    tiny_t5(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="family `bart`") as error:
        Models().model(str(tmp_path))
    assert "flan-t5" in error.value.hint


def test_a_decoder_without_a_start_is_refused(t5_folder: Path, tmp_path: Path) -> None:
    for file in t5_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"decoder_start_token_id": None, "pad_token_id": None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="decoder starts from"):
        Models().model(str(tmp_path))

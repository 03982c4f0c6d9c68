"""Scores of a cross-encoder against those of transformers, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer

from accordeur.core.errors import ContextOverflow, ModelError
from accordeur.core.model import Reranker
from accordeur.models import catalog
from accordeur.models.reranking.tokenizing import read_pair_tokens
from accordeur.models.source import Models

from .conftest import LIMIT, Make

QUESTION = "How many days of leave does a part-timer have?"
TEXTS = (
    "Part-time staff have the share that their hours make of a full week.",
    "The Merganser carries nine cars.",
    "",
    "Everyone has 26 days of holiday a year, plus public holidays. " * 6,
    "Naïve café — 東京 </s> ünïcode",
)
CUT = 1
"""Of the texts, those longer than the limit."""


def theirs(folder: Path, texts: Sequence[str], *, kind: Any = None) -> list[float]:
    """One pair at a time, by transformers' own tokenizer and network."""
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="[UNK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    kind = kind or transformers.BertForSequenceClassification
    network = kind.from_pretrained(folder).eval()
    found = []
    for text in texts:
        pair = tokenizer(
            [[QUESTION, text]], truncation="only_second", max_length=LIMIT, return_tensors="pt"
        )
        with torch.inference_mode():
            found.append(float(network(**pair).logits[0, 0]))
    return found


def test_scores_are_those_of_transformers_truncated_passages_included(make: Make) -> None:
    folder = make()
    reranker: Reranker = Models().reranker(str(folder))
    relevance = reranker.score(QUESTION, TEXTS)
    expected = theirs(folder, TEXTS)
    np.testing.assert_allclose(relevance.scores, expected, atol=1e-4)
    assert np.ptp(expected) > 0.1, "equal scores would prove nothing"
    assert relevance.cut == CUT


def test_the_second_text_is_told_from_the_first(make: Make) -> None:
    """Without token types the scores would be others."""
    folder = make()
    network = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    one = tokenizer.encode(QUESTION, TEXTS[0])
    with torch.inference_mode():
        untyped = network(input_ids=torch.tensor([one.ids])).logits[0, 0]
    (score,) = Models().reranker(str(folder)).score(QUESTION, TEXTS[:1]).scores
    assert abs(score - float(untyped)) > 1e-3


def test_a_network_of_one_token_type_is_read_as_transformers_reads_it(
    make: Make, tmp_path: Path
) -> None:
    config = transformers.XLMRobertaConfig(
        vocab_size=30522,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=66,
        type_vocab_size=1,
        initializer_range=0.4,
        num_labels=1,
    )
    folder = make(name="roberta")
    torch.manual_seed(1)
    transformers.XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    network = transformers.XLMRobertaForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LIMIT, strategy="only_second")
    expected = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer.encode(QUESTION, text).ids])
        with torch.inference_mode():
            mask = torch.ones_like(ids)
            expected.append(float(network(input_ids=ids, attention_mask=mask).logits[0, 0]))
    scores = Models().reranker(str(folder)).score(QUESTION, TEXTS).scores
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_with_deterministic_a_score_depends_on_no_companion(make: Make) -> None:
    strict = Models(deterministic=True).reranker(str(make()))
    together = strict.score(QUESTION, TEXTS).scores
    alone = [strict.score(QUESTION, [text]).scores[0] for text in TEXTS]
    assert list(together) == alone


def test_nothing_to_score_is_no_error(make: Make) -> None:
    assert Models().reranker(str(make())).score(QUESTION, []).scores == ()


def test_text_that_looks_like_a_control_token_is_text(make: Make) -> None:
    reranker = Models().reranker(str(make()))
    spelled, bare, none = reranker.score(
        QUESTION, ["one [SEP] two", "one [ sep ] two", "one two"]
    ).scores
    assert spelled == pytest.approx(bare)
    assert abs(spelled - none) > 1e-3


def test_a_question_is_never_cut(make: Make) -> None:
    reranker = Models().reranker(str(make()))
    with pytest.raises(ContextOverflow, match="leaves 0 of them for a passage"):
        reranker.score("leave " * 60, TEXTS)


def test_a_folder_with_a_vocabulary_alone_gives_the_same_tokens(make: Make) -> None:
    folder = make()
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)
    before = Models().reranker(str(folder)).score(QUESTION, TEXTS)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(ordered) + "\n", encoding="utf-8")
    assert Models().reranker(str(folder)).score(QUESTION, TEXTS) == before


def test_the_identity_is_of_weights_limit_and_vocabulary(make: Make) -> None:
    first = Models().reranker(str(make())).identity
    assert Path(first.name).name == "ce"
    assert Models().reranker(str(make(name="again"))).identity.digest == first.digest
    assert Models().reranker(str(make(name="weights", seed=1))).identity.digest != first.digest
    assert Models().reranker(str(make(name="limit", limit=30))).identity.digest != first.digest


def test_the_limit_is_what_the_tokenizer_says_else_what_positions_allow(make: Make) -> None:
    assert read_pair_tokens(make()).limit == LIMIT
    assert read_pair_tokens(make(name="free", limit=None)).limit == 64
    assert read_pair_tokens(make(name="huge", limit=10**30)).limit == 64


def test_it_is_loaded_once(make: Make) -> None:
    models, folder = Models(), make()
    assert models.reranker(str(folder)) is models.reranker(str(folder))


def test_what_tells_labels_apart_is_no_reranker(make: Make) -> None:
    with pytest.raises(ModelError, match="gives 3 scores to a pair"):
        Models().reranker(str(make(3)))


def test_an_embedding_model_is_no_reranker(make: Make) -> None:
    place = catalog.find(catalog.MINILM)
    assert place is not None
    for name in ("local/minilm", "local/smollm2", str(place[1])):
        with pytest.raises(ModelError, match="reranker"):
            Models().reranker(name)


def test_a_head_that_is_not_there_is_not_drawn_at_random(make: Make, tmp_path: Path) -> None:
    folder = make()
    body = transformers.BertForSequenceClassification.from_pretrained(folder).bert
    body.save_pretrained(tmp_path / "headless")
    shutil.copy(folder / "tokenizer.json", tmp_path / "headless")
    config = json.loads((tmp_path / "headless" / "config.json").read_text())
    config |= {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    (tmp_path / "headless" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"the weight `classifier\.bias` is not there"):
        Models().reranker(str(tmp_path / "headless"))


def test_damaged_weights_are_told_and_order_nothing(make: Make) -> None:
    folder = make()
    network = transformers.BertForSequenceClassification.from_pretrained(folder)
    network.classifier.bias.data[:] = float("nan")
    network.save_pretrained(folder)
    with pytest.raises(ModelError, match="are no numbers"):
        Models().reranker(str(folder)).score(QUESTION, TEXTS)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("tokenizer.json", "{", "is no tokenizer"),
        ("tokenizer_config.json", "[", "is damaged"),
        ("config.json", "{}", "cannot be loaded as a reranker"),
    ],
)
def test_a_damaged_file_is_named(make: Make, file: str, text: str, told: str) -> None:
    folder = make()
    (folder / file).write_text(text)
    with pytest.raises(ModelError, match=told):
        Models().reranker(str(folder))


def test_without_a_tokenizer_it_says_so(make: Make) -> None:
    folder = make()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no `tokenizer\.json`"):
        Models().reranker(str(folder))

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rouge_score.rouge_scorer import RougeScorer

if TYPE_CHECKING:
    from collections.abc import Callable

SAID = "The customer called about two missing invoices.\nThe agent will resend them today."
WANTED = "Customer calls because two invoices were missing; the agent resends them."
OTHER = "Two missing invoices."


@pytest.mark.parametrize(
    ("metric", "variant"), [("rouge-l", "rougeL"), ("rouge-1", "rouge1"), ("rouge-2", "rouge2")]
)
def test_equals_rouge_score_with_stemming_and_the_best_reference(
    score: Callable[..., float], metric: str, variant: str
) -> None:
    oracle = RougeScorer([variant], use_stemmer=True)
    alone = [oracle.score(reference, SAID)[variant].fmeasure for reference in (OTHER, WANTED)]
    assert score(metric, SAID, OTHER, WANTED) == pytest.approx(max(alone), abs=0)
    assert 0.0 < min(alone) < max(alone) < 1.0
    assert score(metric, SAID, OTHER, WANTED) == pytest.approx(
        oracle.score_multi([OTHER, WANTED], SAID)[variant].fmeasure
    )


def test_word_forms_count_as_equal(score: Callable[..., float]) -> None:
    assert score("rouge-1", "resending invoices", "resend invoice") == 1.0


def test_a_text_without_latin_letters_scores_nothing(score: Callable[..., float]) -> None:
    assert score("rouge-l", "你好", "你好") == 0.0

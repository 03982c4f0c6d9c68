"""How good a search is, measured apart from the answers that are made of it.

Labels are places in documents (`core.span.Span`), so they outlive every change of chunks.
`spans.py` says which characters and which passages they mean, `ranks.py` how good an order of
passages is, `scores.py` makes numbers with intervals of both.

A passage is *relevant* when it shares at least one character with a gold span. Relevance is yes or
no for spans; judgments of whole documents may have grades.
"""

from accordeur.measure.retrieval.scores import (
    Judged,
    RetrievalScore,
    rank_values,
    retrieval_difference,
    retrieval_scores,
    span_values,
)
from accordeur.measure.retrieval.spans import Places

__all__ = [
    "Judged",
    "Places",
    "RetrievalScore",
    "rank_values",
    "retrieval_difference",
    "retrieval_scores",
    "span_values",
]

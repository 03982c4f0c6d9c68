"""Floors: what can be had without a language model (DESIGN section 4 rule 5).

Each floor is a plan entry of its own and gives a candidate without a base, with only the slot
`classifier`. See docs/levers/floor.md. Fitting is here; running, which needs numpy alone, is in
`accordeur.parts.classifier`.
"""

from __future__ import annotations

from accordeur.core.lever import Lever
from accordeur.core.task import TaskBrief
from accordeur.levers.floor.copied import CopyFloor
from accordeur.levers.floor.embedding_logistic import EmbeddingLogisticFloor
from accordeur.levers.floor.embedding_nearest import EmbeddingNearestFloor
from accordeur.levers.floor.lead import LeadFloor
from accordeur.levers.floor.majority import MajorityFloor
from accordeur.levers.floor.most_common import MostCommonFloor
from accordeur.levers.floor.naive_bayes import NaiveBayesFloor
from accordeur.levers.floor.words_logistic import WordsLogisticFloor

__all__ = ["FLOORS", "floors_for"]

FLOORS: tuple[Lever, ...] = (
    MajorityFloor(),
    NaiveBayesFloor(),
    WordsLogisticFloor(),
    EmbeddingNearestFloor(),
    EmbeddingLogisticFloor(),
    LeadFloor(),
    CopyFloor(),
    MostCommonFloor(),
)
"""All floors with their default settings, cheapest first within a kind of task."""


def floors_for(task: TaskBrief) -> tuple[Lever, ...]:
    """The floors of a task's kind, with their default settings."""
    return tuple(floor for floor in FLOORS if task.kind in floor.kinds)

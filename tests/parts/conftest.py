"""A label brief, a text brief, and rows for them."""

from __future__ import annotations

import pytest

from accordeur.core.task import Label, TaskBrief


@pytest.fixture
def labelled() -> TaskBrief:
    """Two labels, one with a display text of its own."""
    labels = (Label("billing", "Billing"), Label("card_lost", "Lost or stolen card"))
    return TaskBrief("support", "", "Which team?", "labels", labels, "accuracy")


@pytest.fixture
def free() -> TaskBrief:
    """Answers in free text."""
    return TaskBrief("calls", "", "Say it in one sentence.", "text", (), "rouge-l")

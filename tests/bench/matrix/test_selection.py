"""Which cases and columns take part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accordeur.bench.matrix.evaluate import Evaluated
from accordeur.bench.matrix.selection import Selection
from accordeur.core.errors import UsageError

Evaluate = Callable[..., Evaluated]

CONFIG = """
prompts: [{label: short, raw: "{{q}}"}, {label: long, raw: "Say: {{q}}"}]
providers: [echo, {id: echo, label: parrot}]
tests:
  - {description: a bird, vars: {q: tit}, metadata: {topic: birds, tags: [x, y]}}
  - {description: a fish, vars: {q: cod}, metadata: {topic: fish}}
  - {description: a bat, vars: {q: bat}, metadata: {topic: mammals}}
"""


@pytest.mark.parametrize(
    ("chosen", "cases", "columns"),
    [
        ({"pattern": "^a b"}, 2, 4),
        ({"metadata": "topic=fish"}, 1, 4),
        ({"metadata": "tags=y"}, 1, 4),
        ({"first": 2}, 2, 4),
        ({"limit": 2}, 2, 4),
        ({"limit": 9}, 3, 4),
        ({"prompts": "sho"}, 3, 2),
        ({"providers": "parrot", "prompts": "long"}, 3, 1),
    ],
)
def test_filters(run: Evaluate, chosen: dict[str, Any], cases: int, columns: int) -> None:
    done = run(CONFIG, selection=Selection(**chosen))
    assert (done.summary["cases"], len(done.summary["columns"])) == (cases, columns)


def test_a_limit_draws_by_its_seed(run: Evaluate) -> None:
    drawn = {
        run(CONFIG, selection=Selection(limit=1, seed=seed)).summary["digest"] for seed in range(9)
    }
    assert len(drawn) == 3


@pytest.mark.parametrize(
    "chosen",
    [
        {"pattern": "("},
        {"pattern": "whale"},
        {"metadata": "topic"},
        {"prompts": "none"},
        {"providers": "("},
        {"failing": frozenset({"none"})},
    ],
)
def test_what_keeps_nothing_is_said(run: Evaluate, chosen: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run(CONFIG, selection=Selection(**chosen))

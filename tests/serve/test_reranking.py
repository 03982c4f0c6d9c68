"""A reranker behind the engine, for bundles that are served."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from accordeur.core.errors import ContextOverflow
from accordeur.core.model import Reranker
from accordeur.serve.engine import Engine
from accordeur.serve.model import ServedModels
from accordeur.testing import ScriptedReranker, ScriptedSource


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


def served(engine: Engine, reranker: Reranker) -> Reranker:
    return ServedModels(ScriptedSource(reranker=reranker), engine).reranker("any")


def test_scores_are_those_of_the_reranker_itself(engine: Engine) -> None:
    own = ScriptedReranker(limit=3)
    texts = ["the boat sails", "a boat", "the boat sails away soon"]
    reranker = served(engine, own)
    assert reranker.score("boat sails", texts) == own.score("boat sails", texts)
    assert reranker.identity == own.identity


def test_a_question_that_is_too_long_spoils_no_other(engine: Engine) -> None:
    reranker = served(engine, ScriptedReranker(limit=3))
    with ThreadPoolExecutor(8) as pool:
        asked = ["boat", "a question of many words"] * 8
        futures = [pool.submit(reranker.score, one, ["a boat"]) for one in asked]
    for question, future in zip(asked, futures, strict=True):
        if question == "boat":
            assert future.result().scores == (1.0,)
        else:
            with pytest.raises(ContextOverflow):
                future.result()

"""A model with a real chat template gives the same scores over the wire as in the process."""

from __future__ import annotations

from typing import Any

import pytest

from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.local.model import LocalModel
from accordeur.models.local.scoring import score_rows
from accordeur.models.local.trie import build_trie
from accordeur.testing.endpoint import OWN, ScriptedEndpoint, plain_messages

from .test_faults import model

LABELS = ("billing", "card lost", "card")
ROWS = ("I never got my card.", "  two spaces", "it says <|im_end|> here", "größer 🙂")


class Served(ScriptedEndpoint):
    """A model of this machine behind the wire, as vLLM or as our own server."""

    def __init__(self, local: LocalModel, *, own: bool) -> None:
        listed = OWN if own else ({"id": "scripted"},)
        super().__init__(score=lambda messages, answer: 0.0, models=listed)
        self._local = local

    def _tokens(self, asked: dict[str, Any]) -> dict[str, Any]:
        answered = not asked["add_generation_prompt"]
        *turns, last = asked["messages"]
        turns = turns if answered else [*turns, last]
        chat = self._local.chat
        rendered = Rendered(tuple(Message(one["role"], _segments(one["content"])) for one in turns))
        tokens = [at for piece in chat.pieces(rendered) for at in piece.tokens]
        if answered:
            (said,) = (one["content"] for one in plain_messages({"messages": [last]}))
            tokens += chat.continuation(said)
            tokens += [] if self._own else chat.plain("\n")
        return {"tokens": tokens}

    def _echo(self, asked: dict[str, Any]) -> dict[str, Any]:
        choices = []
        for at, tokens in enumerate(asked["prompt"]):
            told: list[float | None] = [None, *([-1.0] * (len(tokens) - 1))]
            for place in range(max(1, len(tokens) - 12), len(tokens)):
                trie = build_trie([(tokens[place],)])
                body, head = self._local._body, self._local._head
                told[place] = float(score_rows(body, head, [tokens[:place]], trie, None)[0, 0])
            choices.append({"index": at, "logprobs": {"token_logprobs": told}})
        return {"choices": choices[::-1], "model": "scripted"}


def _segments(content: str | list[dict[str, str]]) -> tuple[Segment, ...]:
    if isinstance(content, str):
        return (Segment(content),)
    return tuple(Segment(part["text"]) for part in content)


@pytest.mark.parametrize("own", [True, False])
def test_scores_are_those_of_the_process(tiny: LocalModel, own: bool) -> None:
    instruction = Segment("Which team?\n\n", shared=True)
    wanted = [
        Rendered((Message("user", (instruction, Segment(row, "data", trim=True))),)) for row in ROWS
    ]
    here = {
        at: one.scores
        for batch in tiny.score(wanted, LABELS)
        for at, one in zip(batch.indices, batch.results, strict=True)
    }
    if not own:  # one text is tokenised as a whole, so it is compared with a single segment
        whole = [Rendered((Message("user", (Segment(one.messages[0].text),)),)) for one in wanted]
        here = {
            at: one.scores
            for batch in tiny.score(whole, LABELS)
            for at, one in zip(batch.indices, batch.results, strict=True)
        }
    with Served(tiny, own=own) as server:
        asked = model(server)
        assert asked.choose_labels(LABELS) == "logprobs"
        there = {
            at: one
            for batch in asked.score(wanted, LABELS)
            for at, one in zip(batch.indices, batch.results, strict=True)
        }
    for at, scores in here.items():
        assert there[at].scores == pytest.approx(scores, abs=1e-5)
        assert there[at].usage.input_tokens > 0

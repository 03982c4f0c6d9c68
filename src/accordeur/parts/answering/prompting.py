"""From requests to rendered prompts: the half of answering that scoring and writing share."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.candidate import Candidate
from accordeur.core.model import FloatArray, ModelSource
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.embedding import matching_embedder
from accordeur.parts.demonstrations import (
    Demonstration,
    FixedDemonstrations,
    NearestDemonstrations,
)
from accordeur.parts.pattern import Pattern
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import render
from accordeur.parts.soft_prompt import SoftPrompt, SoftPromptEnsemble


class Prompting:
    """Renders requests for a candidate's prompt and demonstrations."""

    def __init__(self, candidate: Candidate, source: ModelSource) -> None:
        prompt = candidate.part(Prompt)
        self._prompt = prompt if prompt is not None else Prompt(candidate.task.instruction)
        shown = candidate.parts.get("demonstrations")
        if not (shown is None or isinstance(shown, FixedDemonstrations | NearestDemonstrations)):
            raise TypeError(f"{type(shown).__name__} is no demonstrations part")
        self._shown = shown
        pattern = candidate.parts.get("pattern")
        if not (pattern is None or isinstance(pattern, Pattern)):
            raise TypeError(f"{type(pattern).__name__} is no pattern")
        self._pattern = pattern
        soft = candidate.parts.get("soft_prompt")
        self._softs: tuple[SoftPrompt | None, ...] = (None,)  # key/values leave the words
        if isinstance(soft, SoftPrompt):
            self._softs = (soft,)
        elif isinstance(soft, SoftPromptEnsemble):
            self._softs = soft.members
        self._task = candidate.task
        self._source = source

    @property
    def members(self) -> int:
        """Renderings of a request: one, or one per soft prompt of an ensemble."""
        return len(self._softs)

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """`members` renderings per request, those of a request behind each other."""
        if self._shown is None:
            chosen: Sequence[Sequence[Demonstration]] = [()] * len(requests)
        else:
            chosen = self._shown.choose(tuple(requests), self._embed)
        shared = self._shown is None or self._shown.shared
        found = []
        for request, demonstrations in zip(requests, chosen, strict=True):
            first = 0
            for soft in self._softs:
                found.append(
                    render(
                        self._task,
                        self._prompt,
                        request,
                        demonstrations,
                        demonstrations_shared=shared,
                        pattern=self._pattern,
                        soft=soft,
                        soft_first=first,
                    )
                )
                first += soft.tokens if soft is not None else 0
        return found

    def _embed(self, texts: Sequence[str]) -> FloatArray:
        assert isinstance(self._shown, NearestDemonstrations)
        embedder = matching_embedder(
            self._source, self._shown.embedder, self._shown.embedder_digest
        )
        return embedder.embed(texts)

"""From requests to rendered prompts: the half of answering that scoring and writing share."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.candidate import Candidate
from accordeur.core.model import FloatArray, ModelSource
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.embedding import matching_embedder
from accordeur.parts.demonstrations import FixedDemonstrations, NearestDemonstrations
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import render
from accordeur.parts.soft_prompt import SoftPrompt


class Prompting:
    """Renders requests for a candidate's prompt and demonstrations."""

    def __init__(self, candidate: Candidate, source: ModelSource) -> None:
        prompt = candidate.part(Prompt)
        self._prompt = prompt if prompt is not None else Prompt(candidate.task.instruction)
        shown = candidate.parts.get("demonstrations")
        if not (shown is None or isinstance(shown, FixedDemonstrations | NearestDemonstrations)):
            raise TypeError(f"{type(shown).__name__} is no demonstrations part")
        self._shown = shown
        soft = candidate.parts.get("soft_prompt")
        self._soft = soft if isinstance(soft, SoftPrompt) else None  # key/values leave the words
        self._task = candidate.task
        self._source = source

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """One rendering per request, in order."""
        if self._shown is None:
            return [
                render(self._task, self._prompt, request, soft=self._soft) for request in requests
            ]
        chosen = self._shown.choose(tuple(requests), self._embed)
        return [
            render(
                self._task,
                self._prompt,
                request,
                demonstrations,
                demonstrations_shared=self._shown.shared,
                soft=self._soft,
            )
            for request, demonstrations in zip(requests, chosen, strict=True)
        ]

    def _embed(self, texts: Sequence[str]) -> FloatArray:
        assert isinstance(self._shown, NearestDemonstrations)
        embedder = matching_embedder(
            self._source, self._shown.embedder, self._shown.embedder_digest
        )
        return embedder.embed(texts)

"""Models as the parts see them while serving: every call goes through the engine's thread.

A request is answered in a thread of its own by the same code that answered it while it was
measured. What that code asks of the model is handed to the engine, which batches it with what other
requests ask.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from accordeur.core.errors import ContextOverflow
from accordeur.core.model import (
    Adaptation,
    Batch,
    Capability,
    Embedder,
    FloatArray,
    Generated,
    Model,
    ModelIdentity,
    ModelSource,
    Pieces,
    Relevance,
    Reranker,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered
from accordeur.models.local.fitting import Prompt
from accordeur.models.local.in_flight import Order, Written
from accordeur.models.local.model import LocalModel
from accordeur.models.local.token_logprobs import NODES, Echoed
from accordeur.models.openai_api.model import EndpointModel
from accordeur.serve.engine import Engine
from accordeur.serve.jobs import Computing, Writing
from accordeur.serve.ticket import current, still_wanted

TEXTS = 32
"""Texts embedded at once."""


class ServedModel:
    """A local model behind the engine; a `core.model.Model`."""

    def __init__(self, model: LocalModel, engine: Engine) -> None:
        self.local = model
        self._engine = engine

    @property
    def identity(self) -> ModelIdentity:
        """Of the model."""
        return self.local.identity

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Of the model."""
        return self.local.capabilities

    @property
    def context_window(self) -> int:
        """Of the model."""
        return self.local.context_window

    def adapted(self, adaptation: Adaptation) -> ServedModel:
        """With what training added; adapters stand beside weights that are held once."""
        return ServedModel(self.local.adapted(adaptation, beside=True), self._engine)

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """See `core.model.Model`."""
        began = time.perf_counter()
        asked = tuple(continuations)

        def compute(items: Sequence[Rendered]) -> Sequence[Scored]:
            found: dict[int, Scored] = {}
            for batch in self.local.score(items, asked):
                found.update(zip(batch.indices, batch.results, strict=True))
            return [found[at] for at in range(len(items))]

        wanted = [at for at in range(len(prompts)) if at not in frozenset(done)]
        key = ("score", id(self.local), asked)
        jobs = [Computing(key, prompts[at], compute, current()) for at in wanted]
        for job in jobs:
            self._engine.submit(job)
        results: tuple[Scored, ...] = tuple(job.result() for job in jobs)
        yield Batch(tuple(wanted), results, time.perf_counter() - began)

    def generate(
        self, prompts: Sequence[Rendered], sampling: Sampling, *, done: Collection[int] = ()
    ) -> Iterator[Batch[Generated]]:
        """See `core.model.Model`; a prompt that stands here several times is sampled anew."""
        began = time.perf_counter()
        wanted = [at for at in range(len(prompts)) if at not in frozenset(done)]
        seen: Counter[Prompt] = Counter()
        jobs = []
        for at in wanted:
            fitted = self.local.fit(prompts[at], sampling.max_tokens)
            jobs.append(self.write(Order(fitted, sampling, again=seen[fitted])))
            seen[fitted] += 1
        results = tuple(self.generated(job) for job in jobs)
        yield Batch(tuple(wanted), results, time.perf_counter() - began)

    def stream(self, prompt: Rendered, sampling: Sampling) -> Pieces:
        """One answer, piece by piece."""
        job = self.write(Order(self.local.fit(prompt, sampling.max_tokens), sampling))
        written: list[Written] = []

        def noted() -> Iterator[Written]:
            for one in job.written():
                written.append(one)
                yield one

        yield from self.pieces(noted())
        return self._whole(job.order.prompt, written)

    def write(self, order: Order) -> Writing:
        """Have a text written; its tokens come through the job."""
        job = Writing(self.local, order, current())
        self._engine.submit(job)
        return job

    def pieces(self, written: Iterator[Written]) -> Iterator[str]:
        """The text of tokens as they come; no piece ends within a character."""
        tokens: list[int] = []
        given = ""
        for one in written:
            tokens += [] if one.ended else [one.token]
            text = self.local.chat.decode(tokens)
            # A character may take several tokens; its first half decodes to U+FFFD.
            if len(text) > len(given) and (one.last or not text.endswith("\ufffd")):
                yield text[len(given) :]
                given = text

    def token_logprobs(
        self, sequences: Sequence[tuple[int, ...]], *, shared: int, top: int
    ) -> list[Echoed]:
        """See `LocalModel.token_logprobs`. Many are computed part by part, others in between.

        A deterministic model computes each alone, unless the request says what they share: those
        are the labels of one row, which always come together.
        """
        alone = self.identity.deterministic and not shared

        def compute(items: Sequence[list[tuple[int, ...]]]) -> Sequence[list[Echoed]]:
            return [self.local.token_logprobs(one, shared=shared, top=top) for one in items]

        found: dict[int, Echoed] = {}
        # Those that start alike stay together, so that their start is computed once.
        order = sorted(range(len(sequences)), key=lambda at: sequences[at])
        sizes = [len(one) - shared for one in sequences]
        for part in [[at] for at in order] if alone else _parts(order, sizes):
            key = ("echo", id(self.local), shared, top)
            items = [sequences[at] for at in part]
            tokens = sum(map(len, items))
            job = Computing(key, items, compute, current(), tokens)
            self._engine.submit(job)
            found.update(zip(part, job.result(), strict=True))
        return [found[at] for at in range(len(sequences))]

    def count_tokens(self, text: str) -> int:
        """Tokens of plain text."""
        return self.local.count_tokens(text)

    def prompt_text(self, prompt: Rendered) -> str:
        """See `core.model.Model`."""
        return self.local.prompt_text(prompt)

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """See `core.model.Model`."""
        return self.local.prompt_tokens(prompt)

    def forget(self) -> None:
        """Nothing: other requests want the prefixes, too."""

    def generated(self, job: Writing) -> Generated:
        """Wait for a text."""
        return self._whole(job.order.prompt, list(job.written()))

    def _whole(self, prompt: Prompt, written: Sequence[Written]) -> Generated:
        tokens = [one.token for one in written if not one.ended]
        return Generated(
            self.local.chat.decode(tokens),
            written[-1].ended,
            sum(one.logprob for one in written) / len(written),
            Usage(
                input_tokens=len(prompt.tokens),
                output_tokens=len(written),
                computed_tokens=len(prompt.row) + len(written),
                truncated_tokens=prompt.truncated,
                dropped_demonstrations=prompt.dropped,
            ),
        )


def _parts(order: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """Places in this order, in parts of about as many tokens as a tree holds."""
    part: list[int] = []
    total = 0
    for at in order:
        if part and total + sizes[at] > NODES:
            yield part
            part, total = [], 0
        part.append(at)
        total += sizes[at]
    if part:
        yield part


class ServedEmbedder:
    """An embedding model behind the engine."""

    def __init__(self, embedder: Embedder, engine: Engine) -> None:
        self._embedder = embedder
        self._engine = engine

    @property
    def identity(self) -> ModelIdentity:
        """Of the embedder."""
        return self._embedder.identity

    @property
    def dimension(self) -> int:
        """Of a vector."""
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        """Longest text that is read to its end."""
        return self._embedder.max_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, uncut."""
        return self._embedder.count_tokens(text)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]."""
        key = ("embed", id(self._embedder))
        found = [np.zeros((0, self.dimension), np.float32)]
        for start in range(0, len(texts), TEXTS):
            some = list(texts[start : start + TEXTS])
            job = Computing(key, some, self._compute, current(), 64 * len(some))
            self._engine.submit(job)
            found.append(job.result())
        return np.concatenate(found)

    def _compute(self, items: Sequence[Sequence[str]]) -> Sequence[FloatArray]:
        vectors = self._embedder.embed([text for texts in items for text in texts])
        found, start = [], 0
        for texts in items:
            found.append(vectors[start : start + len(texts)])
            start += len(texts)
        return found


class ServedReranker:
    """A reranker behind the engine."""

    def __init__(self, reranker: Reranker, engine: Engine) -> None:
        self._reranker = reranker
        self._engine = engine

    @property
    def identity(self) -> ModelIdentity:
        """Of the reranker."""
        return self._reranker.identity

    def score(self, question: str, texts: Sequence[str]) -> Relevance:
        """The relevance of each text. Errors as `Reranker.score`."""
        key = ("rerank", id(self._reranker))
        job = Computing(key, (question, list(texts)), self._compute, current(), 64 * len(texts))
        self._engine.submit(job)
        found: Relevance | ContextOverflow = job.result()
        if isinstance(found, ContextOverflow):
            raise found
        return found

    def _compute(
        self, items: Sequence[tuple[str, list[str]]]
    ) -> Sequence[Relevance | ContextOverflow]:
        return [self._one(question, texts) for question, texts in items]

    def _one(self, question: str, texts: Sequence[str]) -> Relevance | ContextOverflow:
        """A question that is too long is no error of those that are computed beside it."""
        try:
            return self._reranker.score(question, texts)
        except ContextOverflow as error:
            return error


class ServedModels:
    """A `core.model.ModelSource`: local models behind the engine, endpoints as they are."""

    def __init__(self, models: ModelSource, engine: Engine) -> None:
        self._models = models
        self._engine = engine
        self._served: dict[str, ServedModel] = {}
        self._embedders: dict[str, ServedEmbedder] = {}
        self._rerankers: dict[str, Reranker] = {}

    def model(self, name: str) -> Model:
        """The language model of this name. Errors as `Models.model`."""
        found = self._models.model(name)
        if isinstance(found, EndpointModel):
            found.driver.waiting = still_wanted
        if not isinstance(found, LocalModel):
            return found
        key = found.identity.name
        return self._served.setdefault(key, ServedModel(found, self._engine))

    def embedder(self, name: str) -> Embedder:
        """The embedding model of this name. Errors as `Models.embedder`."""
        found = self._models.embedder(name)
        key = found.identity.name
        return self._embedders.setdefault(key, ServedEmbedder(found, self._engine))

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name. Errors as `Models.reranker`."""
        found = self._models.reranker(name)
        key = found.identity.name
        if found.identity.remote:
            return found
        return self._rerankers.setdefault(key, ServedReranker(found, self._engine))

"""An offline language model that says what it is told to: give it the answers, use it everywhere.

    model = ScriptedModel(answers={"Where is my card?": "card"})
    run = accordeur.run(task, model="scripted", source=ScriptedSource(model))

It speaks the whole `core.model.Model` interface: batches, `done`, limits of tokens and context,
usage. A token is a word. It needs no torch, and it keeps nothing of what it is asked, so a lever
cannot read dev rows back out of it.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from accordeur.core.errors import ContextOverflow
from accordeur.core.fingerprint import digest
from accordeur.core.model import (
    Batch,
    Capability,
    Embedder,
    FloatArray,
    Generated,
    Model,
    ModelIdentity,
    Pieces,
    Relevance,
    Reranker,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered

Answers = str | Mapping[str, str | Generated] | Callable[[Rendered], str | Generated]
"""One answer for everything, answers by the text of the row, or a function of the prompt."""

Scores = Mapping[str, Mapping[str, float]] | Callable[[Rendered, str], float]
"""Nats per continuation by the text of the row, or a function of prompt and continuation."""

_BOTH = frozenset({Capability.GENERATE, Capability.SCORE})


class ScriptedModel:
    """A model with scripted answers.

    Whatever the script leaves out is answered with "I see." and scored by a hash of prompt and
    continuation: arbitrary, but the same every time.

    Args:
        answers: what `generate` writes. Longer than the limit, it is cut and marked unfinished; a
            `Generated` is passed on as it is, errors included, save for its usage.
        scores: what `score` gives.
        name: as it is asked for.
        capabilities: what it can do.
        context_window: words of prompt and answer together.
        batch_rows: prompts answered together.
        seconds: of every batch, as reported; no time really passes.
        identity: by default the name, and a digest that is equal for equal scripts of plain data
            and new for every script that holds a function: two scripts never share cached answers.
    """

    def __init__(
        self,
        *,
        answers: Answers = "I see.",
        scores: Scores | None = None,
        name: str = "scripted",
        capabilities: Collection[Capability] = _BOTH,
        context_window: int = 4096,
        batch_rows: int = 8,
        seconds: float = 0.01,
        identity: ModelIdentity | None = None,
    ) -> None:
        self._answers = answers
        self._scores = scores
        self.capabilities = frozenset(capabilities)
        self.context_window = context_window
        self._batch_rows = batch_rows
        self._seconds = seconds
        self.identity = identity or ModelIdentity(name, _script_digest(answers, scores), "scripted")

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """Scripted scores. See `core.model.Model.score`."""
        longest = max(map(self.count_tokens, continuations))

        def one(prompt: Rendered) -> Scored:
            usage = self._usage(prompt, longest)
            return Scored(tuple(self._score(prompt, text) for text in continuations), usage)

        return self._batches([one(prompt) for prompt in prompts], done)

    def generate(
        self, prompts: Sequence[Rendered], sampling: Sampling, *, done: Collection[int] = ()
    ) -> Iterator[Batch[Generated]]:
        """Scripted answers. See `core.model.Model.generate`."""
        return self._batches([self._generate(prompt, sampling) for prompt in prompts], done)

    def stream(self, prompt: Rendered, sampling: Sampling) -> Pieces:
        """The scripted answer word by word."""
        whole = self._generate(prompt, sampling)
        for number, word in enumerate(whole.text.split(" ")):
            yield word if number == 0 else f" {word}"
        return whole

    def count_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def prompt_text(self, prompt: Rendered) -> str:
        """The turns, each behind its role."""
        turns = (f"<{turn.role}>{turn.text}\n" for turn in prompt.turns())
        return f"{''.join(turns)}<assistant>{prompt.prefill}"

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """Words of the prompt, and those of shared segments."""
        segments = [segment for message in prompt.messages for segment in message.segments]
        shared = sum(self.count_tokens(one.text) for one in segments if one.shared)
        return sum(self.count_tokens(one.text) for one in segments), shared

    def forget(self) -> None:
        """Nothing is kept."""

    def _generate(self, prompt: Rendered, sampling: Sampling) -> Generated:
        usage = self._usage(prompt, sampling.max_tokens)
        script = self._answers
        said: str | Generated
        if isinstance(script, str):
            said = script
        elif isinstance(script, Mapping):
            said = _by_row(script, prompt, "I see.")
        else:
            said = script(prompt)
        if isinstance(said, Generated):
            return replace(said, usage=replace(usage, output_tokens=self.count_tokens(said.text)))
        words = said.split()
        finished = len(words) <= sampling.max_tokens
        text = said if finished else " ".join(words[: sampling.max_tokens])
        used = replace(usage, output_tokens=min(len(words), sampling.max_tokens))
        return Generated(text, finished, logprob=-0.5, usage=used)

    def _score(self, prompt: Rendered, continuation: str) -> float:
        script = self._scores
        if isinstance(script, Mapping):
            known: Mapping[str, float] = _by_row(script, prompt, {})
            if continuation in known:
                return float(known[continuation])
        elif script is not None:
            return float(script(prompt, continuation))
        whole = f"{self.prompt_text(prompt)}\n{continuation}"
        return -1.0 - zlib.crc32(whole.encode()) % 4096 / 1024

    def _usage(self, prompt: Rendered, answer: int) -> Usage:
        """Words of the prompt after what does not fit is dropped: demonstrations, then the row.

        Raises:
            ContextOverflow: words that may not be cut do not fit.
        """
        room = self.context_window - answer
        shown = {one.demonstration for one in prompt.messages} - {None}
        most = 1 + max((number for number in shown if number is not None), default=-1)
        for dropped in range(most + 1):
            segments = [one for turn in prompt.turns(dropped) for one in turn.segments]
            words = sum(self.count_tokens(one.text) for one in segments)
            if words <= room or dropped == most:
                break
        fixed = sum(self.count_tokens(one.text) for one in segments if not one.trim)
        if fixed > room:
            raise ContextOverflow(
                f"The prompt alone has {fixed} words; {room} fit.", hint="shorten the instruction"
            )
        return Usage(
            input_tokens=min(words, room),
            computed_tokens=min(words, room),
            truncated_tokens=max(0, words - room),
            dropped_demonstrations=dropped,
        )

    def _batches(self, results: Sequence[Any], done: Collection[int]) -> Iterator[Batch[Any]]:
        finished = set(done)
        for start in range(0, len(results), self._batch_rows):
            indices = tuple(range(start, min(start + self._batch_rows, len(results))))
            if finished.issuperset(indices):
                continue
            made = tuple(results[index] for index in indices)
            tokens = sum(one.usage.computed_tokens for one in made)
            yield Batch(indices, made, self._seconds, tokens)


class ScriptedEmbedder:
    """Unit vectors of hashed letter triples: similar spelling, similar vectors."""

    def __init__(self, *, name: str = "scripted-embedder", dimension: int = 64) -> None:
        self.identity = ModelIdentity(name, digest([name, dimension]), "scripted")
        self.dimension = dimension
        self.max_tokens = 256

    def count_tokens(self, text: str) -> int:
        """Words and two more, though it reads every text to its end."""
        return len(text.split()) + 2

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Counts of letter triples by hash, scaled to length 1; float32 [texts, dimension]."""
        vectors = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for start in range(len(text) - 2):
                vectors[row, zlib.crc32(text[start : start + 3].encode()) % self.dimension] += 1
        unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


class ScriptedReranker:
    """Scores by a function of question and text; by default the words that both have.

    Args:
        score: higher is better.
        limit: words of a text that are read; what is longer is cut.
        name: as it is asked for.
        digest: of its identity.
    """

    def __init__(
        self,
        score: Callable[[str, str], float] | None = None,
        *,
        limit: int = 256,
        name: str = "scripted-reranker",
        digest: str = "scripted",
    ) -> None:
        self._score = score or _shared_words
        self._limit = limit
        self.identity = ModelIdentity(name, digest, "scripted")

    def score(self, question: str, texts: Sequence[str]) -> Relevance:
        """The scripted scores. See `core.model.Reranker.score`."""
        if len(question.split()) >= self._limit:
            raise ContextOverflow(f"The question has more than {self._limit} words.")
        read = [" ".join(text.split()[: self._limit]) for text in texts]
        cut = sum(len(text.split()) > self._limit for text in texts)
        return Relevance(tuple(float(self._score(question, text)) for text in read), cut)


def _shared_words(question: str, text: str) -> float:
    return float(len(set(question.lower().split()) & set(text.lower().split())))


class ScriptedSource:
    """A `core.model.ModelSource` that gives the same models under every name.

    Args:
        model: any language model; by default a `ScriptedModel` without a script.
        embedder: any embedding model; by default a `ScriptedEmbedder`.
        reranker: any reranker; by default a `ScriptedReranker`.
    """

    def __init__(
        self,
        model: Model | None = None,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._model: Model = model or ScriptedModel()
        self._embedder: Embedder = embedder or ScriptedEmbedder()
        self._reranker: Reranker = reranker or ScriptedReranker()

    def model(self, name: str) -> Model:
        """The language model."""
        return self._model

    def embedder(self, name: str) -> Embedder:
        """The embedding model."""
        return self._embedder

    def reranker(self, name: str) -> Reranker:
        """The reranker."""
        return self._reranker


def _by_row(script: Mapping[str, Any], prompt: Rendered, otherwise: Any) -> Any:
    """The entry for the row: the last message as rendered, before the instruction joins it."""
    return script.get(prompt.messages[-1].text, otherwise)


def _script_digest(answers: Answers, scores: Scores | None) -> str:
    if callable(answers) or callable(scores):
        return digest(["scripted", uuid.uuid4().hex])
    said = answers if isinstance(answers, str) else {k: str(v) for k, v in answers.items()}
    table = {text: dict(row) for text, row in (scores or {}).items()}
    return digest(["scripted", said, table])

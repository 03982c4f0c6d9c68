"""The one small interface to a language model, and what it answers.

Work comes back in *batches* so that a run can be written down as it goes: a model forms its batches
from the whole list it is given, then skips those whose rows are all done (DESIGN P9), so a resumed
run computes the same numbers as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from accordeur.core.rendering import Rendered

R_co = TypeVar("R_co", covariant=True)

FloatArray = npt.NDArray[np.float32]


ENDPOINT = "endpoint"
"""The device of models that are called."""


Choosing = Literal["", "top", "schema"]
"""How an answer is held to given texts: the most probable of their first tokens, or a schema."""


class Capability(StrEnum):
    """What a model can do; levers ask for these by name.

    `PREFIX`: a prompt's beginning has keys and values of its own, whatever follows it. `QUOTE`: it
    is a `Quoter`.
    """

    GENERATE = "generate"
    SCORE = "logprobs"
    EMBED = "embed"
    WEIGHTS = "weights"
    PREFIX = "prefix"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Everything about a loaded model that can change an answer; part of the plan and cache keys.

    Attributes:
        name: as the user wrote it, resolved (`local/smollm2`).
        digest: SHA-256 of the weights, or an endpoint's fingerprint.
        engine: name and version of the code that runs it.
        dtype: `float32` or `bfloat16`; empty where it is not known.
        threads: CPU threads, 0 where it does not matter.
        batch_tokens: token budget of a batch.
        template: SHA-256 of the chat template.
        device: where it runs; `endpoint` for a model that is called.
        deterministic: result independent of batch companions and order (D2).
    """

    name: str
    digest: str
    engine: str
    dtype: str = ""
    threads: int = 0
    batch_tokens: int = 0
    template: str = ""
    device: str = ""
    deterministic: bool = False

    @property
    def remote(self) -> bool:
        """Whether it is called: tokens cost money there, not seconds of this machine."""
        return self.device == ENDPOINT

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request. *Logical* is what a caller without any sharing would pay for."""

    input_tokens: int = 0
    output_tokens: int = 0
    computed_tokens: int = 0
    truncated_tokens: int = 0
    dropped_demonstrations: int = 0


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probabilities of one request's continuations.

    Attributes:
        scores: nats per continuation, summed over its tokens and the end of turn (DESIGN P4);
            float32 [continuations].
        usage: tokens.
        error: what went wrong, for an endpoint; there are no scores then, and the row is missing.
    """

    scores: tuple[float, ...]
    usage: Usage
    error: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated answer.

    Attributes:
        text: decoded, special tokens left out.
        finished: the model ended its turn by itself.
        logprob: mean log-probability of the generated tokens, nats.
        usage: tokens.
        error: what went wrong, for an endpoint; the row is then missing, not wrong.
        note: why there is no more of it, where that is known.
        seconds: its own call took; `None` where answers of a batch share their time.
    """

    text: str
    finished: bool
    logprob: float
    usage: Usage
    error: str = ""
    note: str = ""
    seconds: float | None = None


Pieces = Generator[str, None, Generated]
"""Pieces of a text as they are written; what the generator returns is the whole."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to decode. The default is greedy.

    Attributes:
        max_tokens: limit of new tokens.
        temperature: 0 is greedy.
        top_p: nucleus.
        seed: of the sampler; unused when greedy.
        choices: texts of which the answer is one, where the model can be held to them (`Chooser`).
        choose: how.
    """

    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    choices: tuple[str, ...] = ()
    choose: Choosing = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data, choices left out where there are none."""
        free = () if self.choices else ("choices", "choose")
        return {name: getattr(self, name) for name in self.__slots__ if name not in free}


@dataclass(frozen=True, slots=True)
class Quotable:
    """A text of which an answer may be a stretch.

    Attributes:
        text: it.
        starts: where a quote may begin, each with the least place at which it may end.
        ends: where it may end.
    """

    text: str
    starts: Mapping[int, int]
    ends: frozenset[int]


@dataclass(frozen=True, slots=True)
class Batch(Generic[R_co]):
    """Finished work: `results[i]` answers request `indices[i]`; `seconds` is the batch's wall time.

    `tokens` counts every position the engine computed for this batch, shared prefix included.
    """

    indices: tuple[int, ...]
    results: tuple[R_co, ...]
    seconds: float
    tokens: int = 0


@runtime_checkable
class Model(Protocol):
    """A base language model."""

    @property
    def identity(self) -> ModelIdentity:
        """Everything that can change an answer."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together."""
        ...

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """Log-probabilities of the same continuations, each with end of turn, after each prompt.

        Args:
            prompts: requests.
            continuations: answers to score, the same for every prompt.
            done: indices that need no answer; batches made of these alone are skipped.

        Raises:
            ContextOverflow: static text alone does not fit.
        """
        ...

    def generate(
        self,
        prompts: Sequence[Rendered],
        sampling: Sampling,
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Generated]]:
        """An answer to each prompt. Arguments and errors as `score`."""
        ...

    def stream(self, prompt: Rendered, sampling: Sampling) -> Pieces:
        """One answer, piece by piece."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of plain text, no special ones."""
        ...

    def prompt_text(self, prompt: Rendered) -> str:
        """The decoded prompt exactly as the model receives it, for people to read."""
        ...

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """Tokens of a prompt and how many of them are shared between requests, before cutting."""
        ...

    def forget(self) -> None:
        """Drop caches of prefixes, so that the next request is measured cold."""
        ...


@runtime_checkable
class Quoter(Model, Protocol):
    """A model whose answer can be held to stretches of given texts."""

    def quote(
        self,
        prompts: Sequence[Rendered],
        texts: Sequence[Sequence[Quotable]],
        max_tokens: int,
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Generated]]:
        """The likeliest stretch of its texts after each prompt, as far as a beam finds it.

        Args:
            prompts: requests.
            texts: of each prompt; without any its answer is empty.
            max_tokens: of a stretch.
            done: as for `generate`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Delta:
    """The low-rank update of one linear module: W becomes W + scale * B @ A.

    Attributes:
        a, b: float32 [r, in] and [out, r].
        scale: factor of B @ A.
        magnitude: float32 [out] or `None`; with it (DoRA) every row of the updated weight is scaled
            to this length.
    """

    a: FloatArray
    b: FloatArray
    scale: float
    magnitude: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Keys and values that stand instead of those a prompt's first tokens would make.

    Attributes:
        tokens: the P tokens they stand for; a prompt must begin with them.
        keys, values: float32 [layers, heads, P, size], keys after the rotary embedding.
    """

    tokens: tuple[int, ...]
    keys: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What training added to a base model.

    Attributes:
        soft_prompt: vectors of virtual tokens, float32 [n, width]; `None` without any.
        prefix: trained keys and values of the prompt's first tokens; `None` without any.
        deltas: module name -> its update. Names are those of the model's modules.
        weights: a safetensors file of all weights, which replace the base's; empty without any.
    """

    soft_prompt: FloatArray | None = None
    prefix: KeyValues | None = None
    deltas: Mapping[str, Delta] = field(default_factory=dict)
    weights: bytes = field(default=b"", repr=False)


@runtime_checkable
class Adaptable(Protocol):
    """A model whose weights are here (`Capability.WEIGHTS`)."""

    def adapted(self, adaptation: Adaptation) -> Model:
        """The model with what training added; the base itself is not changed.

        Raises:
            ModelError: the adaptation does not fit this model.
        """
        ...


@runtime_checkable
class Chooser(Protocol):
    """A model that writes, and can be held to given texts (`Sampling.choices`)."""

    @property
    def choosing(self) -> Choosing:
        """How it is done here, as `Sampling.choose`; empty where it cannot be done."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """A text embedding model."""

    @property
    def identity(self) -> ModelIdentity:
        """Everything that can change a vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest text that is read to its end, special tokens included; 0 where not known."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, uncut, special ones included: what `max_tokens` is compared with."""
        ...

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]; what is past `max_tokens` is not read."""
        ...


@dataclass(frozen=True, slots=True)
class Relevance:
    """How well texts answer one question.

    Attributes:
        scores: of each text, higher is better; comparable within one question alone.
        cut: texts whose end was not read.
    """

    scores: tuple[float, ...]
    cut: int = 0


@runtime_checkable
class Reranker(Protocol):
    """A model that reads a question and a text together and says how well one answers the other."""

    @property
    def identity(self) -> ModelIdentity:
        """Everything that can change a score."""
        ...

    def score(self, question: str, texts: Sequence[str]) -> Relevance:
        """The relevance of each text. A text that is too long is cut, the question never.

        Raises:
            ContextOverflow: the question leaves no room for a text.
        """
        ...


class ModelSource(Protocol):
    """Gives models by name, each loaded once. Wired by `bench`, `cli` and tests."""

    def model(self, name: str) -> Model:
        """The language model of this name.

        Raises:
            ModelError: it cannot be found or loaded.
        """
        ...

    def embedder(self, name: str) -> Embedder:
        """The embedding model of this name. Errors as `model`."""
        ...

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name. Errors as `model`."""
        ...


@dataclass(frozen=True, slots=True)
class DtypeTrial:
    """The short trial that chose a dtype: tokens per second of each."""

    chosen: str
    tokens_per_second: Mapping[str, float] = field(default_factory=dict)

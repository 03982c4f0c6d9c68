"""A Hugging Face language model on this machine, behind the interface of `core.model`.

One class serves both kinds of transformer. A decoder-only model reads chat-templated prompts; an
encoder-decoder (T5) reads one plain text with its encoder and answers with its decoder. What
differs is the tokenizer (`template`, `encoder_text`) and the body (`llama`, `adapter`,
`encoder_decoder`), chosen when the model is loaded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch

from accordeur.core.errors import ModelError, UsageError
from accordeur.core.model import (
    Adaptation,
    Batch,
    Capability,
    DtypeTrial,
    FloatArray,
    Generated,
    ModelIdentity,
    Pieces,
    Quotable,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered
from accordeur.models.local import adapter, batching
from accordeur.models.local.adaptation import change_weights
from accordeur.models.local.batching import Work
from accordeur.models.local.body import Body, Prefix
from accordeur.models.local.dtype_trial import DTYPES, choose_dtype
from accordeur.models.local.encoder_text import EncoderText
from accordeur.models.local.fitting import Prompt, fit
from accordeur.models.local.generation import Decoded, decode, decode_steps, row_seed
from accordeur.models.local.in_flight import Asked, InFlight, Order
from accordeur.models.local.kept_prefix import KeptPrefixBody
from accordeur.models.local.llama import LlamaBody
from accordeur.models.local.pieces import PromptTokenizer
from accordeur.models.local.prefix_cache import PrefixCache
from accordeur.models.local.quoting import Vocabulary, quote
from accordeur.models.local.scoring import score_rows
from accordeur.models.local.template import ChatTokenizer
from accordeur.models.local.token_logprobs import Echoed, token_logprobs
from accordeur.models.local.trie import Trie, build_trie

ENGINE = 2
"""Raised when a change of the engine can change a number."""

GENERATION_TOKENS = 16_384
GENERATION_ROWS = 64
"""Budget of a decoding batch, prompt and answer, and its rows at most."""

CONVERSATION = 64
"""Tokens of a row from which on its keys and values are kept when it is written alone."""


class LocalModel:
    """A language model that runs here.

    With `deterministic` (D2) it computes in float32, every request alone, so a result is
    bit-identical whatever was asked beside it and in whatever order.

    Use `load`; the constructor takes what is already loaded.
    """

    def __init__(
        self,
        loaded: adapter.Loaded,
        body: Body,
        chat: PromptTokenizer,
        identity: ModelIdentity,
        trial: DtypeTrial | None,
        place: str | Path,
    ) -> None:
        self._body = body
        self._identity = identity
        self._head = loaded.head
        self._window = loaded.context_window
        self._prefixes = PrefixCache(body)
        self._loaded = replace(loaded, model=None)  # the body has what it needs of it
        self._chat = chat
        self._stop = loaded.stop | {self._chat.end_of_turn}
        self.trial = trial
        self._place = place

    @classmethod
    def load(
        cls,
        place: str | Path,
        *,
        name: str,
        digest: str,
        dtype: str | None = None,
        deterministic: bool = False,
        device: str | None = None,
    ) -> LocalModel:
        """Load a model.

        Args:
            place: a folder, or a name on the Hugging Face hub.
            name: as identities show it.
            digest: of the weights.
            dtype: `float32` or `bfloat16`; by default whichever a short trial shows to be faster,
                and float32 for an encoder-decoder.
            deterministic: results independent of companions and order; float32 only.
            device: `cpu` or `cuda`; by default CUDA where there is one.

        Raises:
            ModelError: it cannot be loaded.
            UsageError: an unknown dtype, or bfloat16 asked for together with `deterministic`.
        """
        if dtype is not None and dtype not in DTYPES:
            raise UsageError(f"`{dtype}` is no dtype.", hint=f"known: {', '.join(DTYPES)}")
        if deterministic and dtype not in (None, "float32"):
            raise UsageError("Deterministic runs compute in float32.", hint="leave out the dtype")
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        trial = None
        if deterministic:
            dtype = "float32"
        elif dtype is None:
            dtype = "float32"
            if (sizes := adapter.sizes(place)) is not None:
                width, inner, layers = sizes
                trial = choose_dtype(digest, width=width, inner=inner, layers=layers, device=where)
                dtype = trial.chosen
        loaded = adapter.load(place, dtype=DTYPES[dtype], device=where)
        form = EncoderText if loaded.encoder_decoder else ChatTokenizer
        chat: PromptTokenizer = form(loaded.tokenizer)
        identity = ModelIdentity(
            name=name,
            digest=digest,
            engine=f"accordeur-local/{ENGINE} torch/{torch.__version__} "
            f"transformers/{adapter.VERSION}",
            dtype=dtype,
            threads=torch.get_num_threads() if where.type == "cpu" else 0,
            batch_tokens=batching.TOKENS,
            template=chat.digest,
            device=where.type,
            deterministic=deterministic,
        )
        return cls(loaded, adapter.body_of(loaded), chat, identity, trial, place)

    def modules(self, adaptation: Adaptation | None = None) -> adapter.Loaded:
        """The modules of transformers, loaded anew for training: frozen, in evaluation mode.

        Args:
            adaptation: its weights and deltas are put in.

        Raises:
            ModelError: the adaptation does not fit this model.
        """
        loaded = adapter.load(
            self._place, dtype=DTYPES[self._identity.dtype], device=self._head.weight.device
        )
        if adaptation is not None:
            change_weights(loaded.model, adaptation)
        return loaded

    def write(self, folder: Path, adaptation: Adaptation) -> None:
        """The model with changed weights as a Hugging Face folder: safetensors, tokenizer, config.

        Raises:
            ModelError: the adaptation does not fit this model.
            OSError: the folder cannot be written.
        """
        adapter.save(self.modules(adaptation), folder)

    def adapted(self, adaptation: Adaptation, *, beside: bool = False) -> LocalModel:
        """The model with virtual tokens, trained prefix or weights; see `core.model.Adaptable`.

        Unless weights change they are shared; else the model is loaded once more.

        Args:
            adaptation: what is added.
            beside: low-rank updates stand beside the weights where they can, which are then shared,
                too. Each costs some time with every token; merged they cost none, and a copy.
        """
        model = self
        body: Body | None = None
        if beside and not adaptation.weights and isinstance(self._body, LlamaBody):
            body = self._body.with_deltas(adaptation.deltas)
        if body is not None:
            model = self._with(self._loaded, body, self._chat)
        elif adaptation.deltas or adaptation.weights:
            loaded = self.modules(adaptation)
            model = self._with(loaded, adapter.body_of(loaded), self._chat)
        if adaptation.prefix is not None:
            body = KeptPrefixBody(model._body, adaptation.prefix)
            model = model._with(model._loaded, body, self._chat)
        return model._softened(adaptation.soft_prompt)

    def _with(self, loaded: adapter.Loaded, body: Body, chat: PromptTokenizer) -> LocalModel:
        return LocalModel(loaded, body, chat, self._identity, self.trial, self._place)

    def _softened(self, vectors: FloatArray | None) -> LocalModel:
        if vectors is None:
            return self
        width = self._head.weight.shape[1]
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise ModelError(
                f"The soft prompt's vectors have shape {vectors.shape}; this model's are {width} "
                "wide.",
                hint="use the base model that the bundle names",
            )
        first = self._body.vocabulary
        return self._with(
            self._loaded,
            self._body.with_virtual(torch.from_numpy(vectors)),
            self._chat.with_virtual(range(first, first + len(vectors))),
        )

    @property
    def identity(self) -> ModelIdentity:
        """Everything that can change an answer."""
        return self._identity

    @property
    def chat(self) -> PromptTokenizer:
        """Its tokenizer, which puts messages into the form it reads."""
        return self._chat

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All that generation, scores and weights allow; more of a decoder-only model."""
        found = {Capability.GENERATE, Capability.SCORE, Capability.WEIGHTS}
        causal = {Capability.PREFIX, Capability.QUOTE} if self._chat.causal else set()
        return frozenset(found | causal)

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together; of an encoder-decoder, tokens of the prompt."""
        return self._window

    @property
    def vocabulary(self) -> int:
        """Tokens there are."""
        return self._body.vocabulary

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """Log-probabilities of the same continuations after each prompt; see `core.model.Model`.

        Logical tokens are those of every prompt with every continuation.
        """
        if not continuations:
            raise UsageError("There is nothing to score: no continuations were given.")
        answers = [self._chat.continuation(text) for text in continuations]
        trie = build_trie(answers)
        fitted = self._fit(prompts, max(len(answer) for answer in answers))
        logical = sum(len(answer) for answer in answers)
        works = batching.plan(
            fitted,
            extra=trie.nodes,
            stems=self._chat.causal,
            alone=self._identity.deterministic,
        )
        return self._score(works, fitted, trie, logical, len(answers), frozenset(done))

    def _score(
        self,
        works: Sequence[Work],
        fitted: Sequence[Prompt],
        trie: Trie,
        logical: int,
        labels: int,
        done: frozenset[int],
    ) -> Iterator[Batch[Scored]]:
        for work in works:
            if done.issuperset(work.indices):
                continue
            began = time.perf_counter()
            prefix, computed = self._prefixes.with_stem(work.prefix, work.stem)
            rows = [row.tokens for row in work.rows]
            scores = score_rows(self._body, self._head, rows, trie, prefix).tolist()
            results = []
            for row, values in zip(work.rows, scores, strict=True):
                own = len(row.tokens) + trie.nodes
                computed += own
                for index in row.indices:
                    length = labels * len(fitted[index].tokens) + logical
                    usage = _usage(fitted[index], length, 0, own)
                    results.append(Scored(tuple(values), usage))
            seconds = time.perf_counter() - began
            yield Batch(work.indices, tuple(results), seconds, computed)

    def generate(
        self,
        prompts: Sequence[Rendered],
        sampling: Sampling,
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Generated]]:
        """An answer to each prompt; see `core.model.Model`."""
        _check(sampling)
        fitted = self._fit(prompts, sampling.max_tokens)
        # A repeated prompt is one row to the plan, and as many sequences as it is sampled.
        again = Counter(one.tokens for one in fitted) if sampling.temperature > 0 else Counter()
        copies = max(again.values(), default=1)
        works = batching.plan(
            fitted,
            extra=sampling.max_tokens,
            budget=max(1, GENERATION_TOKENS // copies),
            most=max(1, GENERATION_ROWS // copies),
            stems=self._chat.causal,
            alone=self._identity.deterministic,
        )
        return self._generate(works, fitted, sampling, frozenset(done))

    def _generate(
        self,
        works: Sequence[Work],
        fitted: Sequence[Prompt],
        sampling: Sampling,
        done: frozenset[int],
    ) -> Iterator[Batch[Generated]]:
        seen: Counter[tuple[int, ...]] = Counter()
        for work in works:
            # A repeated prompt is sampled anew each time, but decoded greedily only once.
            repeats = [len(row.indices) if sampling.temperature > 0 else 1 for row in work.rows]
            rows = [r.tokens for r, n in zip(work.rows, repeats, strict=True) for _ in range(n)]
            streams = []
            for row, repeat in zip(work.rows, repeats, strict=True):
                whole = fitted[row.indices[0]].tokens
                streams += [row_seed(sampling.seed, whole, seen[whole] + n) for n in range(repeat)]
                seen[whole] += repeat
            if done.issuperset(work.indices):
                continue
            began = time.perf_counter()
            prefix, computed = self._prefixes.with_stem(work.prefix, work.stem)
            decoded = decode(self._body, self._head, rows, prefix, sampling, self._stop, streams)
            computed += sum(len(row) for row in rows) + sum(len(d.logprobs) for d in decoded)
            answers = iter(decoded)
            results = []
            for row, repeat in zip(work.rows, repeats, strict=True):
                own = [next(answers) for _ in range(repeat)]
                for at, index in enumerate(row.indices):
                    answer = own[at % repeat]
                    results.append(self._generated(fitted[index], answer, len(row.tokens)))
            seconds = time.perf_counter() - began
            yield Batch(work.indices, tuple(results), seconds, computed)

    def quote(
        self,
        prompts: Sequence[Rendered],
        texts: Sequence[Sequence[Quotable]],
        max_tokens: int,
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Generated]]:
        """A stretch of its texts after each prompt; see `core.model.Quoter` and `quoting`.

        Every prompt is a batch of its own: a beam is four rows, and no two have the same texts.
        """
        _check(Sampling(max_tokens))
        fitted = self._fit(prompts, max_tokens)
        return self._quote(fitted, texts, max_tokens, frozenset(done))

    def _quote(
        self,
        fitted: Sequence[Prompt],
        texts: Sequence[Sequence[Quotable]],
        max_tokens: int,
        done: frozenset[int],
    ) -> Iterator[Batch[Generated]]:
        for at, (prompt, quotable) in enumerate(zip(fitted, texts, strict=True)):
            if at in done:
                continue
            began = time.perf_counter()
            prefix, read = self._prefixes.get(prompt.prefix)
            found = quote(
                self._body,
                self._head,
                prompt.row,
                prefix,
                self._stop,
                self._vocabulary,
                quotable,
                max_tokens,
            )
            computed = len(prompt.row) + found.computed
            written = len(found.tokens) + bool(found.tokens)
            made = Generated(
                text=self._vocabulary.text(found.tokens),
                finished=True,
                logprob=found.logprob / max(1, written),
                usage=_usage(prompt, len(prompt.tokens), written, computed),
            )
            yield Batch((at,), (made,), time.perf_counter() - began, read + computed)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._chat.spellings())

    def _generated(self, prompt: Prompt, answer: Decoded, own: int) -> Generated:
        written = len(answer.logprobs)
        return Generated(
            text=self._chat.decode(answer.tokens),
            finished=answer.finished,
            logprob=answer.logprob,
            usage=_usage(prompt, len(prompt.tokens), written, own + written),
        )

    def stream(self, prompt: Rendered, sampling: Sampling) -> Pieces:
        """One answer, piece by piece; the pieces concatenate to the text of `generate`."""
        _check(sampling)
        fitted = self._fit([prompt], sampling.max_tokens)[0]
        return self._stream(fitted, sampling)

    def _stream(self, fitted: Prompt, sampling: Sampling) -> Pieces:
        prefix, row, read = self._before(fitted)
        answer = Decoded()
        streams = [row_seed(sampling.seed, fitted.tokens, 0)]
        given = ""
        steps = decode_steps(
            self._body, self._head, [row], prefix, sampling, self._stop, [answer], streams
        )
        for _ in steps:
            text = self._chat.decode(answer.tokens)
            # A character may take several tokens; its first half decodes to U+FFFD.
            if len(text) > len(given) and not text.endswith("\ufffd"):
                yield text[len(given) :]
                given = text
        text = self._chat.decode(answer.tokens)
        if len(text) > len(given):
            yield text[len(given) :]
        return self._generated(fitted, answer, read)

    def _before(self, prompt: Prompt) -> tuple[Prefix | None, tuple[int, ...], int]:
        """What is known before a single text is written, what is left to read, and how many tokens
        are read for this prompt.

        A long row may be a conversation, of which the next message brings little that is new; its
        keys and values are kept. Not under D2, where numbers depend on the prompt alone.
        """
        prefix, _ = self._prefixes.get(prompt.prefix)
        fresh = len(prompt.row) < CONVERSATION or self._identity.deterministic
        if fresh or not self._chat.causal:
            return prefix, prompt.row, len(prompt.row)
        prefix, read = self._prefixes.grown(prompt.tokens[:-1])
        return prefix, prompt.row[-1:], read + 1

    def fit(self, prompt: Rendered, answer: int) -> Prompt:
        """The prompt's tokens, cut to leave room for an answer of so many; see `fitting.fit`."""
        return fit(self._chat, prompt, self.context_window, answer)

    def begin(self, orders: Sequence[Order]) -> InFlight:
        """Answers to be written a token a step; their prompts have one prefix."""
        for one in orders:
            _check(one.sampling)
        if len(orders) == 1:
            prefix, row, _ = self._before(orders[0].prompt)
            rows = [row]
        else:
            prefix, _ = self._prefixes.get(orders[0].prompt.prefix)
            rows = [one.prompt.row for one in orders]
        asked = [
            Asked(
                row,
                one.sampling,
                row_seed(one.sampling.seed, one.prompt.tokens, one.again),
                one.top,
            )
            for row, one in zip(rows, orders, strict=True)
        ]
        return InFlight(self._body, self._head, prefix, self._stop, asked)

    def token_logprobs(
        self, sequences: Sequence[tuple[int, ...]], *, shared: int = 0, top: int = 0
    ) -> list[Echoed]:
        """log p of every token of given sequences; see `token_logprobs.token_logprobs`.

        Args:
            sequences: tokens, none empty, none longer than the context.
            shared: first tokens of all of them that later calls start with, too. They are kept and
                get no log-probabilities.
            top: likeliest tokens to note at every place.
        """
        prefix, _ = self._prefixes.get(sequences[0][:shared])
        return token_logprobs(self._body, self._head, sequences, prefix, top)

    def count_tokens(self, text: str) -> int:
        """Tokens of plain text, no special ones."""
        return len(self._chat.plain(text))

    def prompt_text(self, prompt: Rendered) -> str:
        """The decoded prompt as the model receives it, before anything is cut."""
        pieces = self._chat.pieces(prompt)
        return self._chat.decode([at for piece in pieces for at in piece.tokens], special=True)

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """Tokens of a prompt and how many of them are shared between requests, before cutting."""
        fitted = fit(self._chat, prompt, 2**60, 0)
        return len(fitted.tokens), len(fitted.prefix)

    def forget(self) -> None:
        """Drop the prefix cache."""
        self._prefixes.clear()

    def _fit(self, prompts: Sequence[Rendered], answer: int) -> list[Prompt]:
        return [self.fit(prompt, answer) for prompt in prompts]


def _check(sampling: Sampling) -> None:
    if sampling.max_tokens < 1:
        raise UsageError("`max_tokens` must be at least 1.")


def _usage(prompt: Prompt, inputs: int, outputs: int, computed: int) -> Usage:
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        computed_tokens=computed,
        truncated_tokens=prompt.truncated,
        dropped_demonstrations=prompt.dropped,
    )

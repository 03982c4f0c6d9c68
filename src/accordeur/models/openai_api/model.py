"""A chat model behind an endpoint, as the rest of the program sees a model.

It writes, and scores labels where the endpoint can (`abilities`). Weights are not to be had over
this wire, so levers that need them are refused at planning.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from accordeur.core.errors import EndpointGone, ModelError, NoLogprobs, PlanError
from accordeur.core.model import (
    ENDPOINT,
    Batch,
    Capability,
    Choosing,
    Generated,
    ModelIdentity,
    Pieces,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered
from accordeur.models.openai_api.abilities import Abilities, Memory, Way
from accordeur.models.openai_api.allowance import Purse
from accordeur.models.openai_api.choosing import (
    FORMATS,
    JSON_TOKENS,
    MOST_TOP,
    chosen,
    held_to,
    top_choice,
)
from accordeur.models.openai_api.client import Client, Patience, about_tokens
from accordeur.models.openai_api.driving import Done, Driver
from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.models.openai_api.fingerprints import Fingerprints
from accordeur.models.openai_api.fitting import Fitted, Fitting
from accordeur.models.openai_api.probing import Probe
from accordeur.models.openai_api.scoring import Scorer
from accordeur.models.openai_api.token_wire import Tokens, text_body
from accordeur.models.openai_api.vendors import Endpoint
from accordeur.models.openai_api.wire import Reply, Turns, chat_body, messages, plain

T = TypeVar("T")
R = TypeVar("R")

ENGINE = "openai-api/1"

MOST = 32
"""Calls at once at most, unless said otherwise."""

KEPT_COUNTS = 4_096
"""Texts whose tokens were counted and are not asked for again."""

UNKNOWN_WINDOW = 32_768
"""Context taken for granted where the endpoint does not tell it."""


_WANTS = {
    Way.LOGPROBS: "it tells no log-probabilities of given tokens (`/tokenize` and `echo`)",
    Way.TOP: "it tells no probable first tokens, or the labels begin alike",
    Way.SCHEMA: "it holds no answer to a JSON schema",
    Way.PARSE: "",
}


class EndpointModel:
    """A model that is called. An `EndpointGone` of it has the `Failure` as its cause.

    Args:
        endpoint: where.
        name: of the model there.
        most: calls at once at most.
        patience: when to give up.
        allowance: how much may be spent.
        log: told what is found out about the endpoint.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        most: int = MOST,
        patience: Patience | None = None,
        allowance: Purse | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._name = name
        self._most = most
        self._log = log
        self._driver = Driver()
        self._client = Client(endpoint, most=most, patience=patience, allowance=allowance)
        self._told: frozenset[str] = frozenset()
        self._counts: dict[str, int] = {}
        self._labels_by: Way | None = None
        self._memory = Memory(endpoint.base_url, name)
        self._abilities: Abilities | None = None
        self._asking = threading.Lock()
        self._window: int | None = None
        self._fitting: Fitting | None = None
        self._scores: Scorer | None = None
        self._remembered: Abilities | None = None
        self._fingerprints = Fingerprints(self._memory)
        self._client.on_fingerprint = self._fingerprints.answered  # which must not hold the model
        self._without: tuple[str, ...] = ()
        self._continuations: dict[str, Tokens] = {}
        self._resolved: tuple[str, ...] = ()
        weakref.finalize(self, _close, self._driver, self._client)

    @property
    def identity(self) -> ModelIdentity:
        """Name and address; once it was asked (`check`), the name the endpoint resolves it to and
        the fields it does not take: without `temperature` an answer is another. And the way in
        which labels are chosen, once that is settled.

        What runs behind them is the endpoint's secret (D0): other weights behind the same names
        are noticed only where `fingerprints` tell.
        """
        left_out = (f"without:{','.join(self._without)}",) if self._without else ()
        labels = (f"labels:{self._labels_by}",) if self._labels_by else ()
        digest = hashlib.sha256(json.dumps([self._endpoint.base_url, self._name]).encode())
        return ModelIdentity(
            f"{self._endpoint.vendor.name}/{self._name}",
            digest.hexdigest(),
            " ".join([ENGINE, self._endpoint.base_url, *self._resolved, *left_out, *labels]),
            device=ENDPOINT,
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        """It writes, and may score. Whether it can is known once it was asked (`check`)."""
        known = self._known()
        scores = not known or known.exact
        if self._labels_by is not None:
            scores = self._labels_by is Way.LOGPROBS
        return frozenset({Capability.GENERATE} | ({Capability.SCORE} if scores else set()))

    @property
    def context_window(self) -> int:
        """As the endpoint tells it, in its list of models or when it refused a prompt, else
        `UNKNOWN_WINDOW`, also while it does not answer. That list is all that is asked for."""
        if not self._fit.window and self._window is None:
            told = (self._abilities or self._memory.read()).window
            if told is None:
                try:
                    told = self._one(self._probe(lambda _: None).window())
                except EndpointGone:
                    return UNKNOWN_WINDOW
            self._window = self._fit.window = told
        return self._fit.window or UNKNOWN_WINDOW

    @property
    def abilities(self) -> Abilities:
        """What it can do, from memory; asked where it was not yet.

        Raises:
            EndpointGone: it does not answer.
        """
        with self._asking:
            if self._abilities is None:
                self.check()
            assert self._abilities is not None
            return self._abilities

    def _known(self) -> Abilities | None:
        """What it can do, without asking; `None` where it was never asked."""
        if self._abilities is None and self._remembered is None:
            self._remembered = self._memory.read()
        known = self._abilities or self._remembered
        return None if known is None or known.unknown else known

    @property
    def fingerprints(self) -> Mapping[str, int]:
        """Systems that answered, and how often, in this process."""
        return dict(self._fingerprints.seen)

    @property
    def driver(self) -> Driver:
        """What waits for its calls."""
        return self._driver

    @property
    def client(self) -> Client:
        """What makes the calls; it knows their pace and what was spent."""
        return self._client

    def check(self, *, anew: bool = False) -> None:
        """Make sure that it answers, with one short call; learn what answers and what it can do.

        Args:
            anew: forget what it could do when it was asked before.

        Raises:
            EndpointGone: it does not answer.
        """
        body = self._body([{"role": "user", "content": "Say yes."}], Sampling(max_tokens=16))
        reply = self._one(self._client.chat(body))
        resolved = reply.model or self._name
        self._resolved = (resolved,) if resolved != self._name else ()
        self._without = tuple(sorted(self._client.without))
        known = Abilities() if anew else self._memory.read(resolved)
        if known.unknown:
            keep = functools.partial(self._memory.write, resolved=resolved)
            if anew:
                self._memory.forget_tokens(resolved)
            known = self._one(self._probe(keep).ask(known))
        self._memory.write(known, resolved)
        self._abilities = known
        self._fitting = self._scores = None
        self._continuations = self._memory.tokens(resolved)
        self._tell()

    def _probe(self, keep: Callable[[Abilities], None]) -> Probe:
        return Probe(self._client, self._endpoint, self._name, keep)

    def choose_labels(self, labels: Sequence[str], wanted: Way | None = None) -> Way:
        """Settle in which way labels are chosen.

        Args:
            labels: their texts.
            wanted: the way that is asked for; by default the best there is.

        Raises:
            EndpointGone: it does not answer.
            PlanError: it cannot be done in the way that is asked for.
        """
        possible = list(self.abilities.ways(labels))
        if wanted is not None and wanted not in possible:
            raise PlanError(
                f"`{self.identity.name}` cannot choose labels by `{wanted}`: {_WANTS[wanted]}.",
                hint=f"--labels-by {possible[0]}",
            )
        way = wanted or possible[0]
        if way is Way.LOGPROBS:
            try:
                self._labels(self._scorer(), tuple(labels))
            except ModelError as error:
                if wanted is not None or isinstance(error, EndpointGone):
                    raise
                way = possible[1]
        self._labels_by = way
        return way

    @property
    def choosing(self) -> Choosing:
        """How an answer is held to labels; see `core.model.Chooser`."""
        if self._labels_by is Way.TOP:
            return "top"
        return "schema" if self._labels_by is Way.SCHEMA else ""

    @property
    def labels_by(self) -> str:
        """The way in which labels are chosen; empty until it is settled."""
        return self._labels_by or ""

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """Log-probabilities of the same continuations after each prompt, where the endpoint tells
        them. See `core.model.Model.score`; failures of calls and seconds as `generate`.

        Raises:
            EndpointGone: as `generate`.
            NoLogprobs: the endpoint tells none.
            ModelError: its chat template does not let a label stand as it is.
        """
        known = self.abilities
        if not known.exact or known.echo is None:
            raise NoLogprobs(
                f"`{self.identity.name}` tells no log-probabilities of labels.",
                hint="run it anew: accordeur run ... --labels-by parse",
            )
        scorer = self._scorer()
        labels = self._labels(scorer, tuple(continuations))
        longest = max(map(len, labels)) + known.echo

        async def make(index: int) -> Scored:
            async def send(prompt: Rendered) -> Scored:
                return await scorer.score(await scorer.prompt(prompt), labels)

            scored, fitted = await self._fit.call(prompts[index], longest, send)
            return replace(scored, usage=_cut_usage(scored.usage, fitted))

        def read(one: Done[Scored]) -> Scored:
            if isinstance(one.answer, Failure):
                return Scored((), Usage(), error=str(one.answer))
            return one.answer

        return self._batches(len(prompts), done, make, read)

    def _labels(self, scorer: Scorer, texts: tuple[str, ...]) -> tuple[Tokens, ...]:
        """Tokens of labels, asked for once and remembered."""

        def keep(text: str, tokens: Tokens) -> None:
            self._continuations[text] = tokens
            self._memory.add_tokens((*self._resolved, self._name)[0], text, tokens)

        return self._one(scorer.continuations(texts, self._continuations, keep))

    def generate(
        self,
        prompts: Sequence[Rendered],
        sampling: Sampling,
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Generated]]:
        """An answer to each prompt, in the order they come. See `core.model.Model.generate`.

        A call that fails for good gives a `Generated` with its error. Seconds are of the clock:
        calls that run at once share them.

        Raises:
            EndpointGone: no call would succeed: the key is refused, the model or the endpoint gone,
                the budget used up.
        """
        seen: dict[str, int] = {}
        seeds = []
        for prompt in prompts:
            # The same prompt several times is sampled anew each time, resumed or not.
            text = json.dumps(prompt.to_json())
            seeds.append(sampling.seed + seen.get(text, 0))
            seen[text] = seen.get(text, 0) + 1

        format_ = (self._known() or Abilities()).schema or FORMATS[0]
        more: dict[str, Any] = {}
        limit = sampling.max_tokens
        if sampling.choose == "top":
            top = (self._known() or Abilities()).top or MOST_TOP
            more = {"logprobs": True, "top_logprobs": top}
        elif sampling.choices:
            more = held_to(sampling.choices, format_)
            limit += JSON_TOKENS
            more[self._client.limit_field] = limit

        async def make(index: int) -> tuple[Reply, Fitted]:
            async def send(prompt: Rendered) -> Reply:
                body = {**self._body(self._turns(prompt), sampling), **more}
                body["seed"] = seeds[index] % 2**31
                return _held(await self._client.chat(body), sampling, format_)

            reply, fitted = await self._fit.call(prompts[index], limit, send)
            self._fit.observe(fitted.prompt, reply.input_tokens)
            return reply, fitted

        def read(one: Done[tuple[Reply, Fitted]]) -> Generated:
            if isinstance(one.answer, Failure):
                return Generated("", False, 0.0, Usage(), error=str(one.answer))
            return self._generated(*one.answer, one.seconds)

        return self._batches(len(prompts), done, make, read)

    def _batches(
        self,
        count: int,
        done: Collection[int],
        make: Callable[[int], Awaitable[T]],
        read: Callable[[Done[T]], R],
    ) -> Iterator[Batch[R]]:
        """Calls for all indices that are not done, as they are answered.

        Raises:
            EndpointGone: no call would succeed.
        """
        finished = frozenset(done)
        wanted = [index for index in range(count) if index not in finished]
        last = time.monotonic()
        try:
            for group in self._driver.many(self._client, wanted, make, self._most):
                self._tell()
                now = time.monotonic()
                results = tuple(read(one) for one in group)
                yield Batch(tuple(one.index for one in group), results, now - last)
                last = time.monotonic()
        except Failure as failure:  # one that no other call would escape
            raise self._error(failure) from failure

    def stream(self, prompt: Rendered, sampling: Sampling) -> Pieces:
        """One answer, piece by piece; the whole is as `generate` gives it.

        Raises:
            EndpointGone: it fails.
        """
        began = time.monotonic()
        try:
            fitted = self._driver.call(self._fit.fit(prompt, sampling.max_tokens))
            body = self._body(self._turns(fitted.prompt), sampling, stream=True)
            for piece in self._driver.stream(self._client.stream(body)):
                if isinstance(piece, str):
                    yield piece
                else:
                    whole = piece
        except Failure as failure:
            raise self._error(failure) from failure
        return self._generated(whole, fitted, time.monotonic() - began)

    def count_tokens(self, text: str) -> int:
        """As the endpoint counts, where it makes tokens for others; else about.

        Raises:
            EndpointGone: it was known to, and does not answer.
        """
        known = self._known()
        if known is None or not known.turn_end:
            return about_tokens(text)
        if len(self._counts) >= KEPT_COUNTS:
            self._counts.clear()
        count = self._counts.get(text)
        if count is None:
            tokens = self._one(self._client.tokens(text_body(self._name, text))) if text else ()
            count = self._counts[text] = len(tokens)
        return count

    def prompt_text(self, prompt: Rendered) -> str:
        """The messages as they are sent; what the endpoint makes of them is not known."""
        return "\n\n".join(f"{one['role']}: {plain(one['content'])}" for one in messages(prompt))

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """About how many, and how many of them every request repeats."""
        total = shared = 0
        for turn in prompt.turns():
            for segment in turn.segments:
                tokens = self.count_tokens(segment.text)
                total += tokens
                shared += tokens if segment.shared else 0
        return total, shared

    def forget(self) -> None:
        """Drop the tokens of prompts that were counted."""
        self._counts.clear()
        if self._scores is not None:
            self._scores.forget()

    def close(self) -> None:
        """Close the connections."""
        _close(self._driver, self._client)

    def _turns(self, prompt: Rendered) -> Turns:
        known = self._known()
        return messages(prompt, parts=bool(known and known.own))

    def _body(self, turns: Turns, sampling: Sampling, *, stream: bool = False) -> dict[str, Any]:
        return chat_body(
            self._name,
            turns,
            sampling,
            limit_field=self._client.limit_field,
            without=self._client.without,
            stream=stream,
        )

    def _generated(self, reply: Reply, fitted: Fitted, seconds: float) -> Generated:
        read, wrote = reply.input_tokens, reply.output_tokens
        if read is None:
            read, _ = self.prompt_tokens(fitted.prompt)
        if wrote is None:
            wrote = self.count_tokens(reply.text)
        usage = _cut_usage(Usage(read, wrote, read + wrote), fitted)
        note = ""
        if not reply.finished and reply.thought:
            note = f"the limit was reached after about {reply.thought} tokens of unseen thinking"
        return Generated(
            reply.text,
            reply.finished,
            reply.logprob or 0.0,
            usage,
            note=note,
            seconds=seconds,
        )

    def _scorer(self) -> Scorer:
        if self._scores is None:
            known = self._known() or Abilities()
            self._scores = Scorer(
                self._client,
                self._name,
                parts=bool(known.own),
                turn_end=known.turn_end or (),
                new_tokens=known.echo or 0,
            )
        return self._scores

    @property
    def _fit(self) -> Fitting:
        """What is known of its context, and learned on the way."""
        if self._fitting is None:
            known = self._known() or Abilities()
            count = self._count if known.turn_end else None
            self._fitting = Fitting(known.window or 0, count, self._learned)
        return self._fitting

    async def _count(self, prompt: Rendered) -> int:
        return len((await self._scorer().prompt(prompt)).tokens)

    def _learned(self, window: int) -> None:
        if self._abilities is not None:
            self._abilities = replace(self._abilities, window=window)
            self._memory.write(self._abilities, (*self._resolved, self._name)[0])

    def _one(self, work: Awaitable[T]) -> T:
        try:
            return self._driver.call(work)
        except Failure as failure:
            raise self._error(failure) from failure

    def _tell(self) -> None:
        """Say once what the endpoint refused to be asked for."""
        refused = frozenset(self._client.without) - self._endpoint.vendor.without
        if refused != self._told and self._log is not None:
            names = ", ".join(sorted(refused))
            self._log(f"`{self.identity.name}` takes no {names}; sent without")
        self._told = refused
        with suppress(IndexError):  # another thread may tell them, too
            while True:
                news = self._fingerprints.news.popleft()
                if self._log is not None:
                    self._log(f"`{self.identity.name}`: {news}")

    def _error(self, failure: Failure) -> EndpointGone:
        vendor, name = self._endpoint.vendor, self.identity.name
        hint = failure.hint(vendor.name, vendor.key_variable)
        if failure.kind is Kind.MODEL and self._abilities is not None:
            # It answered before, so it may be another server that does not know what is asked for.
            hint = f"accordeur models probe {name} asks what it can do now; or: {hint}"
        return EndpointGone(f"`{name}` at {self._endpoint.base_url}: {failure}", hint=hint)


def _cut_usage(usage: Usage, fitted: Fitted) -> Usage:
    return replace(usage, truncated_tokens=fitted.truncated, dropped_demonstrations=fitted.dropped)


def _held(reply: Reply, sampling: Sampling, how: str) -> Reply:
    """The answer, as far as it could be held to choices."""
    if sampling.choose == "top":
        best = top_choice(reply.first, sampling.choices)
        return replace(reply, text=best, finished=True) if best else reply
    return replace(reply, text=chosen(reply.text, how)) if sampling.choices else reply


def _close(driver: Driver, client: Client) -> None:
    driver.close(client.close)

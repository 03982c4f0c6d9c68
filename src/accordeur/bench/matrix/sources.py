"""Where the models of an evaluation come from, and what they may spend together."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.bench.matrix.answering import BundleRespondent, Echo, ModelRespondent, Respondent
from accordeur.bench.matrix.matrix import ECHO, Provider
from accordeur.core.cache import AnswerCache
from accordeur.core.errors import ModelError, UsageError
from accordeur.core.model import FloatArray, Generated, Model, ModelSource, Usage
from accordeur.core.rendering import Rendered
from accordeur.measure.judges.asking import SAMPLING
from accordeur.models.source import EMBEDDER, Models, is_endpoint
from accordeur.parts.answering.calls import call_keys, through_cache
from accordeur.parts.answering.prompted_model import decode_text, encode_text
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle
from accordeur.store.journal import Warn
from accordeur.store.prices import MILLION, TokenPrice, read_prices

if TYPE_CHECKING:
    from accordeur.models.openai_api.allowance import Allowance, AtPrices


@dataclass(slots=True)
class Sources:
    """Gives models by name and address, each loaded once, and what assertions need of them.

    Attributes:
        cache: where calls are looked up first; `None` for none.
        base_url: of endpoints that judge; it comes before `addresses`.
        addresses: of endpoints that judge, by name.
        at_once: calls to an endpoint at once at most.
        allowance: what all of them may spend together.
        log: told what takes long.
        given: used for every name instead of the models of this machine; for tests.
    """

    cache: AnswerCache | None = None
    base_url: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    at_once: int | None = None
    allowance: Allowance | None = None
    log: Warn | None = None
    given: ModelSource | None = None
    _sources: dict[tuple[str, str | None], Models] = field(default_factory=dict)
    _prices: dict[str, TokenPrice] | None = None

    def respondent(self, provider: Provider) -> Respondent:
        """What answers for a model of the matrix.

        Raises:
            ModelError: it cannot be found or loaded, or an endpoint's key is missing.
            BundleError: a bundle cannot be read.
        """
        if provider.model == ECHO:
            return Echo(echoed)
        if provider.bundle:
            bundle = load_bundle(Path(provider.model))
            base = bundle.candidate.base
            source = self._source(base, provider.base_url) if base else self.given or self._local()
            # It refuses an address that nobody named, and tells of other weights than measured.
            once = self.log and functools.cache(self.log)  # each of its blocks may find it out
            LoadedBundle(bundle, source, once, moved=provider.base_url is not None)
            return BundleRespondent(bundle.candidate, source, self.cache, once)
        model = self.model(provider.model, provider.base_url)
        return ModelRespondent(model, provider.sampling, self.cache)

    def model(self, name: str, base_url: str | None = None) -> Model:
        """The language model of this name. Errors as `respondent`."""
        if name == ECHO:
            raise ModelError("`echo` judges nothing.", hint="judge: openai/NAME")
        return self._source(name, base_url).model(name)

    def price(self, name: str) -> TokenPrice | None:
        """What its tokens cost; `None` where nobody wrote it down.

        Raises:
            StoreError: the table of prices cannot be read.
        """
        if self._prices is None:
            self._prices = read_prices()
        return self._prices.get(name)

    def money(self, name: str, usage: Usage) -> float | None:
        """What an answer cost, whoever paid for it first; `None` where it is not known."""
        if name == ECHO:
            return 0.0
        price = self.price(name)
        if price is None:
            return None
        read = usage.input_tokens * price.input_per_million
        return (read + usage.output_tokens * price.output_per_million) / MILLION

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors of the embedded embedding model."""
        source: ModelSource = self.given or self._local()
        return source.embedder(EMBEDDER).embed(texts)

    def ask(self, judge: str, prompts: Sequence[Rendered]) -> list[Generated]:
        """A judge's replies, in order, through the answer cache.

        Raises:
            EndpointGone: no call would be answered now.
        """
        url = self.base_url or self.addresses.get(judge)
        model = self.model(judge, url if is_endpoint(judge) else None)
        asked = {"generate": {name: getattr(SAMPLING, name) for name in SAMPLING.__slots__}}
        keys = call_keys(model.identity, prompts, asked)
        replies: dict[int, Generated] = {}
        for batch in through_cache(
            self.cache,
            keys,
            (),
            lambda finished: model.generate(prompts, SAMPLING, done=finished),
            encode_text,
            decode_text,
        ):
            found = (
                (index, one) for index, (one, _) in zip(batch.indices, batch.results, strict=True)
            )
            replies.update(found)
        return [replies[index] for index in range(len(prompts))]

    def _source(self, name: str, base_url: str | None) -> ModelSource:
        if self.given is not None:
            return self.given
        if not is_endpoint(name):
            return self._local()
        place = (name, base_url)
        if place not in self._sources:
            self._sources[place] = Models(
                base_url=base_url,
                at_once=self.at_once,
                allowance=self._purse(name),
                log=self.log,
            )
        return self._sources[place]

    def _local(self) -> Models:
        place = ("", None)
        if place not in self._sources:
            self._sources[place] = Models(log=self.log)
        return self._sources[place]

    def _purse(self, name: str) -> AtPrices | None:
        if self.allowance is None:
            return None
        from accordeur.models.openai_api.allowance import AtPrices

        price = self.price(name)
        if price is None and self.allowance.money is not None:
            raise UsageError(
                f"`--max-cost` needs the price of `{name}`.",
                hint=f"accordeur models prices {name} --input 0.15 --output 0.60",
            )
        read = price.input_per_million / MILLION if price else 0.0
        written = price.output_per_million / MILLION if price else 0.0
        return AtPrices(self.allowance, read, written)


def echoed(prompt: Rendered) -> str:
    """A filled prompt as one text: the words of a single message, several as JSON."""
    if len(prompt.messages) == 1 and not prompt.notes.get("chat"):
        return prompt.messages[0].text
    turns = [{"role": one.role, "content": one.text} for one in prompt.messages]
    return json.dumps(turns, ensure_ascii=False)

"""An embedding model behind an endpoint: `POST /embeddings`, as OpenAI, vLLM, Ollama, llama.cpp and
`accordeur serve` answer it."""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Sequence

import numpy as np

from accordeur.core.errors import EndpointGone
from accordeur.core.model import ENDPOINT, FloatArray, ModelIdentity
from accordeur.models.openai_api.allowance import Purse
from accordeur.models.openai_api.client import Client, Patience, about_tokens
from accordeur.models.openai_api.driving import Driver
from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.models.openai_api.vendors import Endpoint

ENGINE = "openai-embeddings/1"

MOST_TEXTS = 64
"""Of one call; a vector of 3,072 numbers takes some 40 kB on the wire."""

_BLANK = " "
"""Sent for an empty text, which endpoints refuse."""


class EndpointEmbedder:
    """A `core.model.Embedder` that is called.

    What runs behind its name is the endpoint's secret, so another model behind the same name is
    noticed only when its vectors have another length.

    Args:
        endpoint: where.
        name: of the model there.
        most: calls at once at most.
        patience: when to give up.
        allowance: how much may be spent.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        most: int,
        patience: Patience | None = None,
        allowance: Purse | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._name = name
        self._most = most
        self._driver = Driver()
        self._client = Client(endpoint, most=most, patience=patience, allowance=allowance)
        self._dimension = 0
        weakref.finalize(self, _close, self._driver, self._client)

    @property
    def identity(self) -> ModelIdentity:
        """Name and address."""
        digest = hashlib.sha256(json.dumps([self._endpoint.base_url, self._name]).encode())
        return ModelIdentity(
            f"{self._endpoint.vendor.name}/{self._name}",
            digest.hexdigest(),
            f"{ENGINE} {self._endpoint.base_url}",
            device=ENDPOINT,
        )

    @property
    def dimension(self) -> int:
        """Length of a vector; asked for with one short text where nothing was embedded yet.

        Raises:
            EndpointGone: it does not answer.
        """
        if not self._dimension:
            self.embed([_BLANK])
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Not known: 0."""
        return 0

    def count_tokens(self, text: str) -> int:
        """About how many, three letters each, which is rather too many for English."""
        return about_tokens(text)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]; equal texts are asked for once.

        Raises:
            EndpointGone: it does not answer, refuses a text, or answers with vectors of another
                length than before.
        """
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return np.zeros((0, self._dimension), dtype=np.float32)
        starts = range(0, len(distinct), MOST_TEXTS)

        async def make(call: int) -> FloatArray:
            some = distinct[call * MOST_TEXTS : (call + 1) * MOST_TEXTS]
            body = {"model": self._name, "input": [text or _BLANK for text in some]}
            return await self._client.embeddings({**body, "encoding_format": "float"})

        found: dict[int, FloatArray] = {}
        try:
            for group in self._driver.many(self._client, range(len(starts)), make, self._most):
                for one in group:
                    if isinstance(one.answer, Failure):
                        raise one.answer
                    found[one.index] = one.answer
            vectors = [found[call] for call in range(len(starts))]
            self._check(vectors)
        except Failure as failure:
            raise self._error(failure) from None
        place = {text: at for at, text in enumerate(distinct)}
        joined: FloatArray = np.concatenate(vectors)[[place[text] for text in texts]]
        return joined

    def _check(self, vectors: Sequence[FloatArray]) -> None:
        lengths = {part.shape[1] for part in vectors} | {self._dimension or vectors[0].shape[1]}
        if len(lengths) > 1:
            told = f"its vectors have {' and '.join(map(str, sorted(lengths)))} numbers"
            raise Failure(Kind.MALFORMED, told)
        (self._dimension,) = lengths

    def _error(self, failure: Failure) -> EndpointGone:
        vendor, name = self._endpoint.vendor, self.identity.name
        hint = failure.hint(vendor.name, vendor.key_variable)
        if failure.kind is Kind.TOO_LONG:
            hint = "cut the documents into smaller chunks"
        return EndpointGone(f"`{name}` at {self._endpoint.base_url}: {failure}", hint=hint)


def _close(driver: Driver, client: Client) -> None:
    driver.close(client.close)

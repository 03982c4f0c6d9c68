"""A reranker behind an endpoint: `POST /rerank`, as Cohere, Jina, vLLM and llama.cpp answer it.

It is no part of OpenAI's own interface. Text Embeddings Inference has another shape under the same
address (`texts`, a bare list of scores), which is not spoken here.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Sequence

from accordeur.core.errors import EndpointGone
from accordeur.core.model import ENDPOINT, ModelIdentity, Relevance
from accordeur.models.openai_api.allowance import Purse
from accordeur.models.openai_api.client import Client, Patience
from accordeur.models.openai_api.driving import Driver
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.vendors import Endpoint

ENGINE = "openai-rerank/1"

_BLANK = " "
"""Sent for an empty text, which endpoints refuse."""


class EndpointReranker:
    """A `core.model.Reranker` that is called, once for each question.

    What runs behind its name is the endpoint's secret, and so is what it cuts: `cut` is 0.

    Args:
        endpoint: where.
        name: of the model there.
        patience: when to give up.
        allowance: how much may be spent.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        patience: Patience | None = None,
        allowance: Purse | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._name = name
        self._driver = Driver()
        self._client = Client(endpoint, most=1, patience=patience, allowance=allowance)
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

    def score(self, question: str, texts: Sequence[str]) -> Relevance:
        """The relevance of each text.

        Raises:
            EndpointGone: it does not answer, or refuses what it is sent.
        """
        if not texts:
            return Relevance(())
        documents = [text or _BLANK for text in texts]
        body = {"model": self._name, "query": question, "documents": documents}
        try:
            return Relevance(tuple(self._driver.call(self._client.rerank(body))))
        except Failure as failure:
            vendor = self._endpoint.vendor
            raise EndpointGone(
                f"`{self.identity.name}` at {self._endpoint.base_url}: {failure}",
                hint=failure.hint(vendor.name, vendor.key_variable),
            ) from None


def _close(driver: Driver, client: Client) -> None:
    driver.close(client.close)

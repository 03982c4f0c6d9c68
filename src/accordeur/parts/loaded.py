"""A bundle that is ready to answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from accordeur.core.answer import Answer
from accordeur.core.cache import AnswerCache
from accordeur.core.errors import ModelError, UsageError
from accordeur.core.model import ModelIdentity, ModelSource
from accordeur.core.rendering import Request
from accordeur.core.task import Turn
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, load_bundle
from accordeur.parts.trained_with import another_prompt

Input = str | Mapping[str, str] | Sequence[Mapping[str, str]] | Request
"""A text, named fields, a conversation as `{"role", "content"}` messages, or a request."""


class LoadedBundle:
    """A candidate read from a bundle, with its model.

    Args:
        bundle: what was read.
        source: gives models by name; default those of this machine.
        log: told when the base model differs from the one the bundle was measured on, or the prompt
            from the one that a part was trained with, or labels cannot be scored as they were.
        moved: an endpoint at another address than the measured one is what the user named.
        cache: where model calls are looked up first.

    Raises:
        ModelError: the base model cannot be had, or is an endpoint at another address.
    """

    def __init__(
        self,
        bundle: Bundle,
        source: ModelSource | None = None,
        log: Callable[[str], None] | None = None,
        *,
        moved: bool = False,
        cache: AnswerCache | None = None,
    ) -> None:
        if source is None:
            from accordeur.models.source import Models

            source = Models(log=log)
        self.bundle = bundle
        self._answerer = assemble(bundle.candidate, source, cache=cache, unscored=log)
        if log is not None and (warning := another_prompt(bundle.candidate)):
            log(f"{warning}; its scores do not carry over.")
        base = bundle.candidate.base
        if base is not None and bundle.base_digest:
            found = source.model(base).identity
            if found.digest != bundle.base_digest:
                _tell_other(base, found, log, moved=moved)

    def __repr__(self) -> str:
        return f"LoadedBundle({self.bundle.candidate.task.name}: {self.describe()})"

    @property
    def answerer(self) -> Answerer:
        """What answers for its candidate."""
        return self._answerer

    def describe(self) -> str:
        """Its parts in a few words."""
        return self.bundle.candidate.describe()

    def answer(self, asked: Input, *, context: str | None = None) -> Answer:
        """Answer one request."""
        return self.answer_many([asked], context=context)[0]

    def answer_many(self, asked: Iterable[Input], *, context: str | None = None) -> list[Answer]:
        """Answer requests in order, batched by the engine.

        Raises:
            UsageError: something asked is neither text, fields nor messages.
        """
        requests = [as_request(one, context) for one in asked]
        answers: dict[int, Answer] = {}
        for batch in self._answerer.answer(requests) if requests else ():
            answers.update(zip(batch.indices, batch.results, strict=True))
        return [answers[index] for index in range(len(requests))]


def load(
    folder: str | Path,
    *,
    log: Callable[[str], None] | None = None,
    base_url: str | None = None,
) -> LoadedBundle:
    """Load a bundle so that it can answer.

    Args:
        log: told what differs from the place it was measured at; by default a warning is given.
        base_url: where its endpoint is called, instead of the vendor's own address.

    Raises:
        BundleError: not a bundle, or a damaged or unsafe one.
        ModelError: its model is not here, or its endpoint is called elsewhere than it was measured.
    """
    from accordeur.models.source import Models

    models = Models(log=log, base_url=base_url)
    told = log or _warn
    return LoadedBundle(load_bundle(Path(folder)), models, told, moved=base_url is not None)


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def _tell_other(
    base: str, found: ModelIdentity, log: Callable[[str], None] | None, *, moved: bool
) -> None:
    """Warn of another model; nothing is sent to an endpoint that nobody named.

    Raises:
        ModelError: an endpoint at another address than the bundle was measured on.
    """
    if found.remote and not moved:
        raise ModelError(
            f"This bundle was not measured on `{base}` as it is called here "
            f"({found.engine.split()[1]}).",
            hint="name the address: --base-url URL",
        )
    if log is not None and found.remote:
        log(f"`{base}` is called elsewhere than where this bundle was measured.")
    elif log is not None:
        log(
            f"`{base}` has other weights here than those this bundle was measured on; "
            "its scores do not carry over."
        )


_ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}


def as_request(asked: Input, context: str | None = None) -> Request:
    """What people pass, as a request.

    Raises:
        UsageError: it is neither text, fields nor messages.
    """
    if isinstance(asked, Request):
        return asked
    if isinstance(asked, str):
        return Request(asked, context)
    if isinstance(asked, Mapping):
        return Request({str(name): str(value) for name, value in asked.items()}, context)
    try:
        turns = [Turn(_ROLES[message["role"]], str(message["content"])) for message in asked]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "What is asked must be a text, named fields, or messages with role and content.",
            hint='answer("text"), answer({"title": "..."}), '
            'answer([{"role": "user", "content": "..."}])',
        ) from error
    return Request(tuple(turns), context)

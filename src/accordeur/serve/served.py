"""What the server answers with: a bundle, or a model as it is."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from accordeur.core.candidate import Candidate
from accordeur.core.fingerprint import digest
from accordeur.core.model import Embedder, Model
from accordeur.core.task import TaskBrief
from accordeur.models.source import EMBEDDER, resolve
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import load_bundle
from accordeur.parts.decoding import Decoding
from accordeur.parts.loaded import LoadedBundle
from accordeur.serve.errors import ApiError
from accordeur.serve.model import ServedModel, ServedModels


@dataclass(frozen=True)
class Served:
    """One name of `/v1/models`.

    Attributes:
        name: as clients ask for it.
        answerer: what answers.
        bundle: it has an instruction and examples of its own, and was measured.
        created: when it was loaded, seconds since 1970.
    """

    name: str
    answerer: Answerer
    bundle: bool
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def candidate(self) -> Candidate:
        """Its parts."""
        return self.answerer.candidate

    @property
    def model(self) -> Model | None:
        """The language model, with what training added."""
        return self.answerer.model

    @property
    def local(self) -> ServedModel | None:
        """The model, if it runs here."""
        return self.model if isinstance(self.model, ServedModel) else None

    @property
    def fingerprint(self) -> str:
        """Changes with everything that can change an answer, as far as it is known."""
        identity = self.model.identity.to_json() if self.model is not None else {}
        return "ac_" + digest([self._parts, identity])[:16]

    @cached_property
    def _parts(self) -> str:
        return self.candidate.fingerprint

    @property
    def window(self) -> int | None:
        """Tokens of prompt and answer together; an endpoint is not asked for them here."""
        return self.local.context_window if self.local is not None else None


class Catalog:
    """All names of a server.

    Args:
        served: bundles and models.
        embedders: embedding models.
    """

    def __init__(self, served: Sequence[Served], embedders: Mapping[str, Embedder]) -> None:
        self.served = {one.name: one for one in served}
        self.embedders = dict(embedders)
        self.began = int(time.time())

    def find(self, name: str) -> Served:
        """What answers under a name.

        Raises:
            ApiError: nothing does; 404.
        """
        if name in self.served:
            return self.served[name]
        raise _unknown(name, [*self.served])

    def bare(self, name: str) -> tuple[Served, ServedModel]:
        """A local model as it is.

        Raises:
            ApiError: nothing of this name, or no such thing.
        """
        found = self.find(name)
        local = found.local
        if found.bundle or local is None:
            raise ApiError(
                400,
                f"`{name}` is no local model as it is; its tokens cannot be asked for.",
                param="model",
            )
        return found, local

    def embedder(self, name: str) -> Embedder:
        """An embedding model.

        Raises:
            ApiError: nothing of this name, or no such thing.
        """
        if name in self.embedders:
            return self.embedders[name]
        if name in self.served:
            raise ApiError(400, f"`{name}` embeds no texts; `{EMBEDDER}` does.", param="model")
        raise _unknown(name, [*self.embedders])


def _unknown(name: str, known: Sequence[str]) -> ApiError:
    near = difflib.get_close_matches(name, known, n=1)
    words = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known) or 'none'}"
    return ApiError(
        404, f"There is no model `{name}` here; {words}", param="model", code="model_not_found"
    )


def serve_bundle(
    named: str,
    bundle: Path,
    source: ServedModels,
    *,
    moved: bool = False,
    log: Callable[[str], None] | None = None,
) -> Served:
    """A bundle, ready to answer.

    Args:
        named: as clients will ask for it.
        bundle: its folder.
        source: gives models.
        moved: an endpoint at another address than the measured one is what the user named.
        log: told what differs from where the bundle was measured.

    Raises:
        BundleError: a damaged or unsafe bundle.
        ModelError: a model is not here.
    """
    loaded = LoadedBundle(load_bundle(bundle), source, log, moved=moved)
    return Served(named, loaded.answerer, bundle=True)


def serve_model(named: str, model: str, source: ServedModels) -> Served:
    """A model as it is: no instruction, its chat template's own system message.

    Raises:
        ModelError: it is not here.
    """
    brief = TaskBrief(named, "", "", "text", (), "exact_match")
    candidate = Candidate(brief, resolve(model)).with_part(Decoding("generate"))
    return Served(named, assemble(candidate, source), bundle=False)

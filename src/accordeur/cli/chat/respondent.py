"""Who answers in a conversation: a bundle, the winner of a run, or a model as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.core.errors import BundleError, ModelError, UsageError

if TYPE_CHECKING:
    from accordeur.core.cache import AnswerCache
    from accordeur.core.candidate import Candidate
    from accordeur.core.model import Model
    from accordeur.core.task import Label
    from accordeur.models.source import Models
    from accordeur.parts.answering.answerer import Answerer

LIMIT = 512
"""Tokens of a bare model's answer, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for; `None` is as the bundle has it.

    Attributes:
        instruction: of a bare model; it stands once, before the first message.
        temperature, top_p, seed, max_tokens: of text that is written.
        base_url: where an endpoint is called.
        deterministic: float32, each answer independent of any other.
        reading: answers are to be read from passages of documents (`parts.retrieval.asking`).
        marks: ask for the numbers of passages; by default of endpoints alone.
    """

    instruction: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    base_url: str | None = None
    deterministic: bool = False
    reading: bool = False
    marks: bool | None = None

    @property
    def sampling(self) -> dict[str, float | int]:
        """Those that say how text is written."""
        names = ("temperature", "top_p", "seed", "max_tokens")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, slots=True)
class Respondent:
    """What answers.

    Attributes:
        reference: how it is named again: a model's name, or a bundle's path.
        title: for people.
        digest: of what answers, the address of an endpoint included.
        answerer: asked.
        models: where its base model is from.
    """

    reference: str
    title: str
    digest: str
    answerer: Answerer
    models: Models

    @property
    def candidate(self) -> Candidate:
        """Its parts."""
        return self.answerer.candidate

    def base_model(self) -> Model | None:
        """The language model as it was before training; `None` where there is none."""
        base = self.candidate.base
        return None if base is None else self.models.model(base)

    @property
    def labels(self) -> Sequence[Label]:
        """Of its task; none where it writes text."""
        return self.candidate.task.labels

    @property
    def remote(self) -> bool:
        """Whether it is called over the network."""
        return self.answerer.model is not None and self.answerer.model.identity.remote

    def count_tokens(self, text: str) -> int:
        """Tokens of a plain text; 0 where no language model answers."""
        return self.answerer.model.count_tokens(text) if self.answerer.model is not None else 0


@dataclass
class Respondents:
    """Finds them, and holds every base model once.

    Args:
        wishes: of the command line.
        log: told what takes long, and what differs from the place a bundle was measured at.
        cache: where answers are looked up first; streamed ones never are.
    """

    wishes: Wishes
    log: Callable[[str], None]
    cache: AnswerCache | None = None
    _models: dict[str | None, Models] = field(default_factory=dict)

    def models(self, base_url: str | None = None) -> Models:
        """Models of this machine, or of an address."""
        from accordeur.models.source import Models

        if base_url not in self._models:
            self._models[base_url] = Models(
                log=self.log, base_url=base_url, deterministic=self.wishes.deterministic
            )
        return self._models[base_url]

    def find(self, named: str, *, first: bool = True) -> Respondent:
        """The bundle, run or model of a name.

        Args:
            named: as it was typed.
            first: the command line names it, so that `--base-url` must be meant for it; later
                ones take that address only where they are endpoints.

        Raises:
            AccordeurError: there is none, or it cannot be loaded.
        """
        from accordeur.models.source import is_endpoint

        folder = _bundle_folder(named)
        if folder is None:
            url = self.wishes.base_url if first or is_endpoint(named) else None
            return self._bare(named, self.models(url))
        from accordeur.parts.bundle import load_bundle
        from accordeur.parts.loaded import LoadedBundle

        if self.wishes.instruction is not None and first:
            raise UsageError(
                "A bundle has its own instruction.", hint="--system adds words of yours"
            )
        bundle = load_bundle(folder)
        base = bundle.candidate.base
        url = self.wishes.base_url if base is not None and (first or is_endpoint(base)) else None
        wished = replace(bundle, candidate=self._as_wished(bundle.candidate, first=first))
        models = self.models(url)
        loaded = LoadedBundle(wished, models, self.log, moved=url is not None, cache=self.cache)
        return _respondent(
            str(folder.resolve()),
            bundle.candidate.task.name,
            loaded.answerer,
            models,
            bundle.candidate.fingerprint,
        )

    def _bare(self, named: str, models: Models) -> Respondent:
        from accordeur.core.task import TaskBrief
        from accordeur.models.source import resolve
        from accordeur.parts.assemble import assemble
        from accordeur.parts.base import base_candidate
        from accordeur.parts.decoding import Decoding

        name = resolve(named)
        model = models.model(name)
        title = Path(name).name if Path(name).is_dir() else name
        brief = TaskBrief(title, "", self.wishes.instruction or "", "text", (), "exact_match")
        limit = LIMIT  # an endpoint is not asked for its context before there is a message
        if not model.identity.remote:
            limit = min(LIMIT, max(1, model.context_window // 2))
        candidate = base_candidate(brief, name, model, ()).with_part(Decoding("generate", limit))
        wished = self._as_wished(candidate, bare=True, remote=model.identity.remote)
        return _respondent(name, title, assemble(wished, models, cache=self.cache), models)

    def _as_wished(
        self,
        candidate: Candidate,
        *,
        first: bool = True,
        bare: bool = False,
        remote: bool | None = None,
    ) -> Candidate:
        """The candidate as it was asked for: as a reader of passages, with its sampling.

        Args:
            first: the command line names it; later ones take what is meant for text if they write.
            bare: it is no bundle.
            remote: it is called; to be found out where it is not said.

        Raises:
            UsageError: it does not write text.
        """
        from accordeur.parts.decoding import Decoding

        if self.wishes.reading:
            from accordeur.models.source import is_endpoint
            from accordeur.parts.retrieval.asking import reader

            if remote is None:
                remote = candidate.base is not None and is_endpoint(candidate.base)
            marks = remote if self.wishes.marks is None else self.wishes.marks
            candidate = reader(candidate, bare=bare, marks=marks)
        wanted = self.wishes.sampling
        if not wanted:
            return candidate
        decoding = candidate.part(Decoding)
        if decoding is None or decoding.mode != "generate":
            flag = next(iter(wanted)).replace("_", "-")
            if not first:
                self.log(f"`--{flag}` is for text that is written; it is left out here")
                return candidate
            raise UsageError(
                f"`--{flag}` is for text that is written; this bundle chooses among labels.",
                hint="leave it out",
            )
        return candidate.with_part(replace(decoding, **wanted))  # type: ignore[arg-type]


def _respondent(
    reference: str, title: str, answerer: Answerer, models: Models, fingerprint: str = ""
) -> Respondent:
    from accordeur.core.fingerprint import digest

    base = answerer.model.identity.digest if answerer.model is not None else ""
    return Respondent(reference, title, digest([fingerprint, base]), answerer, models)


def _bundle_folder(named: str) -> Path | None:
    """The bundle that a word means; `None` where it means a model.

    Raises:
        AccordeurError: it means neither.
    """
    from accordeur.cli.answer import find_bundle
    from accordeur.models.source import resolve

    path = Path(named)
    if any((path / name).is_file() for name in ("bundle.json", "winner/bundle.json")):
        return find_bundle(path)
    try:
        resolve(named)
        return None
    except ModelError as unknown:
        try:
            return find_bundle(path)
        except BundleError:
            raise UsageError(
                f"There is no bundle, run or model `{named}`.", hint=unknown.hint
            ) from None


def check_same(respondent: Respondent, digest: str, *, address_named: bool) -> str:
    """What to say when a conversation goes on with another model behind the same name.

    Raises:
        ModelError: it would be sent to another address than it was held with, which nobody named.
    """
    if respondent.digest == digest:
        return ""
    if respondent.remote and not address_named:
        raise ModelError(
            f"This conversation was not held with `{respondent.title}` as it is called here.",
            hint="name the address: --base-url URL",
        )
    return f"`{respondent.title}` is not quite what it was when this conversation was held."

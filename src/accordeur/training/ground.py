"""The model under a candidate as modules that gradients flow through, parts included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.lever import FitContext
from accordeur.core.model import Adaptation
from accordeur.models.local.adapter import Loaded
from accordeur.models.local.model import LocalModel
from accordeur.models.local.pieces import PromptTokenizer
from accordeur.parts.answering.adapted import adaptation_of
from accordeur.parts.soft_prompt import SoftPromptEnsemble
from accordeur.training.attention import KeysAndValues
from accordeur.training.encoder_decoder import encoder_decoder_loss
from accordeur.training.rows import TrainingRow
from accordeur.training.shared_prefix import batch_loss


@dataclass(frozen=True, slots=True)
class Ground:
    """What training stands on. Frozen: a trainee makes what it moves trainable.

    Attributes:
        name: of the base model.
        loaded: its modules with the candidate's weights.
        chat: its tokenizer; knows the virtual tokens.
        vectors: [n, E] of the virtual tokens, whose ids follow the vocabulary's; may be empty.
        stored: tokens that stand at the beginning of every prompt, and their keys and values; both
            empty without any.
        window: tokens of prompt and answer together; of an encoder-decoder, of the prompt.
    """

    name: str
    loaded: Loaded
    chat: PromptTokenizer
    vectors: Tensor
    stored_tokens: tuple[int, ...]
    stored: KeysAndValues
    window: int

    @classmethod
    def under(cls, candidate: Candidate, context: FitContext) -> Ground:
        """The run's model with what earlier levers trained.

        Raises:
            ModelError: the model's weights are not here, or it has several soft prompts at once.
        """
        model = context.model
        if not isinstance(model, LocalModel):
            raise ModelError(
                "Training needs a model whose weights are here.", hint="-m local/smollm2"
            )
        if isinstance(candidate.parts.get("soft_prompt"), SoftPromptEnsemble):
            raise ModelError(
                "Nothing can be trained on top of several soft prompts at once.",
                hint="--set soft-prompt.seeds=1",
            )
        added = adaptation_of(candidate) or Adaptation()
        loaded = model.modules(added)
        weight = loaded.head.weight
        ground = cls(
            model.identity.name,
            loaded,
            model.chat,
            weight.new_zeros(0, weight.shape[1]),
            (),
            (),
            model.context_window,
        )
        if added.prefix is not None:
            pairs = zip(added.prefix.keys, added.prefix.values, strict=True)
            stored = tuple(
                (torch.from_numpy(k).to(weight), torch.from_numpy(v).to(weight)) for k, v in pairs
            )
            ground = replace(ground, stored_tokens=added.prefix.tokens, stored=stored)
        if added.soft_prompt is not None:
            ground = ground.with_virtual(torch.from_numpy(added.soft_prompt).to(weight))
        return ground

    @property
    def vocabulary(self) -> int:
        """V: virtual tokens are numbered from here."""
        return int(self.loaded.embeddings.weight.shape[0])

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.loaded.head.weight.device

    def with_virtual(self, vectors: Tensor) -> Ground:
        """The same with these virtual tokens, [n, E]."""
        ids = range(self.vocabulary, self.vocabulary + len(vectors))
        return replace(self, vectors=vectors, chat=self.chat.with_virtual(ids))

    def embed(self, tokens: Sequence[int], vectors: Tensor | None = None) -> Tensor:
        """Embeddings of tokens, virtual ones among them, [tokens, E].

        Args:
            tokens: virtual ones stand together, in order.
            vectors: of the virtual tokens; default those of the ground.
        """
        table = self.loaded.embeddings
        first = self.vocabulary
        virtual = [at for at, token in enumerate(tokens) if token >= first]
        if not virtual:
            found: Tensor = table(torch.tensor(tokens, dtype=torch.long, device=self.device))
            return found
        own = (self.vectors if vectors is None else vectors).to(self.loaded.head.weight.dtype)
        start, end = virtual[0], virtual[-1] + 1
        return torch.cat((self.embed(tokens[:start]), own, self.embed(tokens[end:])))

    def loss(
        self,
        rows: Sequence[TrainingRow],
        vectors: Tensor | None = None,
        stored: KeysAndValues | None = None,
    ) -> tuple[Tensor, int]:
        """Summed negative log-likelihood of the rows' answers, nats, and its number of tokens.

        Args:
            rows: with one prefix.
            vectors, stored: instead of the ground's own, for gradients to flow into.
        """
        if self.loaded.encoder_decoder:
            return encoder_decoder_loss(
                self.loaded, rows, self.vectors if vectors is None else vectors
            )
        tokens = rows[0].prefix
        count = len(self.stored_tokens)
        if tokens[:count] != self.stored_tokens:
            raise ModelError(
                "A train row does not begin with the words whose keys and values are trained.",
                hint="take system messages out of the rows",
            )
        prefix = self.embed(tokens[count:], vectors) if len(tokens) > count else None
        return batch_loss(self.loaded, rows, prefix, self.stored if stored is None else stored)

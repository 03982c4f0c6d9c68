"""Prompt tuning: vectors of virtual tokens learned by gradient, the model frozen.

B. Lester, R. Al-Rfou and N. Constant, The Power of Scale for Parameter-Efficient Prompt Tuning,
EMNLP 2021. Where we differ: the virtual tokens stand inside the chat-templated prompt, at the place
of the instruction, and start as its own embeddings, so step 0 is the hand-written prompt; the
learning rate is a share of the embeddings' root mean square, since a rate made for T5 does
nothing to a model whose embeddings are of another size. In an encoder-decoder model, theirs, the
virtual tokens stand in the encoder's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.core.errors import TaskError
from accordeur.core.model import FloatArray
from accordeur.core.rendering import Request
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import lead_text, render
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.parts.soft_prompt.virtual_tokens import Mode
from accordeur.parts.trained_with import prompt_fingerprint
from accordeur.training.ground import Ground
from accordeur.training.rows import TrainingRow
from accordeur.training.trainee import Moving

Initial = Literal["labels", "text", "vocabulary", "random"]

FREQUENT = 5_000
"""Rows of the vocabulary that `vocabulary` draws from: tokenizers number frequent ones first."""


@dataclass(frozen=True, slots=True)
class PromptTuning:
    """A `Recipe` for virtual tokens.

    Attributes:
        mode: see `SoftPrompt`.
        tokens: at most so many of the instruction's, its last ones, or so many new ones.
        initial: what new tokens start as, in the mode `insert`.
        text: for the initial `text`.
    """

    mode: Mode
    tokens: int
    initial: Initial = "labels"
    text: str = ""

    def begin(self, candidate: Candidate, ground: Ground, seed: int) -> VirtualTokens:
        """Step 0: the prompt as it was, or new tokens after it.

        Raises:
            TaskError: `replace` without an instruction, or an empty `text`.
        """
        prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
        pattern = candidate.part(Reason)
        if self.mode == "replace":
            lead = ground.chat.plain(lead_text(prompt, pattern))
            if not lead:
                raise TaskError(
                    "There is no instruction whose embeddings a soft prompt could start from.",
                    hint="write `instruction` in task.yaml, or use the mode `insert`",
                )
            start = embed(ground, lead)
        else:
            start = self._new(candidate, ground, seed)
        ground = ground.with_virtual(torch.from_numpy(start))
        part = SoftPrompt(
            self.mode,
            start,
            start[:0],
            min(self.tokens, len(start)),
            ground.name,
            prompt_fingerprint(candidate),
            int(ground.loaded.config.num_hidden_layers),
            int(ground.loaded.config.num_attention_heads),
            ground.loaded.encoder_decoder,
        )
        probe = render(candidate.task, prompt, Request(""), pattern=pattern, soft=part)
        tokens = [at for piece in ground.chat.pieces(probe) for at in piece.tokens]
        header = embed(ground, tokens[: tokens.index(ground.vocabulary)])
        return VirtualTokens(candidate, ground, replace(part, header=header))

    def _new(self, candidate: Candidate, ground: Ground, seed: int) -> FloatArray:
        """[tokens, E] of the initial kind."""
        draws = np.random.default_rng(seed)
        if self.initial == "random":
            size = (self.tokens, ground.loaded.head.weight.shape[1])
            return (draws.standard_normal(size) * embedding_rms(ground)).astype(np.float32)
        if self.initial == "vocabulary":
            frequent = min(FREQUENT, ground.vocabulary)
            return embed(ground, draws.choice(frequent, self.tokens, replace=False).tolist())
        texts = [self.text]
        if self.initial == "labels":
            texts = [label.text for label in candidate.task.labels]
            texts = texts or [candidate.task.instruction]
        ids = [token for text in texts for token in ground.chat.plain(text)]
        if not ids:
            raise TaskError(
                "There is no text that a soft prompt could start from.",
                hint="set `text`, or another `initial`: labels, vocabulary, random",
            )
        return embed(ground, np.resize(ids, self.tokens).tolist())


class VirtualTokens:
    """A `Trainee`: the last vectors of a soft prompt move.

    Args:
        candidate: before; its prompt is where they stand.
        ground: knows the virtual tokens.
        part: step 0.
    """

    def __init__(self, candidate: Candidate, ground: Ground, part: SoftPrompt) -> None:
        self.ground = ground
        self._candidate = candidate
        self._part = part
        fixed = len(part.vectors) - part.trained
        self._fixed = torch.from_numpy(part.vectors[:fixed]).to(ground.device)
        moving = torch.from_numpy(part.vectors[fixed:].copy()).to(ground.device)
        self._moving = moving.requires_grad_(True)
        self.moving: Sequence[Moving] = (Moving("vectors", self._moving, embedding_rms(ground)),)

    def loss(self, rows: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        """See `Trainee.loss`."""
        return self.ground.loss(rows, torch.cat((self._fixed, self._moving)))

    def gather(self) -> None:
        """Nothing to do: the masters are what the loss reads."""

    def spread(self) -> None:
        """Nothing to do."""

    def candidate(self) -> Candidate:
        """The candidate with these virtual tokens."""
        vectors = torch.cat((self._fixed, self._moving.detach())).cpu().numpy()
        return self._candidate.with_part(replace(self._part, vectors=vectors))


def embedding_rms(ground: Ground) -> float:
    """Root mean square of the embedding table."""
    table = ground.loaded.embeddings.weight
    return float(table.detach().float().square().mean().sqrt())


def embed(ground: Ground, tokens: Sequence[int]) -> FloatArray:
    """Embeddings of tokens, float32 [tokens, E]."""
    with torch.no_grad():
        found: FloatArray = ground.embed(tokens).float().cpu().numpy()
    return found

"""Prefix tuning from a written prompt: its keys and values move, the model is frozen.

X. L. Li and P. Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, ACL 2021. Where
we differ: the prefix starts as the keys and values of the hand-written prompt itself, header and
instruction, so step 0 is that prompt and no reparameterisation is needed; the very first position,
which every layer's attention leans on, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.core.errors import TaskError
from accordeur.core.lever import Stopped
from accordeur.core.model import KeyValues
from accordeur.core.rendering import Request
from accordeur.models.local.adapter import empty_cache
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import render
from accordeur.parts.soft_prompt import KeyValuePrefix, SoftPrompt
from accordeur.parts.trained_with import prompt_fingerprint
from accordeur.training.ground import Ground
from accordeur.training.rows import TrainingRow
from accordeur.training.trainee import Moving


@dataclass(frozen=True, slots=True)
class PrefixTuning:
    """A `Recipe` for the keys and values of the prompt's first tokens.

    Attributes:
        fixed: positions at the very beginning that do not move.
    """

    fixed: int = 1

    def begin(self, candidate: Candidate, ground: Ground, seed: int) -> PromptKeyValues:
        """Step 0: the prompt as it was.

        Raises:
            TaskError: there is no instruction.
            Stopped: the candidate has a soft prompt already, or the model has an encoder.
        """
        if ground.loaded.encoder_decoder:
            raise Stopped(
                "an encoder reads the instruction together with the row: it leaves no keys and "
                "values of its own that could be trained; use soft-prompt"
            )
        if len(ground.vectors) or ground.stored:
            raise Stopped("a soft prompt and a trained prefix fill the same slot")
        prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
        if not prompt.instruction:
            raise TaskError(
                "There is no instruction whose keys and values could be trained.",
                hint="write `instruction` in task.yaml",
            )
        tokens = _beginning(candidate, prompt, ground)
        alone = empty_cache()
        with torch.no_grad():
            ground.loaded.model.base_model(
                inputs_embeds=ground.embed(tokens)[None], past_key_values=alone, use_cache=True
            )
        # [layers, 2, K, P, D]
        both = torch.stack([torch.stack((one.keys[0], one.values[0])) for one in alone.layers])
        fixed = min(self.fixed, len(tokens) - 1)
        return PromptKeyValues(candidate, ground, tokens, both.float(), fixed)


class PromptKeyValues:
    """A `Trainee`: keys and values of a prompt's first tokens move, but for the very first.

    Args:
        candidate: before.
        ground: without soft prompt.
        tokens: the P tokens they stand for.
        start: float32 [layers, 2, K, P, D].
        fixed: leading positions that stay.
    """

    def __init__(
        self,
        candidate: Candidate,
        ground: Ground,
        tokens: tuple[int, ...],
        start: Tensor,
        fixed: int,
    ) -> None:
        self._candidate = candidate
        self._fixed = start[..., :fixed, :].clone()
        self._keys, self._values = (
            start[:, at, :, fixed:].clone().requires_grad_(True) for at in (0, 1)
        )
        self.ground = replace(ground, stored_tokens=tokens)
        self.moving: Sequence[Moving] = tuple(
            Moving(name, tensor, float(tensor.detach().square().mean().sqrt()))
            for name, tensor in (("keys", self._keys), ("values", self._values))
        )

    def _both(self) -> tuple[Tensor, Tensor]:
        """Keys and values of all positions, [layers, K, P, D] each."""
        keys = torch.cat((self._fixed[:, 0], self._keys), dim=2)
        return keys, torch.cat((self._fixed[:, 1], self._values), dim=2)

    def loss(self, rows: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        """See `Trainee.loss`."""
        dtype = self.ground.loaded.head.weight.dtype
        keys, values = (one.to(dtype).unbind() for one in self._both())
        return self.ground.loss(rows, stored=tuple(zip(keys, values, strict=True)))

    def gather(self) -> None:
        """Nothing to do: the masters are what the loss reads."""

    def spread(self) -> None:
        """Nothing to do."""

    def candidate(self) -> Candidate:
        """The candidate with these keys and values."""
        keys, values = (one.detach().cpu().numpy().copy() for one in self._both())
        part = KeyValuePrefix(
            KeyValues(self.ground.stored_tokens, keys, values),
            self.ground.name,
            prompt_fingerprint(self._candidate),
        )
        return self._candidate.with_part(part)


def _beginning(candidate: Candidate, prompt: Prompt, ground: Ground) -> tuple[int, ...]:
    """Template header and instruction: everything up to where the first row or example begins."""
    nothing = np.zeros((1, 1), np.float32)
    mark = SoftPrompt("insert", nothing, nothing[:0], 1, "", "", 1, 1)
    chat = ground.chat.with_virtual(range(ground.vocabulary, ground.vocabulary + 1))
    pieces = chat.pieces(
        render(candidate.task, prompt, Request(""), pattern=candidate.part(Reason), soft=mark)
    )
    tokens = [token for piece in pieces for token in piece.tokens]
    return tuple(tokens[: tokens.index(ground.vocabulary)])

"""Full fine-tuning: every weight moves, learned on the answers alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.parts.trained_with import prompt_fingerprint
from accordeur.parts.weights import FullWeights
from accordeur.training.ground import Ground
from accordeur.training.rows import TrainingRow
from accordeur.training.trainee import Moving


@dataclass(frozen=True, slots=True)
class AllWeights:
    """A `Recipe` for full fine-tuning. Tied embeddings stay tied."""

    def begin(self, candidate: Candidate, ground: Ground, seed: int) -> Weights:
        """Step 0: the model as it was."""
        ground.loaded.model.requires_grad_(True)
        return Weights(candidate, ground)


class Weights:
    """A `Trainee`: all weights move, through float32 masters where the model computes in less.

    Args:
        candidate: its prompt is what they are trained with.
        ground: with trainable weights.
    """

    def __init__(self, candidate: Candidate, ground: Ground) -> None:
        self.ground = ground
        self._candidate = candidate
        # `named_parameters` names tied ones once.
        self._own = dict(ground.loaded.model.named_parameters())
        self.moving: Sequence[Moving] = tuple(
            Moving(name, tensor if tensor.dtype == torch.float32 else tensor.detach().float())
            for name, tensor in self._own.items()
        )

    def loss(self, rows: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        """See `Trainee.loss`."""
        return self.ground.loss(rows)

    def gather(self) -> None:
        """Gradients to the masters, added to those of the batch's earlier parts."""
        for one in self.moving:
            own = self._own[one.name]
            if own is not one.master and own.grad is not None:
                new = own.grad.float()
                one.master.grad = new if one.master.grad is None else one.master.grad + new
                own.grad = None

    def spread(self) -> None:
        """Masters to the weights."""
        with torch.no_grad():
            for one in self.moving:
                own = self._own[one.name]
                if own is not one.master:
                    own.copy_(one.master)

    def candidate(self) -> Candidate:
        """The candidate with these weights, in the dtype that the model computes in."""
        from safetensors.torch import save

        tensors = {name: one.detach().cpu().contiguous() for name, one in self._own.items()}
        part = FullWeights(
            save(tensors, metadata={"format": "pt"}),
            folder_beside(self.ground),
            self.ground.name,
            prompt_fingerprint(self._candidate),
        )
        return self._candidate.with_part(part)


def folder_beside(ground: Ground) -> dict[str, bytes]:
    """Configuration, tokenizer and chat template as transformers writes them, by file name."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        ground.loaded.model.config.save_pretrained(place)
        if ground.loaded.model.generation_config is not None:
            ground.loaded.model.generation_config.save_pretrained(place)
        ground.loaded.tokenizer.save_pretrained(place)
        return {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.is_file()}

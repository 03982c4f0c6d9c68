"""Low-rank adaptation: small updates of every linear layer, learned on the answers alone.

E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021. All linear layers and alpha
twice the rank as in J. Schulman et al., LoRA Without Regret, 2025. Rank-stable scaling is D.
Kalajdzievski's (2023), DoRA that of S.-Y. Liu et al. (2024), a learning rate of its own for B that
of S. Hayou et al., LoRA+, 2024. The modules are PEFT's; the loop is ours, because the prefix that
rows share is computed once per step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.core.errors import MissingDependency
from accordeur.core.model import FloatArray
from accordeur.models.local.adapter import Loaded
from accordeur.parts.trained_with import prompt_fingerprint
from accordeur.parts.weights import LoraWeights
from accordeur.training.ground import Ground
from accordeur.training.low_rank_product import use_products
from accordeur.training.rows import TrainingRow
from accordeur.training.trainee import Moving

ADAPTER = "default"


@dataclass(frozen=True, slots=True)
class LowRank:
    """A `Recipe` for LoRA and DoRA.

    Attributes:
        rank, alpha, rank_stable: see `LoraWeights`.
        dora: train the length of every row of a weight apart from its direction.
        ratio: B moves so many times as fast as A.
    """

    rank: int
    alpha: float
    rank_stable: bool = False
    dora: bool = False
    ratio: float = 1.0

    def begin(self, candidate: Candidate, ground: Ground, seed: int) -> Adapters:
        """Step 0: B is zero, so the model is as it was.

        Raises:
            MissingDependency: PEFT is not installed.
        """
        inject(ground.loaded, self, seed)
        return Adapters(candidate, ground, self)


class Adapters:
    """A `Trainee`: A and B of every linear layer move, and magnitudes for DoRA.

    Args:
        candidate: its prompt is what they are trained with.
        ground: with PEFT's modules in place.
        recipe: their settings.
    """

    def __init__(self, candidate: Candidate, ground: Ground, recipe: LowRank) -> None:
        self.ground = ground
        self._candidate = candidate
        self._recipe = recipe
        self.moving: Sequence[Moving] = tuple(
            Moving(name, parameter, recipe.ratio if "lora_B" in name else 1.0)
            for name, parameter in ground.loaded.model.named_parameters()
            if parameter.requires_grad
        )

    def loss(self, rows: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        """See `Trainee.loss`."""
        return self.ground.loss(rows)

    def gather(self) -> None:
        """Nothing to do: PEFT keeps adapters in float32."""

    def spread(self) -> None:
        """Nothing to do."""

    def candidate(self) -> Candidate:
        """The candidate with these updates."""
        model, recipe = self.ground.loaded.model, self._recipe
        part = LoraWeights(
            pairs_of(model),
            recipe.rank,
            recipe.alpha,
            recipe.rank_stable,
            self.ground.name,
            prompt_fingerprint(self._candidate),
            magnitudes_of(model),
            self.ground.loaded.encoder_decoder,
        )
        return self._candidate.with_part(part)


def inject(loaded: Loaded, recipe: LowRank, seed: int) -> None:
    """Put PEFT's LoRA modules on every linear layer but the output layer; they alone can move.

    Raises:
        MissingDependency: PEFT is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingDependency(
            "Fine-tuning needs `peft`.", hint="pip install 'accordeur[local]'"
        ) from error
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        target_modules=linear_names(loaded.model),
        use_rslora=recipe.rank_stable,
        use_dora=recipe.dora,
    )
    state = torch.get_rng_state()
    torch.manual_seed(seed)  # PEFT draws A from the global generator
    try:
        inject_adapter_in_model(config, loaded.model, adapter_name=ADAPTER)
    finally:
        torch.set_rng_state(state)
    for name, parameter in loaded.model.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()
    if not recipe.dora:
        for _, module in _adapted(loaded.model):
            use_products(module, ADAPTER)


def linear_names(model: Any) -> list[str]:
    """Last names of the linear modules of a network, its output layer left out."""
    head = model.get_output_embeddings()
    return sorted(
        {
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear) and module is not head
        }
    )


def pairs_of(model: Any) -> dict[str, tuple[FloatArray, FloatArray]]:
    """A and B of every adapted module, copied, by the module's name."""
    return {
        name: (_copied(module.lora_A[ADAPTER].weight), _copied(module.lora_B[ADAPTER].weight))
        for name, module in _adapted(model)
    }


def magnitudes_of(model: Any) -> dict[str, FloatArray]:
    """Magnitudes of every adapted module, copied; empty without DoRA."""
    return {
        name: _copied(module.lora_magnitude_vector[ADAPTER].weight)
        for name, module in _adapted(model)
        if ADAPTER in module.lora_magnitude_vector
    }


def _adapted(model: Any) -> list[tuple[str, Any]]:
    return [
        (name, module)
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and ADAPTER in module.lora_A
    ]


def _copied(parameter: Tensor) -> FloatArray:
    found: FloatArray = parameter.detach().float().cpu().numpy().copy()
    return found

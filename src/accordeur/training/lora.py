"""Low-rank adaptation: small updates of every linear layer, learned on the answers alone.

E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021. All linear layers and alpha
twice the rank as in J. Schulman et al., LoRA Without Regret, 2025. The modules are PEFT's; the
loop is ours, because the prefix that rows share is computed once per step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.core.errors import MissingDependency, ModelError
from accordeur.core.lever import FitContext, Stopped
from accordeur.core.model import FloatArray
from accordeur.core.task import Example
from accordeur.models.local.adapter import Loaded
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.parts.weights import LoraWeights
from accordeur.training.loop import train
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule
from accordeur.training.shared_prefix import batch_loss
from accordeur.training.soft_prompt import vectors_of
from accordeur.training.stopping import each_step, local_model
from accordeur.training.task_rows import prompt_fingerprint, task_rows

ADAPTER = "default"


def adapted_weights(
    candidate: Candidate,
    examples: Sequence[Example],
    context: FitContext,
    schedule: Schedule,
    *,
    rank: int,
    alpha: float,
    rank_stable: bool,
    checks: Sequence[int],
) -> Iterator[tuple[int, float, Candidate]]:
    """Step, loss and candidate after every check.

    Args:
        candidate: its prompt is what the weights are trained with.
        examples: rows to learn from, each with an answer.
        context: gives the model, the seed and the clock.
        schedule: counts and learning rate.
        rank, alpha, rank_stable: see `LoraWeights`.
        checks: rising step numbers.

    Raises:
        ModelError: the model's weights are not here.
        TaskError: a row that cannot be trained on.
        Stopped: the clock ran out, or the loss became no number.
    """
    if candidate.part(SoftPrompt) is not None:
        raise Stopped("weights under a soft prompt are not trained yet")
    model = local_model(context)
    loaded = model.modules()
    rows = task_rows(candidate, examples, context, model.chat)
    moving = inject(loaded, rank=rank, alpha=alpha, rank_stable=rank_stable, seed=context.seed)

    def loss_of(batch: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        prefix = batch[0].prefix
        return batch_loss(loaded, batch, vectors_of(loaded, prefix) if prefix else None)

    try:
        for step, loss in train(
            moving,
            loss_of,
            rows,
            schedule,
            seed=context.seed,
            checks=checks,
            on_step=each_step(context, schedule.steps),
        ):
            part = LoraWeights(
                pairs_of(loaded.model),
                rank,
                alpha,
                rank_stable,
                model.identity.name,
                prompt_fingerprint(candidate),
            )
            yield step, loss, candidate.with_part(part)
    except ModelError as error:
        raise Stopped(error.message) from error


def inject(
    loaded: Loaded, *, rank: int, alpha: float, rank_stable: bool, seed: int
) -> list[Tensor]:
    """Put PEFT's LoRA modules on every linear layer but the output layer; what moves, float32.

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
        r=rank,
        lora_alpha=alpha,
        target_modules=linear_names(loaded.model),
        use_rslora=rank_stable,
    )
    state = torch.get_rng_state()
    torch.manual_seed(seed)  # PEFT draws A from the global generator
    try:
        inject_adapter_in_model(config, loaded.model, adapter_name=ADAPTER)
    finally:
        torch.set_rng_state(state)
    moving = []
    for name, parameter in loaded.model.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()
            moving.append(parameter)
    return moving


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
    pairs = {}
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and ADAPTER in module.lora_A:
            both = (module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight)
            first, second = (one.detach().float().cpu().numpy().copy() for one in both)
            pairs[name] = (first, second)
    return pairs

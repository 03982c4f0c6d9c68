"""Who is measured: our side in two dtypes, and the peers in every setting that was tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OFF: dict[str, Any] = {"gradient_checkpointing": False}
FLOAT32 = {**OFF, "bf16": False}


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that take turns.

    Attributes:
        title: in tables.
        dtype: ours; `None` for a peer.
        settings: a peer's: `trainer` (`trl` or `transformers`), `load` (dtype of the weights),
            `attention`, `targets` (logits at answers alone), `arguments` of its configuration.
    """

    title: str
    dtype: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> bool:
        """Logits are made at answers alone."""
        return self.dtype is not None or bool(self.settings.get("targets"))


def trl(title: str, arguments: dict[str, Any], load: str = "float32", **more: Any) -> Side:
    """TRL's SFTTrainer."""
    named = f"TRL, {title}"
    return Side(named, settings={"trainer": "trl", "load": load, "arguments": arguments, **more})


def hf(title: str, load: str, arguments: dict[str, Any] | None = None, **more: Any) -> Side:
    """transformers' Trainer, which computes in the weights' dtype unless told otherwise."""
    named = f"Trainer, {title}"
    arguments = arguments or {}
    more = {"trainer": "transformers", "load": load, "arguments": arguments, **more}
    return Side(named, settings=more)


BF, AUTO = "bfloat16", {**OFF, "bf16": True}
SIDES = {
    "ours-32": Side("accordeur, float32", "float32"),
    "ours-16": Side("accordeur, bfloat16", BF),
    # TRL. Its defaults: float32 weights under bfloat16 autocast, gradient checkpointing.
    "trl": trl("defaults", {}),
    "trl-32": trl("float32", FLOAT32),
    "trl-32-eager": trl("float32, eager attention", FLOAT32, attention="eager"),
    "trl-auto": trl("bfloat16 autocast", AUTO),
    "trl-16": trl("bfloat16 weights", FLOAT32, BF),
    "trl-16-auto": trl("bfloat16 weights and autocast", AUTO, BF),
    "trl-16-eager": trl("bfloat16 weights, eager attention", FLOAT32, BF, attention="eager"),
    "trl-16-flat": trl(
        "bfloat16 weights, padding-free",
        {**FLOAT32, "padding_free": True, "max_length": None},
        BF,
    ),
    "trl-16-compiled": trl("bfloat16 weights, compiled", {**FLOAT32, "torch_compile": True}, BF),
    "trl-16-patched": trl(
        "bfloat16 weights, eager attention, head patched to answers",
        FLOAT32,
        BF,
        attention="eager",
        targets=True,
    ),
    # transformers' Trainer. `targets`: `logits_to_keep` with a mask, and a loss over what is kept.
    "hf-32-all": hf("float32, all logits", "float32"),
    "hf-32": hf("float32, logits at answers", "float32", targets=True),
    "hf-32-eager": hf(
        "float32, logits at answers, eager attention", "float32", targets=True, attention="eager"
    ),
    "hf-16-all": hf("bfloat16 weights, all logits", BF),
    "hf-16": hf("bfloat16 weights, logits at answers", BF, targets=True),
    "hf-16-auto": hf(
        "bfloat16 weights and autocast, logits at answers", BF, {"bf16": True}, targets=True
    ),
    "hf-auto": hf("bfloat16 autocast, logits at answers", "float32", {"bf16": True}, targets=True),
    "hf-auto-eager": hf(
        "bfloat16 autocast, logits at answers, eager attention",
        "float32",
        {"bf16": True},
        targets=True,
        attention="eager",
    ),
    "hf-16-eager": hf(
        "bfloat16 weights, logits at answers, eager attention",
        BF,
        targets=True,
        attention="eager",
    ),
    "hf-16-compiled": hf(
        "bfloat16 weights, logits at answers, compiled", BF, {"torch_compile": True}, targets=True
    ),
}

CHOSEN = {
    "lora": ["ours-32", "ours-16", "trl-32", "trl-16-eager", "trl-16-patched", "trl"],
    "soft": ["ours-32", "ours-16", "hf-32", "hf-16", "hf-16-eager", "hf-16-all"],
    "full": ["ours-32", "ours-16", "trl-32", "trl-16-eager", "trl"],
}
"""Who races by default: both our dtypes, the peer's defaults, and its fastest settings found."""

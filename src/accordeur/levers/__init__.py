"""One file or folder per way of adapting, and the table of their names."""

from __future__ import annotations

from accordeur.core.registry import Registry

LEVERS = Registry(
    "accordeur.levers",
    "lever",
    {
        "as-is": "accordeur.levers.as_is:AsIs",
        "few-shot": "accordeur.levers.few_shot:FewShot",
        "calibration": "accordeur.levers.calibration:Calibrate",
        "retrieve": "accordeur.levers.retrieve:Retrieve",
        "reason": "accordeur.levers.reason:ReasonLever",
        "self-consistency": "accordeur.levers.self_consistency:SelfConsistency",
        "critique": "accordeur.levers.critique:CritiqueLever",
        "decompose": "accordeur.levers.decompose:Decompose",
        "soft-prompt": "accordeur.levers.soft_prompt:SoftPromptLever",
        "kv-prefix": "accordeur.levers.kv_prefix:KeyValuePrefixLever",
        "lora": "accordeur.levers.lora:Lora",
        "full": "accordeur.levers.full:Full",
    },
)
"""Levers a plan can name. Floors are not among them: they stand in every plan."""

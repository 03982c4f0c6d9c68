"""The public kit for tests: nothing in Accordeur itself needs it.

- `check_lever`: everything a lever promises, as a suite to run on a lever of your own.
- `ScriptedModel`, `ScriptedEmbedder`, `ScriptedReranker`, `ScriptedSource`: models that say what
  they are told to.
- `toy`: two toy tasks.
- `tiny_model`: a random two-layer model with a real tokenizer, for tests of the engine.
- `tiny_t5`: a random encoder-decoder model with a tokenizer of its own.
"""

from __future__ import annotations

from accordeur.testing import toy
from accordeur.testing.conformance import ConformanceError, check_lever
from accordeur.testing.scripted import (
    ScriptedEmbedder,
    ScriptedModel,
    ScriptedReranker,
    ScriptedSource,
)
from accordeur.testing.tiny import tiny_model
from accordeur.testing.tiny_t5 import tiny_t5

__all__ = [
    "ConformanceError",
    "ScriptedEmbedder",
    "ScriptedModel",
    "ScriptedReranker",
    "ScriptedSource",
    "check_lever",
    "tiny_model",
    "tiny_t5",
    "toy",
]

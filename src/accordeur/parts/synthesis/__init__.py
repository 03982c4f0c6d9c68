"""Answers that need documents whole: more text than one prompt holds.

stretches   documents cut and grouped so that each group fits a prompt
writing     one call: an instruction, text between delimiters, the model's words; cached
ways        map-reduce, refine, tree
"""

from __future__ import annotations

from accordeur.parts.synthesis.stretches import grouped
from accordeur.parts.synthesis.ways import WAYS, Outcome, Step, synthesise
from accordeur.parts.synthesis.writing import Writer

__all__ = ["WAYS", "Outcome", "Step", "Writer", "grouped", "synthesise"]

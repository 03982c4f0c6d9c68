"""What an adapted model lost of what its base could do, measured off its own task.

Two things are asked of the base model and of the adapted one, in the same words: how well it
predicts general text (`general.jsonl`), and 40 rows of another task (`support.json`,
`finance.json`). `materials` holds the texts, `subject` says which parts of a candidate are active,
`check` asks, `findings` turns the answers into numbers with intervals.

It knows no run, no budget file and no decision; `bench.forgetting` does.
"""

from accordeur.measure.forgetting.check import BeforeCall, check_forgetting
from accordeur.measure.forgetting.findings import Forgetting
from accordeur.measure.forgetting.materials import (
    Materials,
    OtherTask,
    Passage,
    general_passages,
    materials_for,
)
from accordeur.measure.forgetting.subject import is_trained

__all__ = [
    "BeforeCall",
    "Forgetting",
    "Materials",
    "OtherTask",
    "Passage",
    "check_forgetting",
    "general_passages",
    "is_trained",
    "materials_for",
]

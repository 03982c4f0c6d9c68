"""Toy tasks on disk, and a scripted model that knows their answers as well as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from accordeur.core.rendering import Rendered
from accordeur.testing.scripted import OnBatch, ScriptedModel, asked, chance, shown

LABELS = ("billing", "card", "login")
SIZES: Mapping[str, int] = {"train": 30, "dev": 60, "test": 60}

_SYLLABLES = ("ba", "do", "fi", "gu", "ke", "lo", "mi", "nu", "pe", "ro", "su", "ta", "vi", "zo")


def gold_label(text: str) -> str:
    """The label of a toy row: a hash of its text, which no bag of words can learn."""
    return LABELS[int(chance(text, "gold") * len(LABELS))]


def _words(count: int, *key: str) -> str:
    def word(number: int) -> str:
        picks = [chance(*key, str(number), str(part)) for part in range(3)]
        return "".join(_SYLLABLES[int(pick * len(_SYLLABLES))] for pick in picks)

    return " ".join(word(number) for number in range(count))


def toy_labels(
    folder: Path, sizes: Mapping[str, int] = SIZES, yaml: str = "", *, name: str = "toy"
) -> Path:
    """Write a label task with these splits (`file` for one that is to be drawn from).

    Args:
        folder: where; made if need be.
        sizes: rows per split; `unlabelled` rows get no answer.
        yaml: more lines of `task.yaml`.
        name: of the task.
    """
    rows = {split: [_label_row(split, place) for place in range(n)] for split, n in sizes.items()}
    for row in rows.get("unlabelled", ()):
        del row["expected"]
    return _write(
        folder, rows, f"name: {name}\ninstruction: Which team?\nlabels: {list(LABELS)}\n" + yaml
    )


def _label_row(split: str, place: int) -> dict[str, str]:
    text = f"Ticket {place} of {split}: {_words(6, split, str(place))}"
    return {"id": f"{split}-{place}", "input": text, "expected": gold_label(text)}


def toy_texts(folder: Path, sizes: Mapping[str, int] = SIZES, yaml: str = "") -> Path:
    """Write a text task: the answer is the last three of twelve words."""
    rows = {split: [_text_row(split, place) for place in range(n)] for split, n in sizes.items()}
    words = "name: toy-texts\ninstruction: Say the last three words.\nmetric: rouge_l\n"
    return _write(folder, rows, words + yaml)


def _text_row(split: str, place: int) -> dict[str, str]:
    text = _words(12, split, str(place), "text")
    return {"id": f"{split}-{place}", "input": text, "expected": last_words(text)}


def last_words(text: str) -> str:
    """The answer to a row of `toy_texts`."""
    return " ".join(text.split()[-3:])


def _write(folder: Path, rows: Mapping[str, list[dict[str, str]]], yaml: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split, found in rows.items():
        lines = "".join(json.dumps(row) + "\n" for row in found)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    data = ", ".join(f"{split}: {split}.jsonl" for split in rows)
    (folder / "task.yaml").write_text(f"data: {{{data}}}\n{yaml}", encoding="utf-8")
    return folder


def knowing_model(
    *,
    zero_shot: float = 0.6,
    few_shot: float = 0.9,
    on_batch: OnBatch | None = None,
    name: str = "scripted",
    reply: Callable[[Rendered], str] | None = None,
) -> ScriptedModel:
    """A model that is right on a share of `toy_labels` rows, the same rows each time.

    The rows it gets right with demonstrations include those it gets right without. Asked about
    nothing (`N/A` and the like) it is sure of every label but the first, so content-free
    calibration spoils it.

    Args:
        zero_shot, few_shot: share it gets right without and with demonstrations.
        on_batch, name, reply: as `ScriptedModel`.
    """

    def score(prompt: Rendered, continuation: str) -> float:
        text = asked(prompt)
        if text in ("", "N/A", "[MASK]"):
            return -30.0 if continuation == LABELS[0] else 0.0
        skill = few_shot - 0.01 * shown(prompt) if shown(prompt) else zero_shot
        said = LABELS.index(gold_label(text))
        if chance(text, "luck") >= skill:
            said = (said + 1) % len(LABELS)
        return -0.1 if continuation == LABELS[said] else -3.0 - chance(text, continuation)

    return ScriptedModel(score=score, on_batch=on_batch, name=name, reply=reply)

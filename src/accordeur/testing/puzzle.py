"""Tasks of any size whose answers follow a secret rule, and a model that knows it in part.

No bag of words or embedding can learn the rule, so floors stay at chance and the model's skill is
what it is told to be: which entry is best, and by how much, is known before a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.core.fingerprint import digest
from accordeur.core.model import Batch, ModelIdentity
from accordeur.core.rendering import Rendered
from accordeur.testing.scripted import ScriptedModel

OnBatch = Callable[[Sequence[Rendered], Sequence[int]], None]
"""Told the prompts of a call and the indices of a batch, computed and not yet handed on.

Whatever it raises ends the call, with this batch lost.
"""

LABELS = ("billing", "card", "login")
SIZES: Mapping[str, int] = {"train": 30, "dev": 60, "test": 60}

_SYLLABLES = ("ba", "do", "fi", "gu", "ke", "lo", "mi", "nu", "pe", "ro", "su", "ta", "vi", "zo")


def chance(*texts: str) -> float:
    """A number in [0, 1) that depends on the texts alone."""
    data = "\x1f".join(texts).encode()
    return int.from_bytes(hashlib.sha256(data).digest()[:6], "big") / 2**48


def asked(prompt: Rendered) -> str:
    """The row's own text: the last data segment of the last message, empty without one."""
    parts = prompt.messages[-1].segments
    return next((part.text for part in reversed(parts) if part.kind == "data"), "")


def shown(prompt: Rendered) -> int:
    """How many demonstrations a prompt shows."""
    return len({one.demonstration for one in prompt.messages} - {None})


def gold_label(text: str) -> str:
    """The label of a row: a hash of its text, which no bag of words can learn."""
    return LABELS[int(chance(text, "gold") * len(LABELS))]


def _words(count: int, *key: str) -> str:
    def word(number: int) -> str:
        picks = [chance(*key, str(number), str(part)) for part in range(3)]
        return "".join(_SYLLABLES[int(pick * len(_SYLLABLES))] for pick in picks)

    return " ".join(word(number) for number in range(count))


def puzzle_labels(
    folder: Path, sizes: Mapping[str, int] = SIZES, yaml: str = "", *, name: str = "puzzle"
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
    # Lengths differ, so that batches are padded and companions could be felt.
    text = f"Ticket {place} of {split}: {_words(3 + 5 * place % 17, split, str(place))}"
    return {"id": f"{split}-{place}", "input": text, "expected": gold_label(text)}


def puzzle_texts(folder: Path, sizes: Mapping[str, int] = SIZES, yaml: str = "") -> Path:
    """Write a text task: the answer is the last three of twelve words."""
    rows = {split: [_text_row(split, place) for place in range(n)] for split, n in sizes.items()}
    words = "name: puzzle-texts\ninstruction: Say the last three words.\nmetric: rouge-l\n"
    return _write(folder, rows, words + yaml)


def _text_row(split: str, place: int) -> dict[str, str]:
    text = _words(12, split, str(place), "text")
    return {"id": f"{split}-{place}", "input": text, "expected": last_words(text)}


def last_words(text: str) -> str:
    """The answer to a row of `puzzle_texts`."""
    return " ".join(text.split()[-3:])


def _write(folder: Path, rows: Mapping[str, list[dict[str, str]]], yaml: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split, found in rows.items():
        lines = "".join(json.dumps(row) + "\n" for row in found)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    data = ", ".join(f"{split}: {split}.jsonl" for split in rows)
    (folder / "task.yaml").write_text(f"data: {{{data}}}\n{yaml}", encoding="utf-8")
    return folder


class KnowingModel(ScriptedModel):
    """A model that is right on a share of `puzzle_labels` rows, the same rows each time.

    The rows it gets right with demonstrations include those it gets right without. Asked about
    nothing (`N/A` and the like) it is sure of every label but the first, so content-free
    calibration spoils it.

    Args:
        zero_shot, few_shot: share it gets right without and with demonstrations.
        reply: what it writes when it is to generate; default "I see.".
        on_batch: sees every batch.
        seconds: of every batch, as reported.
        name: equal names are equal models to plans and caches.
    """

    def __init__(
        self,
        *,
        zero_shot: float = 0.6,
        few_shot: float = 0.9,
        reply: Callable[[Rendered], str] = lambda prompt: "I see.",
        on_batch: OnBatch | None = None,
        seconds: float = 0.01,
        name: str = "scripted",
    ) -> None:
        def score(prompt: Rendered, continuation: str) -> float:
            text = asked(prompt)
            if text in ("", "N/A", "[MASK]"):
                return -30.0 if continuation == LABELS[0] else 0.0
            said = LABELS.index(gold_label(text))
            if chance(text, "luck") >= (few_shot if shown(prompt) else zero_shot):
                said = (said + 1) % len(LABELS)
            return -0.1 if continuation == LABELS[said] else -3.0 - chance(text, continuation)

        identity = ModelIdentity(name, digest(name), "scripted", "float32")
        super().__init__(answers=reply, scores=score, seconds=seconds, identity=identity)
        self._on_batch = on_batch

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Any]]:
        """As `ScriptedModel`, seen by `on_batch`."""
        return self._seen(prompts, super().score(prompts, continuations, done=done))

    def generate(
        self, prompts: Sequence[Rendered], sampling: Any, *, done: Collection[int] = ()
    ) -> Iterator[Batch[Any]]:
        """As `ScriptedModel`, seen by `on_batch`."""
        return self._seen(prompts, super().generate(prompts, sampling, done=done))

    def _seen(
        self, prompts: Sequence[Rendered], batches: Iterator[Batch[Any]]
    ) -> Iterator[Batch[Any]]:
        for batch in batches:
            if self._on_batch is not None:
                self._on_batch(prompts, batch.indices)
            yield batch

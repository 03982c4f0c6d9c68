"""Nearly the same input in two splits, by the cosine of embeddings.

The threshold comes from looking at pairs. With all-MiniLM-L6-v2 on 1,500 train and up to 400 test
rows of public sets, pairs at 0.97 and above differ in word order, a contraction or a function word
("Is the PIN delivered separately?" / "Is the PIN separately delivered?"): 15 of 400 rows of
banking77, 13 of persona, 1 of twitter_fin, none of uci_sentences or xquad_en. Lower, and different
questions come in: 0.93 joins two "mutual funds to avoid" lists of different months.

A cosine alone is not enough in two cases, so `check_near_leakage` also compares words:

- Numbers hardly move an embedding. Of 300 arithmetic problems of svamp 44 have a train row at 0.97
  or above, most of them the same story with other numbers and another answer. Pairs whose numbers
  differ do not count.
- An embedder reads the beginning of a long text. Two telephone calls may open alike and go apart
  later: above `LONG` words, half of all words must be shared.

Answers are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from accordeur.core.task import Example, Task
from accordeur.tasks.checks.check import MOST_IDS, Check, leakage_level, rows_word
from accordeur.tasks.checks.facts import HELD_OUT
from accordeur.tasks.folding import fold
from accordeur.tasks.splits import question_key

FloatArray = npt.NDArray[np.float32]

THRESHOLD = 0.97
LONG = 120
"""Words above which an embedder of 256 tokens may not have read a text to its end."""
SHARED = 0.5
_BLOCK = 1024
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")


class NearPair(NamedTuple):
    """Two rows of different splits.

    Attributes:
        first, second: ids; `second` stands in the later split.
        first_split, second_split: where they stand.
        similarity: cosine.
    """

    first: str
    second: str
    first_split: str
    second_split: str
    similarity: float


def near_duplicates(
    vectors_by_split: Mapping[str, FloatArray],
    ids_by_split: Mapping[str, Sequence[str]],
    threshold: float = THRESHOLD,
) -> tuple[NearPair, ...]:
    """All pairs of rows of different splits whose cosine reaches the threshold.

    Computed in blocks of rows, so that memory stays at a few megabytes.

    Args:
        vectors_by_split: unit vectors, float32 [rows, dimension], per split in order.
        ids_by_split: row ids, as long as the vectors.
        threshold: smallest cosine.

    Raises:
        ValueError: vectors and ids of a split differ in number.
    """
    for name, vectors in vectors_by_split.items():
        if len(vectors) != len(ids_by_split[name]):
            raise ValueError(f"{name}: {len(vectors)} vectors for {len(ids_by_split[name])} ids")
    pairs = []
    for first, second in combinations(vectors_by_split, 2):
        left, right = vectors_by_split[first], vectors_by_split[second]
        if not len(left) or not len(right):
            continue
        for top in range(0, len(left), _BLOCK):
            for side in range(0, len(right), _BLOCK):
                cosines = left[top : top + _BLOCK] @ right[side : side + _BLOCK].T
                for i, j in np.argwhere(cosines >= threshold):
                    pairs.append(
                        NearPair(
                            ids_by_split[first][top + i],
                            ids_by_split[second][side + j],
                            first,
                            second,
                            float(cosines[i, j]),
                        )
                    )
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What the comparison needs of a split, row by row."""

    ids: tuple[str, ...]
    vectors: FloatArray
    questions: tuple[str, ...]
    numbers: tuple[tuple[str, ...], ...]
    words: tuple[frozenset[str], ...]
    lengths: tuple[int, ...]


def check_near_leakage(
    task: Task,
    embed: Callable[[Sequence[str]], FloatArray],
    threshold: float = THRESHOLD,
) -> Check:
    """An error for inputs nearly the same in two splits, unless `near` is allowed.

    Pairs that are the same after folding belong to the exact check and are left out. `ids` are the
    rows of the later split, the ones to remove.

    Args:
        task: with its allowed leakage.
        embed: texts -> unit vectors, float32 [texts, dimension]. Called once per split, for the
            held-out one inside its audit.
        threshold: smallest cosine that counts.
    """

    known = {"train": _look(task.train, embed), "dev": _look(task.dev, embed)}

    def compare(rows: Sequence[Example]) -> tuple[NearPair, ...]:
        # Inside the audit, so that of held-out rows only ids come out.
        return _pairs({**known, HELD_OUT: _look(rows, embed)}, threshold)

    pairs = _pairs(known, threshold) if task.held_out is None else task.held_out.audit(compare)
    return _report(pairs, threshold, task.allow_leakage)


def _pairs(sights: Mapping[str, _Sight], threshold: float) -> tuple[NearPair, ...]:
    """Near duplicates that stand up to a look at their words."""
    place = {
        name: {row: index for index, row in enumerate(sight.ids)} for name, sight in sights.items()
    }
    found = near_duplicates(
        {name: sight.vectors for name, sight in sights.items()},
        {name: sight.ids for name, sight in sights.items()},
        threshold,
    )
    return tuple(
        pair
        for pair in found
        if _alike(
            sights[pair.first_split],
            place[pair.first_split][pair.first],
            sights[pair.second_split],
            place[pair.second_split][pair.second],
        )
    )


def _report(pairs: Sequence[NearPair], threshold: float, allowed: tuple[str, ...]) -> Check:
    if not pairs:
        message = f"No input is nearly the same in two splits (cosine {threshold} or above)."
        return Check("near leakage", "ok", message, allow="near")
    rows: dict[tuple[str, str], dict[str, None]] = {}
    for pair in pairs:
        rows.setdefault((pair.first_split, pair.second_split), {})[pair.second] = None
    parts = [
        f"{rows_word(len(ids))} of {second} like one of {first}"
        for (first, second), ids in rows.items()
    ]
    message = f"Nearly the same input (cosine {threshold} or above): {'; '.join(parts)}."
    level = leakage_level("near", allowed)
    if level == "error":
        message += " Remove these rows, or add `allow_leakage: [near]` to task.yaml."
    ids = tuple(dict.fromkeys(pair.second for pair in pairs))
    return Check("near leakage", level, message, ids[:MOST_IDS], allow="near")


def _look(rows: Sequence[Example], embed: Callable[[Sequence[str]], FloatArray]) -> _Sight:
    folded = [fold(row.text) for row in rows]
    return _Sight(
        ids=tuple(row.id for row in rows),
        vectors=embed([row.text for row in rows]),
        questions=tuple(question_key(row) for row in rows),
        numbers=tuple(tuple(sorted(_NUMBER.findall(text))) for text in folded),
        words=tuple(frozenset(text.split()) for text in folded),
        lengths=tuple(len(text.split()) for text in folded),
    )


def _alike(first: _Sight, i: int, second: _Sight, j: int) -> bool:
    if first.questions[i] == second.questions[j] or first.numbers[i] != second.numbers[j]:
        return False
    if max(first.lengths[i], second.lengths[j]) <= LONG:
        return True
    shared = len(first.words[i] & second.words[j])
    return shared >= SHARED * len(first.words[i] | second.words[j])

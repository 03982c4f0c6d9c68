"""Draws the rows of `examples/logic`: small ordering and planning puzzles with their deductions.

    python examples/logic/draw.py [--seed 1] [--out examples/logic]

The same seed gives the same files. Every puzzle hides one order of four or five things behind
clues about neighbours, in random order and told from either side. The deductions put the clues
in line from the first thing to the last, then name the order.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from dataclasses import dataclass
from pathlib import Path

SIZES = {"train": 200, "dev": 120, "test": 240}

PEOPLE = [
    "Ada",
    "Ben",
    "Carla",
    "Dmitri",
    "Esra",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kemal",
    "Lena",
    "Mara",
    "Nils",
    "Olga",
    "Pablo",
    "Rosa",
    "Sven",
    "Tariq",
    "Uma",
    "Vera",
    "Wanda",
    "Yusuf",
    "Zoe",
]

JOBS = {
    "a house": ["roof", "wiring", "plaster", "paint", "floor", "windows", "heating"],
    "a dinner": ["soup", "bread", "salad", "roast", "sauce", "dessert", "table"],
    "a journey": ["visa", "tickets", "packing", "insurance", "hotel", "vaccination", "map"],
    "a concert": ["stage", "lights", "sound", "tickets", "rehearsal", "posters", "seats"],
    "a book": ["outline", "draft", "review", "index", "cover", "print", "layout"],
}


@dataclass(frozen=True)
class Scene:
    """How an order is spoken of.

    Attributes:
        opening: names the things, `{names}`.
        forward, backward: a clue about neighbours, `{a}` before `{b}`.
        questions: by position from the front: 0, 1, -1, -2.
    """

    opening: str
    forward: str
    backward: str
    questions: dict[int, str]


ORDERS = (
    Scene(
        "{names} stand in a queue.",
        "{a} stands right in front of {b}.",
        "{b} stands right behind {a}.",
        {
            0: "Who is first?",
            1: "Who is second?",
            -1: "Who is last?",
            -2: "Who is the last but one?",
        },
    ),
    Scene(
        "{names} are all of different ages.",
        "{a} is older than {b}.",
        "{b} is younger than {a}.",
        {
            0: "Who is the oldest?",
            1: "Who is the second oldest?",
            -1: "Who is the youngest?",
            -2: "Who is the second youngest?",
        },
    ),
    Scene(
        "{names} run a race.",
        "{a} comes in just before {b}.",
        "{b} comes in just after {a}.",
        {
            0: "Who wins?",
            1: "Who comes second?",
            -1: "Who comes last?",
            -2: "Who comes in last but one?",
        },
    ),
    Scene(
        "{names} live on different floors of one house.",
        "{a} lives above {b}.",
        "{b} lives below {a}.",
        {
            0: "Who lives on the highest floor?",
            1: "Who lives on the second highest floor?",
            -1: "Who lives on the lowest floor?",
            -2: "Who lives on the second lowest floor?",
        },
    ),
)
PLAN = Scene(
    "For {what} there is {names} to see to.",
    "The {a} must be done before the {b}.",
    "The {b} can only be done after the {a}.",
    {
        0: "What is done first?",
        1: "What is done second?",
        -1: "What is done last?",
        -2: "What is done last but one?",
    },
)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def puzzle(d: random.Random) -> tuple[str, list[str], str]:
    """A puzzle, its deductions and its answer."""
    size = d.choice((4, 4, 5))
    if d.random() < 0.35:
        scene, what = PLAN, d.choice(sorted(JOBS))
        order = d.sample(JOBS[what], size)
        named = _listed([f"the {name}" for name in d.sample(order, size)])
    else:
        scene, what = d.choice(ORDERS), ""
        order = d.sample(PEOPLE, size)
        named = _listed(d.sample(order, size))
    pairs = list(itertools.pairwise(order))
    clues = [d.choice((scene.forward, scene.backward)).format(a=a, b=b) for a, b in pairs]
    place = d.choice(sorted(scene.questions))
    opening = scene.opening.format(what=what, names=named)
    text = " ".join((opening, *d.sample(clues, len(clues)), scene.questions[place]))
    steps = [scene.forward.format(a=a, b=b) for a, b in pairs]
    return text, [*steps, f"So the order is {', '.join(order)}."], order[place]


def draw(seed: int) -> dict[str, list[dict[str, object]]]:
    """Rows of every split."""
    source = random.Random(seed)
    seen: set[str] = set()
    splits: dict[str, list[dict[str, object]]] = {}
    number = 0
    for split, size in SIZES.items():
        rows: list[dict[str, object]] = []
        while len(rows) < size:
            text, steps, answer = puzzle(source)
            if text in seen:
                continue
            seen.add(text)
            number += 1
            rows.append(
                {"id": f"logic-{number:04d}", "input": text, "expected": answer, "steps": steps}
            )
        splits[split] = rows
    return splits


def main() -> None:
    """Write the splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    for split, rows in draw(asked.seed).items():
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        text = "".join(f"{line}\n" for line in lines)
        (asked.out / f"{split}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Draws the rows of `examples/arithmetic`: word problems of two or three operations, with steps.

    python examples/arithmetic/draw.py [--seed 1] [--out examples/arithmetic]

The same seed gives the same files. A problem is a story with numbers drawn for it; no two rows tell
the same story with the same numbers. Stories of the held-out split stand in train too, with
other numbers: what is asked is arithmetic, not the reading of new stories.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
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
FRUIT = ["apples", "pears", "plums", "oranges", "lemons", "peaches", "figs", "apricots"]
TOYS = ["marbles", "stickers", "beads", "buttons", "shells", "cards", "coins", "badges"]
GOODS = ["books", "lamps", "chairs", "vases", "mugs", "plates", "candles", "baskets"]
ANIMALS = ["hens", "goats", "ducks", "rabbits", "sheep", "geese", "ponies", "calves"]
PLACES = ["library", "museum", "market", "station", "bakery", "theatre", "harbour", "nursery"]

Problem = tuple[str, list[str], int]
Draw = random.Random


def _step(left: int, sign: str, right: int) -> tuple[str, int]:
    value = {"+": left + right, "-": left - right, "*": left * right, "/": left // right}[sign]
    return f"{left} {sign} {right} = {value}", value


def _work(first: int, *rest: tuple[str, int]) -> tuple[list[str], int]:
    """Steps of a chain in which every operation goes on with the result before it."""
    steps, value = [], first
    for sign, number in rest:
        line, value = _step(value, sign, number)
        steps.append(line)
    return steps, value


def _boxes_sold(d: Draw) -> Problem:
    who, what = d.choice(PEOPLE), d.choice(FRUIT)
    n, each = d.randint(3, 9), d.randint(4, 12)
    sold = d.randint(2, n * each - 1)
    steps, answer = _work(n, ("*", each), ("-", sold))
    return (
        f"{who} has {n} boxes with {each} {what} in each. {sold} {what} are sold. How many {what} "
        "are left?",
        steps,
        answer,
    )


def _gave_and_found(d: Draw) -> Problem:
    who, friend = d.sample(PEOPLE, 2)
    what = d.choice(TOYS)
    had, found = d.randint(12, 60), d.randint(3, 25)
    gave = d.randint(2, had - 5)
    steps, answer = _work(had, ("-", gave), ("+", found))
    return (
        f"{who} had {had} {what}, gave {gave} of them to {friend} and found {found} more. How many "
        f"{what} does {who} have now?",
        steps,
        answer,
    )


def _shared_evenly(d: Draw) -> Problem:
    a, b = d.sample(PEOPLE, 2)
    what = d.choice(TOYS)
    people, each = d.randint(2, 8), d.randint(3, 12)
    first = d.randint(2, people * each - 2)
    second = people * each - first
    steps, answer = _work(first, ("+", second), ("/", people))
    return (
        f"{a} brings {first} {what} and {b} brings {second}. They share all of them evenly among "
        f"{people} children. How many {what} does each child get?",
        steps,
        answer,
    )


def _two_prices(d: Draw) -> Problem:
    who, what = d.choice(PEOPLE), d.choice(GOODS)
    n, price, extra = d.randint(2, 9), d.randint(3, 12), d.randint(4, 30)
    steps, answer = _work(n, ("*", price), ("+", extra))
    return (
        f"{who} buys {n} {what} at {price} euros each and pays {extra} euros for delivery. How "
        "many euros does that cost altogether?",
        steps,
        answer,
    )


def _change_back(d: Draw) -> Problem:
    who, what = d.choice(PEOPLE), d.choice(FRUIT)
    n, price = d.randint(2, 9), d.randint(2, 9)
    note = d.choice([one for one in (20, 50, 100) if one > n * price])
    first, cost = _step(n, "*", price)
    second, answer = _step(note, "-", cost)
    return (
        f"{who} buys {n} bags of {what} for {price} euros each and pays with a {note} euro note. "
        f"How many euros does {who} get back?",
        [first, second],
        answer,
    )


def _farm_legs(d: Draw) -> Problem:
    kind, other = d.sample(ANIMALS, 2)
    pens, each, sold, born = d.randint(2, 7), d.randint(3, 9), d.randint(1, 5), d.randint(2, 9)
    steps, answer = _work(pens, ("*", each), ("-", sold), ("+", born))
    return (
        f"A farm keeps {each} {kind} in each of {pens} pens. It sells {sold} {kind}, then {born} "
        f"young {kind} are born. The {other} are not counted. How many {kind} are there?",
        steps,
        answer,
    )


def _bus_stops(d: Draw) -> Problem:
    start, off, on = d.randint(10, 45), d.randint(2, 9), d.randint(2, 20)
    later = d.randint(1, 8)
    steps, answer = _work(start, ("-", off), ("+", on), ("-", later))
    return (
        f"A tram leaves with {start} people. At the {d.choice(PLACES)} {off} get off and {on} get "
        f"on; at the next stop {later} get off. How many people are on the tram?",
        steps,
        answer,
    )


def _saved_weeks(d: Draw) -> Problem:
    who, what = d.choice(PEOPLE), d.choice(GOODS)
    weeks, each, has = d.randint(3, 12), d.randint(2, 9), d.randint(5, 40)
    steps, answer = _work(weeks, ("*", each), ("+", has))
    return (
        f"{who} has {has} euros and saves {each} euros a week for new {what}. How many euros does "
        f"{who} have after {weeks} weeks?",
        steps,
        answer,
    )


def _pages_left(d: Draw) -> Problem:
    who = d.choice(PEOPLE)
    days, each = d.randint(3, 9), d.randint(5, 15)
    total = days * each + d.randint(5, 60)
    first, read = _step(days, "*", each)
    second, answer = _step(total, "-", read)
    return (
        f"A book has {total} pages. {who} reads {each} pages a day for {days} days. How many pages "
        "are left?",
        [first, second],
        answer,
    )


def _two_kinds(d: Draw) -> Problem:
    a, b = d.sample(GOODS, 2)
    n, m, x, y = d.randint(2, 8), d.randint(2, 8), d.randint(2, 9), d.randint(2, 9)
    first, left = _step(n, "*", x)
    second, right = _step(m, "*", y)
    third, answer = _step(left, "+", right)
    return (
        f"A shop sells {n} {a} at {x} euros each and {m} {b} at {y} euros each. How many euros "
        "does it take in?",
        [first, second, third],
        answer,
    )


def _difference(d: Draw) -> Problem:
    who, friend = d.sample(PEOPLE, 2)
    what = d.choice(TOYS)
    bags, each = d.randint(3, 9), d.randint(4, 12)
    other = d.randint(2, bags * each - 1)
    steps, answer = _work(bags, ("*", each), ("-", other))
    return (
        f"{who} fills {bags} bags with {each} {what} each. {friend} has {other} {what}. How many "
        f"more {what} does {who} have than {friend}?",
        steps,
        answer,
    )


def _rows_of_seats(d: Draw) -> Problem:
    rows, each = d.randint(4, 12), d.randint(5, 12)
    adults = d.randint(3, rows * each // 2)
    children = d.randint(3, rows * each - adults - 1)
    first, seats = _step(rows, "*", each)
    second, people = _step(adults, "+", children)
    third, answer = _step(seats, "-", people)
    return (
        f"The {d.choice(PLACES)} hall has {rows} rows of {each} seats. {adults} adults and "
        f"{children} children sit down. How many seats stay empty?",
        [first, second, third],
        answer,
    )


def _packed_again(d: Draw) -> Problem:
    who, what = d.choice(PEOPLE), d.choice(FRUIT)
    full, size = d.choice([(a, b) for a in range(3, 10) for b in range(3, 10) if a * b % 2 == 0])
    crates = d.choice([one for one in range(2, 7) if full * size % one == 0])
    steps, answer = _work(full, ("*", size), ("/", crates))
    return (
        f"{who} empties {full} baskets of {size} {what} each and packs all of them evenly into "
        f"{crates} crates. How many {what} are in a crate?",
        steps,
        answer,
    )


def _broken_ones(d: Draw) -> Problem:
    what = d.choice(GOODS)
    morning, evening = d.randint(10, 50), d.randint(10, 50)
    broken = d.randint(2, 15)
    steps, answer = _work(morning, ("+", evening), ("-", broken))
    return (
        f"A workshop makes {morning} {what} in the morning and {evening} in the afternoon. "
        f"{broken} of them break. How many {what} are whole?",
        steps,
        answer,
    )


def _twice_as_many(d: Draw) -> Problem:
    who, friend = d.sample(PEOPLE, 2)
    what, times, own = d.choice(TOYS), d.randint(2, 5), d.randint(4, 15)
    first, other = _step(own, "*", times)
    second, answer = _step(own, "+", other)
    return (
        f"{who} has {own} {what}. {friend} has {times} times as many. How many {what} do they have "
        "together?",
        [first, second],
        answer,
    )


def _water_tank(d: Draw) -> Problem:
    per, hours, leak = d.randint(4, 12), d.randint(3, 9), d.randint(2, 15)
    start = d.randint(10, 60)
    steps, answer = _work(per, ("*", hours), ("+", start), ("-", leak))
    return (
        f"A tank holds {start} litres. {per} litres an hour flow in for {hours} hours, and {leak} "
        "litres are lost. How many litres are in the tank?",
        steps,
        answer,
    )


STORIES: tuple[Callable[[Draw], Problem], ...] = (
    _boxes_sold,
    _gave_and_found,
    _shared_evenly,
    _two_prices,
    _change_back,
    _farm_legs,
    _bus_stops,
    _saved_weeks,
    _pages_left,
    _two_kinds,
    _difference,
    _rows_of_seats,
    _packed_again,
    _broken_ones,
    _twice_as_many,
    _water_tank,
)


def draw(seed: int) -> dict[str, list[dict[str, object]]]:
    """Rows of every split; stories take turns, so that every split has all of them."""
    source = random.Random(seed)
    seen: set[str] = set()
    splits: dict[str, list[dict[str, object]]] = {}
    number = 0
    for split, size in SIZES.items():
        rows: list[dict[str, object]] = []
        while len(rows) < size:
            text, steps, answer = STORIES[len(rows) % len(STORIES)](source)
            if text in seen:
                continue
            seen.add(text)
            number += 1
            rows.append(
                {
                    "id": f"arithmetic-{number:04d}",
                    "input": text,
                    "expected": str(answer),
                    "steps": steps,
                }
            )
        source.shuffle(rows)
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

"""The task that `accordeur init` writes without data: 24 short notes to sort, written by us.

Small on purpose: it runs in a minute and shows the "unconfirmed" path of small data.
"""

from __future__ import annotations

import json
from pathlib import Path

from accordeur.tasks.scaffold import Choices, refuse_overwriting, task_yaml
from accordeur.tasks.write import write_atomically

INSTRUCTION = "Is this note something to do, an appointment, or something to remember?"

NOTES: tuple[tuple[str, str], ...] = (
    ("Buy bread and two lemons on the way home", "to_do"),
    ("Dentist on Thursday at half past nine", "appointment"),
    ("The wifi password is on the back of the router", "to_remember"),
    ("Call the landlord about the dripping tap", "to_do"),
    ("Lunch with Amara at one, the place by the canal", "appointment"),
    ("Grandma takes her tea without sugar", "to_remember"),
    ("Return the drill to the neighbours", "to_do"),
    ("School concert, Friday 18:00, main hall", "appointment"),
    ("Bikes may ride on the 14 tram after eight in the evening", "to_remember"),
    ("Water the tomatoes before it gets hot", "to_do"),
    ("Train to Lyon leaves 7:12 on Monday", "appointment"),
    ("Our meter is the left one in the cellar", "to_remember"),
    ("Send Piotr the photos from the hike", "to_do"),
    ("Parents' evening moved to the 23rd, seven o'clock", "appointment"),
    ("The blue paint in the hall was called Harbour 4", "to_remember"),
    ("Renew the library card", "to_do"),
    ("Video call with the architect tomorrow at ten", "appointment"),
    ("Lena is allergic to hazelnuts", "to_remember"),
    ("Find the receipt for the kettle", "to_do"),
    ("Swimming lesson, Saturdays at eleven until June", "appointment"),
    ("Spare key hangs behind the boiler", "to_remember"),
    ("Book a table for six", "to_do"),
    ("Car inspection on the 4th, 8 a.m.", "appointment"),
    ("The good bakery closes on Tuesdays", "to_remember"),
)

LABELS = {
    "to_do": "something to do",
    "appointment": "appointment",
    "to_remember": "something to remember",
}


def write_starter(folder: str | Path, *, name: str = "", force: bool = False) -> Path:
    """Write the starter task into a folder; the path of its `task.yaml`.

    Raises:
        TaskError: something is there already and `force` is not given, or it cannot be written.
    """
    folder = Path(folder)
    target, data = folder / "task.yaml", folder / "notes.jsonl"
    for path in (target, data):
        refuse_overwriting(path, force=force)
    rows = [
        {"id": f"note-{number:02}", "input": text, "expected": label}
        for number, (text, label) in enumerate(NOTES, start=1)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(data, text.encode("utf-8"))
    choices = Choices(
        data=data,
        name=name,
        description="Sorting short notes; a starting point to replace with your own rows.",
        instruction=INSTRUCTION,
        labels=LABELS,
        metric="accuracy",
    )
    described = task_yaml(choices, data.name, folder.resolve().name)
    write_atomically(target, described.encode("utf-8"))
    return target

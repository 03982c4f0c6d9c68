"""Two toy tasks, small enough for every test: customer messages to a team, calls to a sentence.

Written by us, the same every time. Some train rows share a group (two messages of one customer), so
that whatever must respect groups is put to the test.

    label_task()   3 labels, 24 train / 12 dev / 6 held-out rows
    text_task()    12 train / 8 dev / 6 held-out rows
"""

from __future__ import annotations

from pathlib import Path

from accordeur.core.span import Span
from accordeur.core.task import Example, Label, SealedSplit, Task
from accordeur.tasks.write import write_rows

_MESSAGES: dict[str, tuple[str, ...]] = {
    "billing": (
        "Why does my invoice show two amounts for March?",
        "You charged me for a subscription I ended in spring.",
        "The refund you promised has not reached my bank yet.",
        "Can I pay the yearly fee in four parts instead of one?",
        "My statement lists a purchase of 42 euros I never made.",
        "The price on the bill is higher than the one on your site.",
        "Please send me the receipt for last week's payment again.",
        "I would like to know what this service charge is for.",
        "A discount code was accepted but not taken off the total.",
        "Is the value added tax already inside the sum I owe?",
        "I paid twice by mistake; how do I get one payment back?",
        "The currency on my invoice is wrong, it should be pounds.",
        "When is the next instalment going to be collected?",
        "Somebody else's company name stands on my bill.",
    ),
    "card": (
        "I left my card in a taxi and cannot find it anywhere.",
        "Somebody stole my wallet with the debit card inside.",
        "The machine at the station swallowed my card this morning.",
        "My new card has still not come in the post.",
        "The chip on the card is scratched and shops refuse it.",
        "Please block the card ending in 7781 at once.",
        "The card expires next month; will another be sent to me?",
        "I need a second card for my daughter who studies abroad.",
        "My name is spelled wrongly on the plastic you sent.",
        "Can the card be used to draw cash in Norway?",
        "The contactless symbol is missing from my replacement.",
        "I found the card I reported as lost; can it be freed again?",
        "Which address was my card delivered to last Tuesday?",
        "The magnetic stripe no longer works at the petrol pump.",
    ),
    "login": (
        "The app says my password is wrong although it is not.",
        "I never get the code that should come by text message.",
        "My account is locked after three attempts to sign in.",
        "How do I change the e-mail address I sign in with?",
        "The page for signing in stays white in my browser.",
        "I forgot the answer to my security question.",
        "After the update the fingerprint no longer opens the app.",
        "Two-step verification asks for a phone I sold last year.",
        "The link for a new password has expired already.",
        "I am signed out every few minutes for no reason.",
        "Can my colleague have a user name of her own?",
        "The website does not accept the special signs in my password.",
        "My session ends while I am still typing the form.",
        "I registered twice and now cannot enter either profile.",
    ),
}
_PEOPLE = (
    "Mrs Abel",
    "Mr Brandt",
    "Ms Castro",
    "Mr Duval",
    "Mrs Eriksen",
    "Ms Fofana",
    "Mr Grant",
    "Mrs Hoshi",
    "Mr Ivanov",
    "Ms Jensen",
    "Mr Kowalski",
    "Mrs Lindt",
    "Ms Moreau",
    "Mr Novak",
    "Mrs Olsen",
    "Mr Pereira",
    "Ms Quinn",
    "Mr Rossi",
    "Mrs Schulz",
    "Ms Tanaka",
    "Mr Usman",
    "Mrs Vega",
    "Ms Weiss",
    "Mr Xu",
    "Mrs Young",
    "Ms Zeller",
)
_STRANGERS = tuple(f"{title} Nobody" for title in ("Mrs", "Mr", "Ms", "Dr", "Sir", "Lady"))
_MATTERS = (
    ("a leaking tap in the kitchen", "The plumber comes on Monday at nine."),
    ("a parcel that never arrived", "A second parcel leaves the depot tonight."),
    ("moving an appointment in June", "The new date is the twelfth at noon."),
    ("a broken street lamp", "The town repairs it within two weeks."),
    ("the opening hours of the library", "It opens at ten on Saturdays."),
    ("a wrong name on a certificate", "A corrected copy goes out by post."),
    ("a cancelled flight to Oslo", "Two seats are booked on Thursday."),
    ("the price of a winter coat", "The shop keeps one aside until Friday."),
    ("a noisy neighbour upstairs", "The landlord writes a letter today."),
    ("a lost umbrella on the tram", "It waits at the lost property office."),
    ("renewing a fishing licence", "The form can be signed online."),
    ("a table for seven people", "It is reserved for eight in the evening."),
    ("a dog that needs vaccination", "The vet has time on Wednesday."),
)


def _label_rows() -> dict[str, list[Example]]:
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for number in range(14):
        split = "train" if number < 8 else "dev" if number < 12 else "test"
        for label, texts in _MESSAGES.items():
            name = f"{label}-{number}"
            # The first two messages of each team come from one customer.
            group = f"{label}-customer" if number < 2 else name
            splits[split].append(Example(name, texts[number], (label,), group))
    return splits


def _text_rows() -> dict[str, list[Example]]:
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for number, person in enumerate(_PEOPLE):
        matter, outcome = _MATTERS[number % len(_MATTERS)]
        split = "train" if number < 12 else "dev" if number < 20 else "test"
        text = f"{person} calls about {matter}. The line is poor at first. {outcome}"
        group = "one caller" if number in (3, 4) else f"call-{number}"
        splits[split].append(
            Example(f"call-{number}", text, (f"{person} called about {matter}.",), group)
        )
    return splits


_LABELS = (
    Label("billing", "Billing"),
    Label("card", "Lost or broken card"),
    Label("login", "Signing in"),
)
_LABEL_WORDS = ("Which team should handle this message?", "Customer messages to three teams.")
_TEXT_WORDS = ("Say in one sentence who called about what.", "Telephone calls to one sentence.")


def label_task() -> Task:
    """The label task, in memory: no folder, no files."""
    rows = _label_rows()
    return Task(
        name="toy-messages",
        description=_LABEL_WORDS[1],
        instruction=_LABEL_WORDS[0],
        kind="labels",
        labels=_LABELS,
        metric="accuracy",
        train=tuple(rows["train"]),
        dev=tuple(rows["dev"]),
        held_out=SealedSplit(tuple(rows["test"])),
    )


def text_task() -> Task:
    """The text task, in memory: no folder, no files."""
    rows = _text_rows()
    return Task(
        name="toy-calls",
        description=_TEXT_WORDS[1],
        instruction=_TEXT_WORDS[0],
        kind="text",
        labels=(),
        metric="token-f1",
        train=tuple(rows["train"]),
        dev=tuple(rows["dev"]),
        held_out=SealedSplit(tuple(rows["test"])),
    )


def write_label_task(folder: Path) -> Path:
    """The label task as a folder that `load_task` reads; returns the folder."""
    labels = "".join(f'  {label.name}: "{label.text}"\n' for label in _LABELS)
    return _write(
        folder, "toy-messages", _LABEL_WORDS, _label_rows(), f"labels:\n{labels}metric: accuracy\n"
    )


def write_text_task(folder: Path) -> Path:
    """The text task as a folder that `load_task` reads; returns the folder."""
    return _write(folder, "toy-calls", _TEXT_WORDS, _text_rows(), "metric: token-f1\n")


def write_document_task(folder: Path) -> Path:
    """A task whose answers stand in documents, a small one per caller; returns the folder.

    Every row but the callers nobody has noted names the place of its answer.
    """
    documents = folder / "documents"
    documents.mkdir(parents=True)
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for number, person in enumerate((*_PEOPLE, *_STRANGERS)):
        at = number - len(_PEOPLE)
        split = "train" if number < 12 else "dev" if number < 20 else "test"
        if at >= 0:
            split = ("train", "train", "train", "dev", "dev", "test")[at % 6]
        question = f"What did {person} call about?"
        name = f"caller-{number}"
        if at >= 0:
            splits[split].append(Example(name, question, (), name))
            continue
        matter, outcome = _MATTERS[number % len(_MATTERS)]
        text = f"{person} called about {matter}. {outcome}\n"
        document = f"{person.lower().replace(' ', '-')}.md"
        (documents / document).write_text(text, encoding="utf-8")
        start = text.index(matter)
        span = Span(document, start, start + len(matter))
        row = Example(name, question, (matter,), name, spans=(span,), quotes=(matter,))
        splits[split].append(row)
    words = ("Answer in a few words.", "Notes of telephone calls, a page each.")
    return _write(folder, "toy-notes", words, splits, "metric: exact-match\ndocuments: documents\n")


def _write(
    folder: Path, name: str, words: tuple[str, str], rows: dict[str, list[Example]], rest: str
) -> Path:
    for split, examples in rows.items():
        write_rows(folder / f"{split}.jsonl", examples)
    (folder / "task.yaml").write_text(
        f"name: {name}\ndescription: {words[1]}\ninstruction: {words[0]}\n"
        f"data: {{train: train.jsonl, dev: dev.jsonl, test: test.jsonl}}\n{rest}",
        encoding="utf-8",
    )
    return folder

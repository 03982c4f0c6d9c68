"""What kind of answers a task has, its labels, and the metric that goes with them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from accordeur.core.errors import TaskError
from accordeur.core.task import Example, Label, TaskKind
from accordeur.tasks.folding import fold

LABEL_METRICS = ("accuracy", "macro-f1")
_LABEL_WORDS = 6
_MOST_LABELS = 50
_SHORT_ANSWER_WORDS = 5


def infer_kind(
    rows: Sequence[Example], labels: tuple[Label, ...] | None, metric: str | None
) -> TaskKind:
    """Whether answers come from a closed list.

    They do when labels are given or the metric is one of labels. With neither, when each row has
    one answer of at most 6 words and there are at most max(2, min(50, n / 5)) different ones, each
    on two rows on average.

    Args:
        rows: train rows (all rows where the splits are yet to be drawn).
        labels: as `task.yaml` gives them.
        metric: as `task.yaml` gives it.
    """
    if labels is not None or metric in LABEL_METRICS:
        return "labels"
    if metric is not None or not rows:
        return "text"
    answers = [row.expected or () for row in rows]
    if any(len(answer) != 1 or len(answer[0].split()) > _LABEL_WORDS for answer in answers):
        return "text"
    different = len({answer[0] for answer in answers})
    most = max(2, min(_MOST_LABELS, len(rows) // 5))
    return "labels" if different <= most and 2 * different <= len(rows) else "text"


def default_metric(rows: Sequence[Example], kind: TaskKind) -> str:
    """Accuracy for labels, exact match for short answers (at most 5 words), ROUGE-L for text."""
    if kind == "labels":
        return "accuracy"
    answers = [answer for row in rows for answer in row.expected or ()]
    short = all(len(answer.split()) <= _SHORT_ANSWER_WORDS for answer in answers)
    return "exact-match" if short else "rouge-l"


def recurring_answers(rows: Sequence[Example]) -> tuple[str, ...]:
    """A note for a text task whose short answers come back so often that they may be labels."""
    answers = [row.expected or () for row in rows]
    if any(len(answer) != 1 or len(answer[0].split()) > _LABEL_WORDS for answer in answers):
        return ()
    different = len({answer[0] for answer in answers})
    if not 1 < different <= len(rows) // 2:
        return ()
    return (
        f"{different} short answers recur over {len(rows)} rows, too many to be taken for labels: "
        "`metric: accuracy` makes them labels.",
    )


def require_single_answers(rows: Sequence[Example], source: str) -> None:
    """Check that each row of a label task has exactly one answer.

    Raises:
        TaskError: one has not.
    """
    for row in rows:
        if row.expected is None or len(row.expected) != 1:
            count = len(row.expected or ())
            raise TaskError(
                f"`{source}`: row `{row.id}` has {count or 'no'} "
                f"answer{'' if count == 1 else 's'}; a label task needs exactly one.",
                hint="give the row one label, or choose a text metric: metric: exact-match",
            )


def infer_labels(train: Sequence[Example], source: str) -> tuple[Label, ...]:
    """The labels of train, in order of first appearance.

    Raises:
        TaskError: there is only one.
    """
    names = tuple(dict.fromkeys(row.label for row in train))
    if len(names) < 2:
        raise TaskError(
            f"`{source}`: every row has the label `{names[0]}`; there is nothing to decide.",
            hint="add rows with other labels, or choose a text metric: metric: rouge-l",
        )
    return tuple(Label(name, name) for name in names)


def check_train_labels(
    labels: tuple[Label, ...], train: Sequence[Example], config: Path
) -> tuple[str, ...]:
    """Hold the labels of `task.yaml` against train; warnings for those without rows.

    Raises:
        TaskError: train has a label that `task.yaml` does not name.
    """
    _refuse_unknown(labels, train, "train", f"named in `{config}`")
    present = {row.label for row in train}
    absent = [label.name for label in labels if label.name not in present]
    return tuple(f"The label `{name}` of task.yaml has no train row." for name in absent)


def check_dev_labels(labels: tuple[Label, ...], dev: Sequence[Example]) -> None:
    """Hold dev against the labels known from `task.yaml` or train.

    Raises:
        TaskError: dev has another label.
    """
    _refuse_unknown(labels, dev, "dev", "named in task.yaml and in no train row")


def check_held_out_labels(labels: tuple[Label, ...], rows: Sequence[Example]) -> None:
    """Hold the held-out rows against the known labels; the message says only how many fail.

    Raises:
        TaskError: some have another label.
    """
    names = {label.name for label in labels}
    count = sum(row.label not in names for row in rows)
    if count:
        raise TaskError(
            f"{count} of {len(rows)} held-out rows {'has' if count == 1 else 'have'} a label that "
            "neither task.yaml nor train names.",
            hint="name all labels in task.yaml (`labels:`); held-out rows are not shown",
        )


def names_alike(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of labels that differ only in case, punctuation or white space."""
    first: dict[str, str] = {}
    pairs = []
    for name in names:
        other = first.setdefault(fold(name), name)
        if other != name:
            pairs.append((other, name))
    return tuple(pairs)


def _refuse_unknown(
    labels: tuple[Label, ...], rows: Sequence[Example], split: str, where: str
) -> None:
    names = [label.name for label in labels]
    unknown = Counter(row.label for row in rows if row.label not in set(names))
    if not unknown:
        return
    name, count = unknown.most_common(1)[0]
    row = next(row for row in rows if row.label == name)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    offer = f"did you mean `{near[0]}`? " if near else ""
    known = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    shown = name if len(name) <= 60 else name[:57] + "..."
    raise TaskError(
        f"The label `{shown}` of {split} (row `{row.id}`; {count} "
        f"{'row' if count == 1 else 'rows'}) is not {where}.",
        hint=f"{offer}known: {known}; add it under `labels:` or correct the row",
    )

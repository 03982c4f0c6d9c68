from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.task import Task
from accordeur.tasks import load_task
from accordeur.testing import toy

PAIRS = [(toy.label_task, toy.write_label_task), (toy.text_task, toy.write_text_task)]


def rows_of(task: Task) -> list[str]:
    assert task.held_out is not None
    return sorted(map(str, [*task.train, *task.dev, *task.held_out.audit(lambda rows: rows)]))


@pytest.mark.parametrize(("make", "write"), PAIRS, ids=["labels", "text"])
def test_a_toy_task_on_disk_is_the_one_in_memory(
    make: Callable[[], Task], write: Callable[[Path], Path], tmp_path: Path
) -> None:
    read = load_task(write(tmp_path))
    made = make()
    assert rows_of(read) == rows_of(made)
    assert read.brief == made.brief
    assert len(read.data_files) == 3


@pytest.mark.parametrize("make", [toy.label_task, toy.text_task], ids=["labels", "text"])
def test_no_text_stands_twice_and_groups_keep_to_their_split(make: Callable[[], Task]) -> None:
    task = make()
    assert task.held_out is not None
    splits = [task.train, task.dev, task.held_out.audit(lambda rows: rows)]
    texts = [row.text for rows in splits for row in rows]
    assert len(texts) == len(set(texts))
    groups = [{row.group for row in rows} for rows in splits]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]
    assert len(groups[0]) < len(task.train)

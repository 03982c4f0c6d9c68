"""What a run hands to levers, walked: nothing of dev or the held-out split hangs on it."""

from __future__ import annotations

import gc
import os
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accordeur.bench.entries import pull
from accordeur.bench.fit_context import EntryContext
from accordeur.bench.lever_view import LeverView
from accordeur.bench.stacks import Stack
from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext
from accordeur.core.task import Example, Task
from accordeur.levers.as_is import AsIs
from accordeur.store.run_folder import RunFolder
from accordeur.tasks import load_task
from accordeur.testing import ScriptedSource, toy
from accordeur.testing.leaks import find_leaks
from accordeur.testing.opened_files import watching
from accordeur.testing.reachable import reachable
from accordeur.testing.trial import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    task = load_task(toy.write_label_task(tmp_path / "task"))
    return Workshop(AsIs(), task, ScriptedSource(), "scripted", tmp_path / "runs")


@pytest.fixture
def entry(shop: Workshop, tmp_path: Path) -> EntryContext:
    folder = RunFolder.create_or_open(tmp_path / "runs", "seal", {"plan": 1})
    return EntryContext(shop.bench(folder, 3), "as-is", lever="as-is")


def test_the_context_that_knows_dev_is_found_out(shop: Workshop, entry: EntryContext) -> None:
    assert any("12 dev rows" in leak for leak in find_leaks(shop.task, entry))


def test_the_view_of_it_hands_out_neither_rows_nor_paths(
    shop: Workshop, entry: EntryContext
) -> None:
    view = LeverView(entry)
    given = shop.given()
    with entry.bench.folder.lock():
        evaluation = view.evaluate(given, "probe")
        answers = view.answer(given, shop.task.train[:3])
    assert evaluation.n == 12
    assert len(answers) == 3
    assert find_leaks(shop.task, view, evaluation, given, answers) == []


def test_a_view_can_be_neither_given_attributes_nor_pickled(entry: EntryContext) -> None:
    view = LeverView(entry)
    with pytest.raises(AttributeError):
        view.dev = ()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(view)


def test_a_context_ends_with_its_view(entry: EntryContext) -> None:
    from accordeur.bench.lever_view import _ENTRIES

    gc.collect()  # what other tests left in cycles is not counted
    before = len(_ENTRIES)
    view = LeverView(entry)
    assert len(_ENTRIES) == before + 1
    del view
    gc.collect()
    assert len(_ENTRIES) == before


def test_a_run_hands_its_levers_a_view(shop: Workshop, entry: EntryContext) -> None:
    handed: list[FitContext] = []

    class Curious(AsIs):
        def fit(self, candidate: Candidate, train: Any, context: FitContext) -> Candidate:
            handed.append(context)
            return super().fit(candidate, train, context)

    limits, prices = shop.task.limits, shop.task.prices
    with entry.bench.folder.lock():
        pull(
            Stack("as-is", (Curious(),)),
            shop.given(),
            shop.task.train,
            entry.bench,
            prices=prices,
            limits=limits,
        )
    assert isinstance(handed[0], LeverView)
    assert find_leaks(shop.task, handed[0]) == []


class Holder:
    """Something with an attribute."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def method(self) -> None: ...


class Slotted:
    """Something with a private slot and no dictionary."""

    __slots__ = ("__thing",)

    def __init__(self, thing: object) -> None:
        self.__thing = thing


class Handing:
    """Something that hands a thing out through a property of its class."""

    kept: list[Any] = []  # noqa: RUF012 - a class attribute is what is meant

    @property
    def thing(self) -> object:
        return self.kept[0]


def _generator(thing: object) -> Any:
    yield thing


HIDING_PLACES: dict[str, Callable[[Any], object]] = {
    "attribute": Holder,
    "private slot": Slotted,
    "bound method": lambda thing: Holder(thing).method,
    "closure": lambda thing: lambda: thing,
    "default": lambda thing: lambda held=thing: held,
    "dictionary key": lambda thing: {(1, thing.id): {thing.text: 1}},
    "nested containers": lambda thing: [({"a": frozenset([thing.text])},)],
    "weak reference": lambda thing: (keep := Holder(thing), weakref.ref(keep)),
    "object array": lambda thing: np.array([[thing.text]]),
    "bytes": lambda thing: thing.text.encode(),
    "generator": lambda thing: _generator(Holder(thing)) if next(_generator(thing)) else None,
    "longer text": lambda thing: f"before {thing.text} after",
    "class attribute": lambda thing: type("Kept", (), {"thing": thing}),
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_a_dev_row_is_found_wherever_it_hides(place: str, shop: Workshop) -> None:
    assert find_leaks(shop.task, HIDING_PLACES[place](shop.task.dev[0]))
    assert not find_leaks(shop.task, HIDING_PLACES[place](shop.task.train[0]))


def test_what_a_property_hands_out_is_within_reach(shop: Workshop) -> None:
    Handing.kept[:] = [shop.task.dev[0]]
    assert find_leaks(shop.task, Handing())
    Handing.kept.clear()


@pytest.mark.parametrize(
    "thing",
    [
        lambda task: task,
        lambda task: task.held_out,
        lambda task: task.data_files[1],
        lambda task: f"see {task.data_files[1]}",
        lambda task: task.folder.resolve(),
    ],
    ids=["task", "sealed split", "path", "path in a text", "folder"],
)
def test_a_task_a_sealed_split_and_a_path_are_found(
    thing: Callable[[Task], object], shop: Workshop
) -> None:
    assert find_leaks(shop.task, [thing(shop.task)])


def test_words_of_the_task_and_train_rows_are_no_leak(shop: Workshop) -> None:
    copies = [Example(row.id, row.text, row.expected, row.group) for row in shop.task.train]
    assert find_leaks(shop.task, shop.task.brief, shop.task.train, copies) == []


def test_walking_ends_on_circles_and_visits_everything_once() -> None:
    circle: list[object] = [1]
    circle.append(circle)
    assert sum(found is circle for found in reachable(circle)) == 1


@pytest.mark.parametrize(
    "touch",
    [
        lambda path: path.read_bytes(),
        lambda path: os.close(os.open(path, os.O_RDONLY)),
        lambda path: open(os.fsencode(path)).close(),
        lambda path: open(os.path.relpath(path)).close(),
        lambda path: os.link(path, f"{path}.link"),
        lambda path: os.system(f"true < {path}"),
    ],
    ids=["read", "os.open", "bytes path", "relative path", "hard link", "shell"],
)
def test_every_way_to_a_watched_file_is_noticed(
    touch: Callable[[Path], object], tmp_path: Path
) -> None:
    file, other = tmp_path / "dev.jsonl", tmp_path / "other.jsonl"
    file.write_text("{}")
    other.write_text("{}")
    with watching([file]) as seen:
        other.read_text()
    assert seen == []
    with watching([file]) as seen:
        touch(file)
    assert seen
    with watching([other]) as seen:
        touch(other) if "link" not in str(touch) else None
        file.read_text()
    assert not any(str(file) in line for line in seen)

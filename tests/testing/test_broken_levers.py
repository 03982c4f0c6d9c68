"""Each promise can be broken, and breaking it fails the check of that promise."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.errors import UsageError
from accordeur.core.lever import FitContext, Forecast, Lever, Need, Stopped
from accordeur.core.part import Slot
from accordeur.core.task import Example, Task, TaskBrief, TaskKind
from accordeur.parts.calibration import Calibration
from accordeur.parts.decoding import Decoding
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations
from accordeur.parts.prompt import Prompt
from accordeur.tasks import load_task
from accordeur.testing import ConformanceError, check_lever, conformance, toy


@dataclass
class Polite:
    """An honest lever: tries words before the instruction."""

    name: ClassVar[str] = "polite"
    title: ClassVar[str] = "kind words"
    writes: ClassVar[frozenset[Slot]] = frozenset({"prompt"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    words: tuple[str, ...] = ("Please:", "Kindly:")

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"words": list(self.words)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        return tuple(Forecast() for _ in self.words[: max(1, effort)])

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        best: tuple[float, Candidate] | None = None
        for number, word in enumerate(self.words[: max(1, context.effort)]):
            made = candidate.with_part(Prompt(self.instruction(word, train, context)))
            score = context.evaluate(made, self.called(word, number)).rank
            if best is None or score > best[0]:
                best = (score, made)
        assert best is not None
        return best[1]

    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        return f"{word} {context.task.instruction}"

    def called(self, word: str, number: int) -> str:
        return word


def test_the_honest_lever_passes() -> None:
    check_lever(Polite())


DATA: list[Path] = []
"""Where the toy data lies in the test that is running."""


def task_on_disk(folder: Path, write: Callable[[Path], Path] = toy.write_label_task) -> Task:
    task = load_task(write(folder))
    DATA[:] = task.data_files
    return task


def broken(check: str, lever: Lever, task: Task) -> str:
    """The message with which the lever fails this check, and no earlier one."""
    with pytest.raises(ConformanceError, match=check.replace("_", " ")) as caught:
        check_lever(lever, task=task)
    return str(caught.value)


class Nameless(Polite):
    name = "po lite"


class Untitled(Polite):
    title = " "


class WritesNowhere(Polite):
    writes = frozenset({"promt"})  # type: ignore[arg-type]


class NeedsMagic(Polite):
    needs = frozenset({"magic"})  # type: ignore[arg-type]


class ForNothing(Polite):
    kinds = frozenset()


class HoldsATuple(Polite):
    @property
    def settings(self) -> Mapping[str, Any]:
        return {"words": self.words}


class ForgetsItsSettings(Polite):
    def __init__(self, words: Sequence[str] = ("Please:",)) -> None:
        super().__init__(("Please:", "Kindly:", "Now:") if len(words) == 1 else tuple(words[:-1]))


DECLARED: list[tuple[str, Lever]] = [
    ("it_is_a_lever_with_a_name_and_a_title", Nameless()),
    ("it_is_a_lever_with_a_name_and_a_title", Untitled()),
    ("its_slots_needs_and_kinds_are_known", WritesNowhere()),
    ("its_slots_needs_and_kinds_are_known", NeedsMagic()),
    ("its_slots_needs_and_kinds_are_known", ForNothing()),
    ("its_settings_are_plain_and_rebuild_it", HoldsATuple()),
    ("its_settings_are_plain_and_rebuild_it", ForgetsItsSettings()),
]


class ReadsInItsConstructor(Polite):
    def __init__(self, words: Sequence[str] = ("Please:",)) -> None:
        super().__init__(tuple(words))
        for file in DATA:
            file.read_bytes()


class DrawsInItsConstructor(Polite):
    def __init__(self, words: Sequence[str] = ("Please:",)) -> None:
        super().__init__(tuple(words))
        random.random()


class ForecastsNothing(Polite):
    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        return ()


class ForecastsPastTheEffort(Polite):
    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        return (Forecast(),) * (effort + 1)


class OpensDev(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        DATA[1].read_text(encoding="utf-8")
        return super().instruction(word, train, context)


class OpensDevThroughALink(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        link = DATA[1].parent / f"link-{len(list(DATA[1].parent.iterdir()))}"
        link.symlink_to(DATA[1])
        os.close(os.open(link, os.O_RDONLY))
        return super().instruction(word, train, context)


class LetsAnotherProgramRead(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        subprocess.run(["wc", "-l", str(DATA[1])], capture_output=True, check=True)
        return super().instruction(word, train, context)


class KeepsThePath(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        self.where = DATA[0].parent
        return super().fit(candidate, train, context)


class PeeksBehindTheContext(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        from accordeur.bench import lever_view

        assert isinstance(context, lever_view.LeverView)
        entry = lever_view._ENTRIES[context]
        self.peek = lambda: entry.bench.dev
        return super().fit(candidate, train, context)


class HidesADevTextInItsCandidate(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        return f"{word} Such as: My name is spelled wrongly on the plastic you sent."


class HidesAHeldOutTextInItsCandidate(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        return f"{word} Such as: I registered twice and now cannot enter either profile."


class ChangesWhatItWasGiven(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        made = super().fit(candidate, train, context)
        del candidate.parts["decoding"]  # type: ignore[attr-defined]
        return made


class ChangesARow(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        object.__setattr__(train[0], "expected", (f"card {random.random()}",))
        return super().fit(candidate, train, context)


class ChangesItsSettings(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        made = super().fit(candidate, train, context)
        self.words = self.words[:1]
        return made


class ReturnsTheGivenOne(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        super().fit(candidate, train, context)
        return candidate


class RewordsTheTask(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        made = super().fit(candidate, train, context)
        return replace(made, task=replace(made.task, instruction="Anything."))


class WritesAnotherSlot(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        made = super().fit(candidate, train, context)
        return made.with_part(Decoding("generate", max_tokens=3))


class EmptiesAnotherSlot(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        return super().fit(candidate, train, context).without("decoding")


class ExchangesTheModel(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        return replace(super().fit(candidate, train, context), base="local/other")


class EvaluatesNothing(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        return candidate.with_part(Prompt("Please."))


class EvaluatesMoreThanForecast(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        context.evaluate(candidate, "first")
        return super().fit(candidate, train, context)


class RepeatsAName(Polite):
    def called(self, word: str, number: int) -> str:
        return "words"


class FollowsGlobalChance(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        return f"{word} {np.random.RandomState(random.getstate()[1][5]).randint(10**6)}"


class MovesGlobalChance(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        np.random.rand()
        return super().instruction(word, train, context)


class Remembers(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        self.smallest = min(len(train), getattr(self, "smallest", len(train)))
        return f"{word} {self.smallest} rows. {context.task.instruction}"


class ShowsAStranger(Polite):
    writes = frozenset({"demonstrations"})

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        rows = [replace(train[0], id=self.shown(train), group=self.group(train))]
        shown = FixedDemonstrations(tuple(map(Demonstration.from_example, rows)))
        made = candidate.with_part(shown)
        context.evaluate(made, "one")
        return made

    def shown(self, train: Sequence[Example]) -> str:
        return "nobody"

    def group(self, train: Sequence[Example]) -> str:
        return train[0].group


class LosesTheGroup(ShowsAStranger):
    def shown(self, train: Sequence[Example]) -> str:
        return train[0].id

    def group(self, train: Sequence[Example]) -> str:
        return "another"


class ShowsARowToItself(Polite):
    def instruction(self, word: str, train: Sequence[Example], context: FitContext) -> str:
        return f"{word} For example: {train[10].text}"


class Forgetful(Calibration):
    def files(self) -> Mapping[str, bytes]:
        written = Calibration("fitted", self.labels, tuple(round(b) for b in self.bias)).files()
        return written if "save" in _callers() else super().files()


def _callers() -> Iterator[str]:
    import inspect

    return (
        "save" for frame in inspect.stack() if frame.function in ("bundle_files", "save_bundle")
    )


class LosesNumbersWhenSaved(Polite):
    writes = frozenset({"calibration"})
    kinds = frozenset({"labels"})

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        names = tuple(label.name for label in context.task.labels)
        made = candidate.with_part(Forgetful("fitted", names, (0.4, 0.3, 0.2)))
        context.evaluate(made, "one")
        return made


class GoesOnWhenStopped(Polite):
    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        made = candidate.with_part(Prompt(f"Please: {context.task.instruction}"))
        for name in ("one", "two")[: context.effort]:
            try:
                context.evaluate(made, name)
            except Stopped:
                if name == "one":
                    raise
        return made


FITTED: list[tuple[str, type[Polite]]] = [
    ("its_constructor_does_no_work", ReadsInItsConstructor),
    ("its_constructor_does_no_work", DrawsInItsConstructor),
    ("its_forecast_names_at_least_one_configuration", ForecastsNothing),
    ("its_forecast_names_at_least_one_configuration", ForecastsPastTheEffort),
    ("it_opens_no_data_file_while_fitting", OpensDev),
    ("it_opens_no_data_file_while_fitting", OpensDevThroughALink),
    ("it_opens_no_data_file_while_fitting", LetsAnotherProgramRead),
    ("it_cannot_reach_dev_or_held_out_rows", KeepsThePath),
    ("it_cannot_reach_dev_or_held_out_rows", PeeksBehindTheContext),
    ("it_cannot_reach_dev_or_held_out_rows", HidesADevTextInItsCandidate),
    ("it_cannot_reach_dev_or_held_out_rows", HidesAHeldOutTextInItsCandidate),
    ("it_returns_a_new_candidate_and_leaves_what_it_was_given", ChangesWhatItWasGiven),
    ("it_returns_a_new_candidate_and_leaves_what_it_was_given", ChangesARow),
    ("it_returns_a_new_candidate_and_leaves_what_it_was_given", ChangesItsSettings),
    ("it_returns_a_new_candidate_and_leaves_what_it_was_given", ReturnsTheGivenOne),
    ("it_returns_a_new_candidate_and_leaves_what_it_was_given", RewordsTheTask),
    ("it_writes_only_the_slots_it_declares", WritesAnotherSlot),
    ("it_writes_only_the_slots_it_declares", EmptiesAnotherSlot),
    ("it_writes_only_the_slots_it_declares", ExchangesTheModel),
    ("it_evaluates_at_least_one_configuration", EvaluatesNothing),
    ("it_evaluates_at_least_one_configuration", EvaluatesMoreThanForecast),
    ("it_names_every_configuration_differently", RepeatsAName),
    ("it_gives_the_same_result_for_the_same_seed", FollowsGlobalChance),
    ("it_gives_the_same_result_for_the_same_seed", MovesGlobalChance),
    ("a_second_fit_forgets_the_first", Remembers),
    ("its_candidate_holds_train_rows_only", ShowsAStranger),
    ("its_candidate_holds_train_rows_only", LosesTheGroup),
    ("a_train_row_never_sees_itself_or_its_group", ShowsARowToItself),
    ("its_candidate_survives_saving_and_loading", LosesNumbersWhenSaved),
    ("it_ends_when_evaluate_stops_it", GoesOnWhenStopped),
]


@pytest.mark.parametrize(("check", "lever"), DECLARED)
def test_a_wrong_declaration_fails_its_check(check: str, lever: Lever) -> None:
    broken(check, lever, toy.label_task())


@pytest.mark.parametrize(("check", "lever"), FITTED)
def test_a_broken_promise_fails_its_check(check: str, lever: type[Polite], tmp_path: Path) -> None:
    task = task_on_disk(tmp_path / "task")
    made = lever()
    assert made.name in broken(check, made, task)


def test_every_check_is_seen_to_fail() -> None:
    seen = {check for check, _ in [*DECLARED, *FITTED]}
    for check in (*conformance.DECLARATIONS, *conformance.CHECKS):
        assert any(check.__name__.startswith(name) for name in seen), check.__name__


def test_a_lever_that_needs_what_is_not_there_is_refused_and_not_failed() -> None:
    class NeedsDocuments(Polite):
        needs = frozenset({Need.DOCUMENTS})

    with pytest.raises(UsageError, match="documents"):
        check_lever(NeedsDocuments(), task=toy.label_task())

"""What every lever promises, as a suite that any author can run on a lever of their own.

    from accordeur.testing import check_lever
    check_lever(MyLever(strength=2))

Each check is a function whose name reads as a sentence; `CHECKS` lists them in the order in which
they run. They fit the lever for real, through the same context that a run hands out, on the toy
tasks of `accordeur.testing.toy` (or a task given) with a scripted model (or any source given).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from accordeur.bench.stacks import Stack, refuse_impossible
from accordeur.core.answer import Answer
from accordeur.core.candidate import Candidate
from accordeur.core.errors import UsageError
from accordeur.core.lever import Forecast, Lever, Need, Stopped
from accordeur.core.model import ModelSource
from accordeur.core.part import SLOTS
from accordeur.core.rendering import Request
from accordeur.core.task import Task
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, load_bundle, save_bundle
from accordeur.parts.demonstrations import Demonstration
from accordeur.tasks.load import load_task
from accordeur.testing import toy
from accordeur.testing.leaks import DISTINCTIVE, find_leaks
from accordeur.testing.opened_files import watching
from accordeur.testing.reachable import reachable
from accordeur.testing.scripted import ScriptedSource
from accordeur.testing.trial import EFFORT, Trial, Workshop, chance_state

T = TypeVar("T")

EFFORTS = (1, 2, EFFORT)
"""Efforts a lever is fitted with."""
MANY = 9
"""An effort that exhausts what a few rows offer."""


class ConformanceError(AssertionError):
    """A lever broke a promise; the message names the check and says how."""


def check_lever(
    lever: Lever,
    *,
    task: Task | None = None,
    source: ModelSource | None = None,
    model: str = "local/smollm2",
) -> None:
    """Hold a lever to everything a lever promises.

    Args:
        lever: with the settings to be checked.
        task: to fit on; by default the toy task of each kind the lever applies to.
        source: gives the models; by default a `ScriptedSource`, which needs no torch.
        model: name of the base model to ask the source for.

    Raises:
        ConformanceError: the first promise that is broken.
        UsageError: the lever needs what task or model do not offer.
    """
    for declared in DECLARATIONS:
        _run(declared, lever, lever)
    with tempfile.TemporaryDirectory(prefix="accordeur-check-") as scratch:
        root = Path(scratch)
        for number, one in enumerate([task] if task else _toy_tasks(lever, root)):
            _refuse(lever, one, source or ScriptedSource(), model)
            shop = Workshop(lever, one, source or ScriptedSource(), model, root / f"runs-{number}")
            for check in CHECKS:
                _run(check, shop, lever)


def _run(check: Callable[[T], None], subject: T, lever: Lever) -> None:
    try:
        check(subject)
    except ConformanceError as error:
        sentence = check.__name__.replace("_", " ")
        raise ConformanceError(f"lever `{lever.name}`: {sentence}: {error}") from None


def _toy_tasks(lever: Lever, root: Path) -> list[Task]:
    if Need.DOCUMENTS in lever.needs:
        return [load_task(toy.write_document_task(root / "documents"))]
    writers = {"labels": toy.write_label_task, "text": toy.write_text_task}
    return [load_task(writers[kind](root / kind)) for kind in sorted(lever.kinds)]


def _refuse(lever: Lever, task: Task, source: ModelSource, model: str) -> None:
    _, refused = refuse_impossible(
        [Stack(lever.name, (lever,))],
        task.brief,
        source.model(model).capabilities,
        labelled_rows=1000,
        has_documents=task.documents is not None,
    )
    if refused:
        raise UsageError(
            f"The lever cannot be checked here: {refused[0].reason}.",
            hint="pass `task` and `source` that offer what it needs to check_lever",
        )


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ConformanceError(otherwise)


# -- what it declares ----------------------------------------------------------------------------


def it_is_a_lever_with_a_name_and_a_title(lever: Lever) -> None:
    """Names can stand in a plan: no comma, plus sign or space."""
    _expect(isinstance(lever, Lever), "it lacks a member of `accordeur.core.lever.Lever`")
    _expect(bool(lever.name) and not set(lever.name) & set(", +"), f"the name is `{lever.name}`")
    _expect(bool(lever.title.strip()), "the title is empty")


def its_slots_needs_and_kinds_are_known(lever: Lever) -> None:
    """They are checked at planning, so they must be words that planning knows."""
    _expect(lever.writes <= set(SLOTS), f"unknown slots: {sorted(lever.writes - set(SLOTS))}")
    unknown = [need for need in lever.needs if not isinstance(need, Need)]
    _expect(not unknown, f"unknown needs: {unknown}")
    _expect(bool(lever.kinds), "it applies to no kind of task")
    _expect(lever.kinds <= {"labels", "text"}, f"unknown kinds: {sorted(lever.kinds)}")


def its_settings_are_plain_and_rebuild_it(lever: Lever) -> None:
    """Settings go into the plan as JSON and come back from it."""
    settings = dict(lever.settings)
    try:
        plain = json.loads(json.dumps(settings, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConformanceError(f"the settings are not plain JSON: {error}") from None
    _expect(plain == settings, f"JSON changes the settings {settings} to {plain}")
    rebuilt = dict(_rebuild(lever, plain).settings)
    _expect(rebuilt == settings, f"settings {settings} come back as {rebuilt}")


DECLARATIONS: tuple[Callable[[Lever], None], ...] = (
    it_is_a_lever_with_a_name_and_a_title,
    its_slots_needs_and_kinds_are_known,
    its_settings_are_plain_and_rebuild_it,
)
"""Checks that need no fit."""


# -- what it does --------------------------------------------------------------------------------


def its_constructor_does_no_work(shop: Workshop) -> None:
    """Making one opens no data file, draws no random number, and gives it no more than settings."""
    before = chance_state()
    with watching(shop.task.data_files) as opened:
        made = _rebuild(shop.lever, shop.lever.settings)
    _expect(not opened, f"the constructor touches data: {opened}")
    _expect(chance_state() == before, "the constructor draws random numbers")
    _expect(not find_leaks(shop.task, made), f"{find_leaks(shop.task, made)}")


def its_forecast_names_at_least_one_configuration(shop: Workshop) -> None:
    """And no more than the effort allows."""
    for effort in EFFORTS:
        planned = shop.lever.forecast(shop.task.brief, len(shop.task.train), effort)
        _expect(bool(planned), f"nothing is forecast for effort {effort}")
        _expect(all(isinstance(one, Forecast) for one in planned), "something is not a `Forecast`")
        _expect(len(planned) <= effort, f"{len(planned)} are forecast for effort {effort}")


def it_cannot_reach_dev_or_held_out_rows(shop: Workshop) -> None:
    """Neither before the fit nor after it, from anything it is given or keeps."""
    _expect(not shop.first.leaks, "; ".join(shop.first.leaks))


def it_opens_no_data_file_while_fitting(shop: Workshop) -> None:
    """Rows come through `train`, scores through `evaluate`."""
    _expect(not shop.first.opened, "; ".join(shop.first.opened))


def it_returns_a_new_candidate_and_leaves_what_it_was_given(shop: Workshop) -> None:
    """The given candidate, the train rows and its own settings are as they were."""
    trial = shop.first
    _expect(isinstance(trial.result, Candidate), f"`fit` returns {type(trial.result).__name__}")
    _expect(trial.given.fingerprint == trial.given_before, "the given candidate was changed")
    _expect(not trial.rows_changed, "train rows were changed")
    _expect(not trial.settings_changed, "its settings were changed")
    same = trial.result is trial.given
    _expect(not (same and shop.lever.writes), "the given candidate itself came back")
    _expect(trial.result.task == trial.given.task, "the words of the task were changed")


def it_writes_only_the_slots_it_declares(shop: Workshop) -> None:
    """A candidate without a base starts over: it may leave the slots of the prompt behind."""
    given, result = shop.first.given.parts, shop.first.result.parts
    starts_over = shop.first.result.base is None
    for slot in SLOTS:
        same = _files(given.get(slot)) == _files(result.get(slot))
        left_behind = starts_over and slot not in result
        _expect(same or left_behind or slot in shop.lever.writes, f"it wrote slot `{slot}`")
    kept = starts_over or shop.first.result.base == shop.first.given.base
    _expect(kept, "it exchanged the base model")


def it_evaluates_at_least_one_configuration_and_no_more_than_forecast(shop: Workshop) -> None:
    """The plan's time estimate rests on it."""
    for effort in EFFORTS:
        trial = shop.first if effort == EFFORT else shop.fit(effort=effort)
        planned = len(shop.lever.forecast(shop.task.brief, len(shop.task.train), effort))
        _expect(bool(trial.evaluated), f"nothing is evaluated with effort {effort}")
        _expect(
            len(trial.evaluated) <= planned,
            f"{len(trial.evaluated)} evaluated, {planned} forecast for effort {effort}",
        )


def it_names_every_configuration_differently(shop: Workshop) -> None:
    """Names are rows of the dev ledger; with little data and with much."""
    for trial in (shop.first, shop.fit(train=shop.few_rows, effort=MANY)):
        names = trial.evaluated
        twice = sorted({name for name in names if names.count(name) > 1})
        _expect(not twice, f"evaluated twice under one name: {twice}")
        _expect(all(name.strip() for name in names), "a configuration has no name")


def it_gives_the_same_result_for_the_same_seed(shop: Workshop) -> None:
    """Whatever the state of the global random generators, which it leaves alone."""
    trial = shop.fit(lever=_rebuild(shop.lever, shop.lever.settings), chance=1)
    _expect(_same(trial, shop.first), "the same seed gave another candidate or other scores")
    _expect(not trial.chance_changed, "it moves the global random generators")


def a_second_fit_forgets_the_first(shop: Workshop) -> None:
    """Fitted on other rows in between, it gives what it gave at first."""
    shop.fit(train=shop.few_rows)
    _expect(_same(shop.fit(), shop.first), "an earlier fit shows in a later one")


def its_candidate_holds_train_rows_only(shop: Workshop) -> None:
    """Demonstrations and indexes name the train rows they came from."""
    trial = shop.first
    leaks = find_leaks(shop.task, trial.result)
    _expect(not leaks, "; ".join(leaks))
    rows = {row.id: row.group for row in shop.task.train}
    for found in reachable(trial.result.parts):
        if isinstance(found, Demonstration):
            _expect(found.row in rows, f"row `{found.row}` is shown and is no train row")
            _expect(rows[found.row] == found.group, f"row `{found.row}` has lost its group")


def a_train_row_never_sees_itself_or_its_group(shop: Workshop) -> None:
    """Rendered as a training row, a row stands in its own place only, and its group nowhere."""
    train = shop.task.train
    prompts = assemble(shop.first.result, shop.source).render(
        [Request.from_example(row, training=True) for row in train]
    )
    for row, prompt in zip(train, prompts, strict=False):
        text = "\n".join(turn.text for turn in prompt.turns())
        mates = [one for one in train if one.group == row.group and one.text != row.text]
        if len(row.text) >= DISTINCTIVE:
            _expect(text.count(row.text) <= 1, f"row `{row.id}` sees itself")
        seen = [one.id for one in mates if len(one.text) >= DISTINCTIVE and one.text in text]
        _expect(not seen, f"row `{row.id}` sees row `{seen[0] if seen else ''}` of its group")


def its_candidate_survives_saving_and_loading(shop: Workshop) -> None:
    """The bundle read back has the same fingerprint and gives the same answers."""
    made = shop.first.result
    folder = save_bundle(Bundle(made), shop.root / "bundle")
    read = load_bundle(folder).candidate
    _expect(read.fingerprint == made.fingerprint, "the bundle's fingerprint differs")
    before, after = (_answers(one, shop) for one in (made, read))
    _expect(before == after, "the bundle answers differently")


def it_ends_when_evaluate_stops_it(shop: Workshop) -> None:
    """`Stopped` passes through, at the first evaluation and at the last."""
    for number in sorted({1, len(shop.first.evaluated)}):
        try:
            shop.fit(stop_at=number)
        except Stopped:
            continue
        raise ConformanceError(f"it went on after being stopped at evaluation {number}")


CHECKS: tuple[Callable[[Workshop], None], ...] = (
    its_constructor_does_no_work,
    its_forecast_names_at_least_one_configuration,
    it_opens_no_data_file_while_fitting,
    it_cannot_reach_dev_or_held_out_rows,
    it_returns_a_new_candidate_and_leaves_what_it_was_given,
    it_writes_only_the_slots_it_declares,
    it_evaluates_at_least_one_configuration_and_no_more_than_forecast,
    it_names_every_configuration_differently,
    it_gives_the_same_result_for_the_same_seed,
    a_second_fit_forgets_the_first,
    its_candidate_holds_train_rows_only,
    a_train_row_never_sees_itself_or_its_group,
    its_candidate_survives_saving_and_loading,
    it_ends_when_evaluate_stops_it,
)
"""Checks that fit the lever, in the order in which they run."""


def _rebuild(lever: Lever, settings: Mapping[str, Any]) -> Lever:
    made: Lever = type(lever)(**settings)
    return made


def _files(part: Any) -> dict[str, bytes] | None:
    return None if part is None else dict(part.files())


def _same(one: Trial, other: Trial) -> bool:
    return (one.result.fingerprint, one.ledger) == (other.result.fingerprint, other.ledger)


def _answers(candidate: Candidate, shop: Workshop) -> list[Answer]:
    requests = [Request.from_example(row) for row in shop.task.dev]
    answers: dict[int, Answer] = {}
    for batch in assemble(candidate, shop.source).answer(requests):
        answers.update(zip(batch.indices, batch.results, strict=True))
    # Seconds vary, and what was computed depends on what is still cached.
    return [
        replace(answers[at], seconds=0.0, usage=replace(answers[at].usage, computed_tokens=0))
        for at in range(len(requests))
    ]

"""What the user asked to pull: names on the command line to stacks of levers.

`a,b,c+d` is three plan entries; `c+d` fits c, then d on top. Whatever cannot be done is refused
here, by name, before anything is computed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.errors import PlanError
from accordeur.core.lever import Lever, Need
from accordeur.core.model import Capability
from accordeur.core.registry import unknown_name
from accordeur.core.task import TaskBrief
from accordeur.levers import LEVERS

DEFAULT_STACKS: tuple[str, ...] = (
    "as-is",
    "calibration",
    "few-shot",
    "few-shot+calibration",
    "retrieve",
    "soft-prompt",
    "lora",
    "kv-prefix",
    "full",
    "reason",
    "reason+self-consistency",
    "critique",
    "decompose",
    "reason+lora",
    "retrieve+lora",
)
"""What `all` pulls, as far as task, model and budget allow, outside levers after them. Those over
documents are meant only where the task has some."""

LEFT_OUT_FIRST: tuple[str, ...] = (
    "retrieve+lora",
    "reason+lora",
    "reason+self-consistency",
    "decompose",
    "critique",
    "reason",
    "full",
    "kv-prefix",
    "lora",
    "soft-prompt",
)
"""What `all` leaves out, in this order, until the rest fits the budget with some effort."""

LEFT_OUT_LAST: tuple[str, ...] = ("retrieve", "few-shot+calibration", "few-shot", "calibration")
"""What `all` leaves out behind them, and only where nothing would fit otherwise."""


FEW_ROWS = 20
"""Labelled rows under which only floors and as-is are measured (P1)."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One entry of a plan.

    Attributes:
        name: the levers' names joined by `+`.
        levers: in the order of fitting.
        floor: a floor, which starts from no base model.
    """

    name: str
    levers: tuple[Lever, ...]
    floor: bool = False

    @property
    def title(self) -> str:
        """A few words for tables."""
        return " + ".join(lever.title for lever in self.levers)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that cannot be pulled, and why."""

    name: str
    reason: str


def parse_stacks(
    asked: str | Sequence[str | Lever], settings: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Stack], bool]:
    """Names (or lever objects) to stacks, as-is first whatever was asked.

    Args:
        asked: `all`, a comma-separated text, or a sequence of names and levers.
        settings: constructor settings per lever name.

    Returns:
        The stacks, and whether `all` was asked: then what is impossible is listed, not an error.

    Raises:
        PlanError: an unknown lever or setting, a lever twice, two levers for one slot.
    """
    items: list[str | Lever] = (
        [item.strip() for item in asked.split(",")] if isinstance(asked, str) else list(asked)
    )
    everything = items == ["all"]
    if everything:
        inside = {name for stack in DEFAULT_STACKS for name in stack.split("+")}
        items = [
            *DEFAULT_STACKS,
            *(name for name in LEVERS.names() if name not in inside),
        ]
    if not items or "" in items:
        raise PlanError("No lever is named.", hint=f"--levers {','.join(DEFAULT_STACKS)}")
    for name in settings:
        if name not in LEVERS.table:
            raise unknown_name("lever", name, LEVERS.names())
    stacks = [_stack(item, settings) for item in items]
    if not any(stack.name == "as-is" for stack in stacks):
        stacks.insert(0, _stack("as-is", settings))
    names = [stack.name for stack in stacks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlanError(f"`{twice[0]}` is named twice.", hint="name each lever or stack once")
    return stacks, everything


def _stack(item: str | Lever, settings: Mapping[str, Mapping[str, Any]]) -> Stack:
    if not isinstance(item, str):
        return Stack(item.name, (item,))
    names = [name.strip() for name in item.split("+")]
    levers = tuple(_lever(name, settings.get(name, {})) for name in names)
    if len(names) > 1 and "as-is" in names:
        raise PlanError(
            f"`{item}`: `as-is` adds nothing to a stack.",
            hint=f"--levers {'+'.join(name for name in names if name != 'as-is')}",
        )
    for position, lever in enumerate(levers):
        for earlier in levers[:position]:
            both = sorted(lever.writes & earlier.writes)
            if both:
                raise PlanError(
                    f"`{item}` cannot be stacked: `{earlier.name}` and `{lever.name}` both fill "
                    f"the slot `{both[0]}`.",
                    hint=f"--levers {earlier.name},{lever.name}",
                )
    return Stack("+".join(names), levers)


def _lever(name: str, settings: Mapping[str, Any]) -> Lever:
    factory = LEVERS.load(name)
    known = list(inspect.signature(factory).parameters)
    for setting in settings:
        if setting not in known:
            error = unknown_name(f"setting of lever `{name}`", setting, tuple(known))
            raise PlanError(error.message, hint=error.hint)
    try:
        made = factory(**settings)
    except (TypeError, ValueError) as error:
        raise PlanError(
            f"Lever `{name}` cannot use these settings: {error}.", hint=f"settings: {known}"
        ) from error
    if not isinstance(made, Lever):
        raise TypeError(f"{factory!r} does not make a lever")
    return made


def refuse_impossible(
    stacks: Sequence[Stack],
    task: TaskBrief,
    capabilities: frozenset[Capability] | None,
    *,
    labelled_rows: int,
    training_allowed: bool = True,
    has_documents: bool = False,
    has_steps: bool = False,
) -> tuple[list[Stack], list[Refusal]]:
    """Part what can be pulled from what cannot, each refusal with its reason.

    Args:
        capabilities: of the model; `None` when the run has no language model.
        labelled_rows: train and dev rows; under `FEW_ROWS` only floors and as-is are measured.
        has_steps: some train row carries worked steps.
    """
    possible: list[Stack] = []
    refused: list[Refusal] = []
    for stack in stacks:
        reason = ""
        for lever in stack.levers:
            reason = reason or _obstacle(lever, task, capabilities, training_allowed, has_documents)
        if not reason and labelled_rows < FEW_ROWS and stack.name != "as-is":
            reason = (
                f"{labelled_rows} labelled rows are too few to compare levers; "
                f"{FEW_ROWS} are needed"
            )
        reason = reason or _order_obstacle(stack, has_steps)
        if reason:
            refused.append(Refusal(stack.name, reason))
        else:
            possible.append(stack)
    return possible, refused


def _obstacle(
    lever: Lever,
    task: TaskBrief,
    capabilities: frozenset[Capability] | None,
    training_allowed: bool,
    has_documents: bool,
) -> str:
    if task.kind not in lever.kinds:
        return f"`{lever.name}` works on {' and '.join(sorted(lever.kinds))} tasks only"
    for need in sorted(lever.needs):
        if need is Need.LABELS and task.kind != "labels":
            return f"`{lever.name}` needs a task with labels"
        if need is Need.DOCUMENTS and not has_documents:
            return f"`{lever.name}` needs `documents` in task.yaml"
        model_needs = {Need.LANGUAGE_MODEL, Need.LOGPROBS, Need.WEIGHTS, Need.PREFIX}
        if need in model_needs and capabilities is None:
            return f"`{lever.name}` needs a language model"
        assert capabilities is not None or need not in model_needs
        if need is Need.LOGPROBS and Capability.SCORE not in (capabilities or ()):
            return f"`{lever.name}` needs log-probabilities, which this model does not give"
        if need is Need.WEIGHTS and Capability.WEIGHTS not in (capabilities or ()):
            return f"`{lever.name}` needs weights that can be trained"
        if need is Need.WEIGHTS and not training_allowed:
            return "`limits.training` is false"
    # Last, so that a model without weights is told that.
    if Need.PREFIX in lever.needs and Capability.PREFIX not in (capabilities or ()):
        return f"`{lever.name}` needs a decoder-only model; try `soft-prompt`"
    return ""


def _order_obstacle(stack: Stack, has_steps: bool) -> str:
    """Why levers cannot stand on each other: what one of them does would be lost."""
    corrects = next((one for one in stack.levers if "calibration" in one.writes), None)
    writes = next((one for one in stack.levers if {"pattern", "decoding"} & one.writes), None)
    if corrects is not None and writes is not None:
        return (
            f"`{corrects.name}` corrects labels that are scored; with `{writes.name}` the model "
            "writes them"
        )
    several = next((one for one in stack.levers if one.settings.get("seeds", 1) != 1), None)
    if several is not None and writes is not None:
        return f"`{several.name}` with several seeds scores labels; `{writes.name}` writes"
    for position, lever in enumerate(stack.levers):
        if "soft_prompt" in lever.writes and any(
            getattr(later, "single_call", False) for later in stack.levers[position + 1 :]
        ):
            return (
                f"`{lever.name}` learns in place of the words that a later lever would add to; "
                f"stack `{'+'.join(one.name for one in reversed(stack.levers))}`"
            )
        if Need.SINGLE_CALL not in lever.needs:
            continue
        for earlier in stack.levers[:position]:
            if "pattern" not in earlier.writes:
                continue
            if not getattr(earlier, "single_call", False):
                return (
                    f"`{lever.name}` learns what one call writes and `{earlier.name}` takes "
                    f"several; stack `{lever.name}+{earlier.name}`"
                )
            if not has_steps:
                return (
                    f"`{lever.name}` on `{earlier.name}` learns from worked steps, and no train "
                    "row carries `steps`"
                )
    return ""


def raise_refusals(refused: Sequence[Refusal], possible: Sequence[Stack]) -> None:
    """Turn refusals of levers that were asked for by name into the error they are.

    Raises:
        PlanError: there is at least one.
    """
    if refused:
        lines = "; ".join(f"`{one.name}`: {one.reason}" for one in refused)
        rest = ",".join(stack.name for stack in possible)
        raise PlanError(
            f"Not possible here: {lines}.", hint=f"--levers {rest}" if rest else "--levers all"
        )

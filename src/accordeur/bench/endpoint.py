"""What a run on an endpoint needs before its first call: permission, prices, limits of spending."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from accordeur.bench.observer import Observer
from accordeur.bench.options import Options
from accordeur.core.errors import PlanError, UsageError
from accordeur.core.model import Model
from accordeur.core.registry import unknown_name
from accordeur.core.task import Task
from accordeur.measure.cost import Queries
from accordeur.store.prices import MILLION, read_prices
from accordeur.store.run_folder import RunFolder

if TYPE_CHECKING:
    from accordeur.models.openai_api.allowance import Allowance


def refuse_offline(task: Task, name: str) -> None:
    """A task may forbid endpoints; then none is called.

    Raises:
        PlanError: it does.
    """
    if task.limits.offline:
        raise PlanError(
            f"`limits.offline` forbids endpoints, and `{name}` is one.",
            hint="-m local/smollm2, or take `offline` out of task.yaml",
        )


def priced(task: Task, name: str, observer: Observer) -> Task:
    """The task with the user's prices of this model's tokens, where it has none of its own.

    Raises:
        StoreError: the table of prices cannot be read.
    """
    prices = task.prices
    if prices.input_token is not None and prices.output_token is not None:
        return task
    known = read_prices().get(name)
    if known is None:
        observer.log(
            f"the price of `{name}` is unknown; "
            f"accordeur models prices {name} --input ... --output ..."
        )
        return task
    if known.currency != prices.currency:
        observer.log(
            f"the price of `{name}` is in {known.currency}, the task reckons in "
            f"{prices.currency}; it counts as unknown"
        )
        return task
    read, written = prices.input_token, prices.output_token
    if read is None:
        read = known.input_per_million / MILLION
    if written is None:
        written = known.output_per_million / MILLION
    return replace(task, prices=replace(prices, input_token=read, output_token=written))


def allowance(task: Task, name: str, options: Options) -> Allowance:
    """What this command may spend.

    Raises:
        UsageError: a limit of money, and no price to reckon with.
    """
    from accordeur.models.openai_api.allowance import Allowance

    prices = task.prices
    if options.max_cost is not None and None in (prices.input_token, prices.output_token):
        raise UsageError(
            f"`--max-cost` needs the price of `{name}`.",
            hint=f"accordeur models prices {name} --input 0.15 --output 0.60",
        )
    return Allowance(
        options.max_calls,
        options.max_tokens,
        options.max_cost,
        prices.input_token or 0.0,
        prices.output_token or 0.0,
    )


def check_answers(model: Model) -> None:
    """Make sure that an endpoint answers, with one short call, and learn what answers.

    Raises:
        ModelError: it does not.
    """
    from accordeur.models.openai_api.model import EndpointModel

    if isinstance(model, EndpointModel):
        model.check()


_WAYS = {
    "logprobs": "log-probabilities of every label",
    "top": "the most probable first tokens; there are no probabilities",
    "schema": "an answer held to the labels by a schema; there are no probabilities",
    "parse": "reading them out of what is written; there are no probabilities",
}
"""Ways in which a model behind an endpoint chooses among labels, in words."""


def settle_labels(model: Model | None, task: Task, options: Options, observer: Observer) -> None:
    """In which way an endpoint chooses among the labels of a task; it is part of the plan.

    Raises:
        EndpointGone: it does not answer.
        PlanError: it cannot be done in the way that is asked for.
        UsageError: there is no such way, or nothing to choose from in that way.
    """
    from accordeur.models.openai_api.abilities import Way
    from accordeur.models.openai_api.model import EndpointModel

    wanted = options.labels_by
    if wanted not in ("auto", *Way):
        error = unknown_name("way of choosing labels", wanted, ("auto", *Way))
        raise UsageError(error.message, hint=error.hint)
    remote = isinstance(model, EndpointModel)
    if wanted != "auto" and not (remote and task.kind == "labels"):
        raise UsageError(
            "`--labels-by` is for tasks with labels, on a model behind an endpoint.",
            hint="leave it out",
        )
    if isinstance(model, EndpointModel) and task.kind == "labels":
        texts = [label.text for label in task.labels]
        way = model.choose_labels(texts, None if wanted == "auto" else Way(wanted))
        observer.log(f"labels are chosen by {_WAYS[way]}")


def labels_by(model: Model | None) -> str:
    """The way in which an endpoint chooses among labels; empty for other models and tasks."""
    from accordeur.models.openai_api.model import EndpointModel

    return model.labels_by if isinstance(model, EndpointModel) else ""


class QueryJournal:
    """Single queries of a configuration, kept as they are answered: they are paid for.

    Args:
        folder: the run.
        configuration: its id.
    """

    def __init__(self, folder: RunFolder, configuration: str) -> None:
        self._folder = folder
        self._name = f"queries/{configuration}.json"

    def read(self) -> Queries:
        """Those of earlier processes."""
        data = self._folder.read_json(self._name) or {}
        try:
            seconds = {int(place): float(took) for place, took in data["seconds"].items()}
            return Queries(bool(data["warmed"]), seconds)
        except (KeyError, ValueError, TypeError, AttributeError):
            return Queries()

    def write(self, queries: Queries) -> None:
        """All so far."""
        seconds = {str(place): took for place, took in queries.seconds.items()}
        self._folder.write_json(self._name, {"warmed": queries.warmed, "seconds": seconds})


def fingerprints(model: Model | None) -> dict[str, int]:
    """Systems of an endpoint that answered in this process, and how often; empty for others."""
    from accordeur.models.openai_api.model import EndpointModel

    return dict(model.fingerprints) if isinstance(model, EndpointModel) else {}

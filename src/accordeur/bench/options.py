"""What `run` was asked for, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.store.run_folder import RunFolder

FILE = "invocation.json"


@dataclass(frozen=True, slots=True)
class Options:
    """Everything `run` takes; `invocation.json` keeps it for `--resume`.

    Attributes:
        task: path of the task.
        model: name of the base model, or `none`.
        levers: as typed, or names.
        settings: constructor settings per lever.
        budget: wall seconds for the whole run, or `None`.
        limit: rows kept per split.
        seed: of the run.
        max_latency: tightens `limits.latency_p95`.
        allow_leakage: kinds of leakage allowed besides those of `task.yaml`.
        screening: stop hopeless generating levers early.
        deterministic: float32, each request alone (D2).
        use_cache: keep answers in the user's cache between runs.
        allow_code: the task may name code.
        effort: fixed number of configurations instead of one chosen from the budget.
        forgetting: which entries the forgetting check is made for: `trained`, `full`, `off`.
        base_url: of an endpoint, instead of its vendor's own.
        at_once: calls to an endpoint at once at most.
        labels_by: how a model behind an endpoint chooses among labels, or `auto`.
        max_calls, max_tokens, max_cost: what may be spent on an endpoint by this command.
    """

    task: str
    model: str = "local/smollm2"
    levers: str | tuple[str, ...] = "all"
    settings: Mapping[str, Mapping[str, Any]] | None = None
    budget: float | None = None
    limit: int | None = None
    seed: int = 0
    max_latency: float | None = None
    allow_leakage: tuple[str, ...] = ()
    screening: bool = True
    deterministic: bool = False
    use_cache: bool = True
    allow_code: bool = False
    effort: int | None = None
    forgetting: str = "trained"
    base_url: str | None = None
    at_once: int | None = None
    labels_by: str = "auto"
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None

    def keep(self, folder: RunFolder, effort: int) -> None:
        """Write them into the run, with the effort that was chosen."""
        kept = {name: getattr(self, name) for name in self.__slots__}
        kept["task"] = str(Path(self.task).absolute())
        kept["effort"] = effort
        folder.write_json(FILE, json.loads(json.dumps(kept)))


def kept_options(folder: RunFolder) -> dict[str, Any] | None:
    """Keyword arguments for `run`, as `keep` wrote them; `None` when there are none."""
    return folder.read_json(FILE)

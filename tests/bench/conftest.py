"""Runs on toy tasks in folders of their own, in this process or in one that may be killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.entries import Outcome
from accordeur.bench.finished import Run
from accordeur.bench.fit_context import Scored
from accordeur.bench.observer import EntryView, PlanView, Silent
from accordeur.bench.run import run
from accordeur.bench.stacks import Stack
from accordeur.core.answer import Answer, Status
from accordeur.core.candidate import Candidate
from accordeur.core.measurement import Cost, Measurement, RowResult
from accordeur.core.model import Model
from accordeur.core.task import Example, Label, TaskBrief
from accordeur.levers.as_is import AsIs
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import KnowingModel
from accordeur.testing.scripted import ScriptedSource

Go = Callable[..., Run]

OPTIONS: dict[str, Any] = {
    "levers": "few-shot,few-shot+calibration",
    "settings": {"calibration": {"methods": ("content-free",)}, "few-shot": {"k": (2, 4)}},
    "effort": 3,
}
"""Five floors, as-is, few-shot, and a stack that is clearly worse: no pick by a price."""


class Watch(Silent):
    """An observer that remembers everything."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.entries: dict[str, EntryView] = {}
        self.messages: list[str] = []
        self.plan: PlanView | None = None
        self.checks: list[Mapping[str, Any]] = []

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def planned(self, plan: PlanView) -> None:
        self.plan = plan

    def preflight(self, checks: Any, first_prompt: str) -> None:
        self.checks = list(checks)

    def entry(self, view: EntryView) -> None:
        self.entries[view.name] = view

    def log(self, message: str) -> None:
        self.messages.append(message)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and caches of a test are its own, those of its child processes included."""
    monkeypatch.setenv("ACCORDEUR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ACCORDEUR_CONFIG", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Two threads on a small model only wait for each other, and for other processes."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def go() -> Go:
    """`go(task, model)`: a run on a scripted model with the options above."""

    def start(task: Any, model: Model | None = None, /, **options: Any) -> Run:
        source = ScriptedSource(model or KnowingModel())
        return run(task, source=source, **{"model": "scripted", **OPTIONS, **options})

    return start


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[], RunFolder]:
    """The only run of this test, finished or not."""

    def find() -> RunFolder:
        (place,) = (tmp_path / "runs").iterdir()
        return RunFolder.open(place)

    return find


COMPARED = (
    *("name", "status", "reason", "configuration", "configuration_id", "configurations", "dev"),
    *("test", "est", "optimism", "shortfall", "close", "eligible", "against_as_is", "prompt"),
    *("confusion", "tokens"),
)


def _of_money(sentence: str) -> bool:
    return "cheaper" in sentence or "cost" in sentence


def _outcome_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says, without clocks and prices: equal for equal plans."""
    entries = [{name: entry[name] for name in COMPARED} for entry in record["entries"]]
    ledger = [{**row, "seconds": 0} for row in record["ledger"]]
    decision = {name: value for name, value in record["decision"].items() if name != "hash"}
    return {
        "plan": record["plan"],
        "entries": entries,
        "ledger": ledger,
        "curve": record["curve"],
        "decision": decision,
        "held_out": record["held_out"],
        "pairs": record["pairs"],
        "headline": record["verdict"]["headline"],
        "sentences": [
            one
            for one in record["verdict"]["sentences"]
            if "cheaper" not in one and "cost" not in one
        ],
    }


CHILD = """
import json, os, sys
from pathlib import Path
from accordeur.bench.observer import Silent
from accordeur.bench.run import run
from accordeur.core.errors import AccordeurError
from accordeur.testing.puzzle import KnowingModel, asked, shown
from accordeur.testing.scripted import ScriptedSource

task, stop, options, computed = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]

def here():
    print("HERE", flush=True)
    sys.stdin.read()

class Observer(Silent):
    now = ""
    def phase(self, name):
        self.now = name
        if stop == f"phase {name}":
            here()
    def entry(self, view):
        if stop == f"after {view.name}":
            here()
    def progress(self, entry, configuration, finished, rows):
        if stop == f"{self.now}: {finished} of {entry}":
            here()
    def log(self, message):
        print("LOG", message, flush=True)

watcher = Observer()

def on_batch(prompts, indices):
    if len(prompts) < 10:  # single queries and calibration texts, not rows of a split
        return
    line = [[shown(prompts[i]), asked(prompts[i])] for i in indices]
    with open(computed, "a") as file:
        file.write(json.dumps(line) + "\\n")
    if stop == f"in flight {watcher.now}" and indices[0] == 16:
        here()

source = ScriptedSource(KnowingModel(on_batch=on_batch))
try:
    done = run(task, model="scripted", source=source, observer=watcher, **options)
    print("DONE", done.folder, flush=True)
except AccordeurError as error:
    print("ERROR", type(error).__name__, error, flush=True)
"""


class Process:
    """A run in a process of its own."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def until_here(self) -> list[str]:
        """Wait until it stands still; the lines it printed before."""
        assert self._process.stdout is not None
        said: list[str] = []
        for line in self._process.stdout:
            if line == "HERE\n":
                return said
            said.append(line.rstrip("\n"))
        assert self._process.stderr is not None
        raise AssertionError(f"it ended before: {said} {self._process.stderr.read()}")

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        assert self._process.wait(timeout=60) == -signal.SIGKILL

    def finish(self) -> str:
        """Let it go on; all it prints from here to its end."""
        out, err = self._process.communicate(timeout=120)
        assert self._process.returncode == 0, err
        return out

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`child(task, stop)`: the run in a process of its own, which stands still at `stop`.

    Every batch of rows it computes is a line of `tmp_path/computed`.
    """
    started: list[Process] = []

    def start(task: Path, stop: str = "", **options: Any) -> Process:
        asked = json.dumps({**OPTIONS, **options})
        process = Process(task, stop, asked, tmp_path / "computed")
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()


@pytest.fixture(scope="session")
def outcome_of() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What a record says, without clocks and prices: equal for equal plans."""
    return _outcome_of


@pytest.fixture(scope="session")
def brief() -> TaskBrief:
    """Two labels, yes and no."""
    labels = (Label("yes", "yes"), Label("no", "no"))
    return TaskBrief("units", "", "Yes or no?", "labels", labels, "accuracy")


@pytest.fixture(scope="session")
def dev_rows() -> Callable[[int], list[Example]]:
    """So many rows, every other one `yes`."""

    def make(count: int) -> list[Example]:
        return [
            Example(f"row-{i}", f"text {i}", (("yes", "no")[i % 2],), f"row-{i}")
            for i in range(count)
        ]

    return make


@pytest.fixture(scope="session")
def measured() -> Callable[..., Measurement]:
    """`measured(scores)`: answers to `dev_rows` that deserve them; `None` is an error."""

    def make(
        scores: Sequence[float | None], *, split: str = "dev", candidate: str = "c"
    ) -> Measurement:
        results = []
        for place, score in enumerate(scores):
            gold = ("yes", "no")[place % 2]
            said = gold if score else {"yes": "no", "no": "yes"}[gold]
            answer = Answer(said, label=said, seconds=0.01)
            if score is None:
                answer = Answer("", Status.ERROR, error="no connection")
            results.append(RowResult(f"row-{place}", f"row-{place}", answer, score))
        kept = [place for place, score in enumerate(scores) if score is not None]
        known = [score for score in scores if score is not None]
        mean = sum(known) / len(known) if known else None
        return Measurement(candidate, split, "accuracy", tuple(results), kept, mean, None, 0)

    return make


@pytest.fixture(scope="session")
def entry(brief: TaskBrief, measured: Callable[..., Measurement]) -> Callable[..., Outcome]:
    """`entry("few-shot", scores)`, or scores by configuration; with what it costs."""

    def make(
        name: str,
        scores: Mapping[str, Sequence[float | None]] | Sequence[float | None],
        *,
        floor: bool = False,
        status: str = "finished",
        reason: str = "",
        make: float | None = 0.0,
        use: float | None = 1e-6,
        p95: float | None = 0.1,
        fit: float = 1.0,
        queries: int = 10_000,
    ) -> Outcome:
        table = scores if isinstance(scores, Mapping) else {"only": scores}
        scored = tuple(
            Scored(
                configuration,
                f"{name}:{configuration}",
                Candidate(brief, None if floor else "scripted"),
                measured(values, candidate=f"{name}:{configuration}"),
                True,
            )
            for configuration, values in table.items()
        )
        cost = Cost(
            fit_seconds=fit,
            make=make,
            use=use,
            cold_seconds=0.01,
            latency_p95=p95,
            queries=queries,
        )
        stack = Stack(name, (AsIs(),), floor)
        return Outcome(stack, status, reason, scored, cost if status == "finished" else None)

    return make

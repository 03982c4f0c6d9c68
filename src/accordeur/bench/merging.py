"""A bundle's trained weights merged into a model of its own, measured again beside the bundle."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from accordeur.bench.options import kept_options
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError, StoreError, UsageError
from accordeur.core.fingerprint import seed_for
from accordeur.core.measurement import Measurement
from accordeur.core.model import ModelSource
from accordeur.core.paths import runs_folder
from accordeur.core.task import Task
from accordeur.measure.harness import MemorySink, answer_rows, summarise
from accordeur.measure.metrics import load_metric
from accordeur.models.local.model import LocalModel
from accordeur.parts.answering.adapted import adaptation_of
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, load_bundle, save_bundle
from accordeur.store.run_folder import RunFolder
from accordeur.tasks import load_task


@dataclass(frozen=True, slots=True)
class Merged:
    """What was written, and what it scores.

    Attributes:
        folder: a Hugging Face model; the bundle in its `bundle/` answers with it.
        before, after: the bundle and the merged model on the dev rows of the task.
        agreeing: rows that both answer alike.
    """

    folder: Path
    before: Measurement
    after: Measurement
    agreeing: int


def export_merged(
    bundle: Path, out: Path, source: ModelSource, *, task: Path | None = None
) -> Merged:
    """Write a bundle's base model with its trained weights as one Hugging Face folder.

    Args:
        bundle: folder of a bundle with an adapter or trained weights.
        out: a folder that does not exist yet.
        source: gives the base model, and reads the new one.
        task: whose dev rows both are measured on; default that of the bundle's run.

    Raises:
        BundleError: there are no weights to merge, or what cannot be merged stands beside them.
        ModelError: the base model's weights are not here.
        UsageError: the folder exists, or no task is known.
    """
    held = load_bundle(bundle)
    candidate = held.candidate
    if "weights" not in candidate.parts:
        raise BundleError(
            "The bundle has no trained weights to merge.",
            hint="its prompt and demonstrations are plain files in the bundle's folder",
        )
    if "soft_prompt" in candidate.parts:
        raise BundleError(
            "A soft prompt is part of the input and cannot be merged into weights.",
            hint=f"`{bundle}/soft_prompt` is in PEFT's format: load it beside the base model",
        )
    if out.exists():
        raise UsageError(f"`{out}` exists already.", hint="name a folder that does not exist")
    rows = _task(held, task)
    assert candidate.base is not None
    model = source.model(candidate.base)
    added = adaptation_of(candidate)
    if not isinstance(model, LocalModel) or added is None:
        raise ModelError(f"The weights of `{candidate.base}` are not here.", hint="use a local one")
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".merged-", dir=out.parent) as scratch:
            made = Path(scratch) / "model"
            model.write(made, added)
            made.replace(out)
    except OSError as error:
        raise StoreError(
            f"The model cannot be written to `{out}`: {error.strerror or error}.",
            hint="free space or name another folder, then export again",
        ) from error
    alone = replace(candidate.without("weights"), base=str(out))
    save_bundle(Bundle(alone, licence=held.licence, run=held.run), out / "bundle")
    before, after = (_measure(one, rows, source) for one in (candidate, alone))
    agreeing = sum(
        one.answer.text == other.answer.text
        for one, other in zip(before.rows, after.rows, strict=True)
    )
    return Merged(out, before, after, agreeing)


def _task(held: Bundle, given: Path | None) -> Task:
    """The task that was named, or that of the run the bundle came from."""
    if given is not None:
        return load_task(given)
    folder = runs_folder() / held.run
    known = kept_options(RunFolder.open(folder)) if held.run and folder.is_dir() else None
    if known is None or not Path(known["task"]).exists():
        raise UsageError(
            "The merged model is measured again, and the bundle's task is not known here.",
            hint="--task FOLDER",
        )
    return load_task(known["task"], seed=known.get("seed", 0), limit=known.get("limit"))


def _measure(candidate: Candidate, task: Task, source: ModelSource) -> Measurement:
    metric = load_metric(task.metric, folder=task.folder)
    rows = answer_rows(assemble(candidate, source), task.dev, metric, task.brief, MemorySink())
    return summarise(
        rows,
        task.dev,
        metric,
        task.brief,
        candidate=candidate.fingerprint[:16],
        split="dev",
        seed=seed_for(0, "interval"),
    )

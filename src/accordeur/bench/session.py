"""One run of a plan in its folder: pull every entry, decide, confirm, write.

Each step leaves what it finished on disk before the next begins; a later process with the same plan
reads it back and goes on. Once `decision.json` is written, entries that were not finished then stay
unfinished: nothing may change a decision after it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from accordeur.bench.common_rows import dev_on_common_rows
from accordeur.bench.confirmation import Confirmation, confirm, measure_held_out
from accordeur.bench.decision import Decision, decide
from accordeur.bench.endpoint import fingerprints, labels_by
from accordeur.bench.entries import Outcome, pull, read_back
from accordeur.bench.entry_views import view_of
from accordeur.bench.fit_context import Bench
from accordeur.bench.forgetting import check_entries, to_check
from accordeur.bench.labelling import ENOUGH_ROWS, most_worth_labelling
from accordeur.bench.plan import Plan
from accordeur.bench.preflight import Preflight
from accordeur.bench.preparation import EMBEDDER, Preparation
from accordeur.bench.record import build_record
from accordeur.bench.wording import write_verdict
from accordeur.core.budget import Budget
from accordeur.core.cache import AnswerCache
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Receipt
from accordeur.parts.answering.adapted import adapted_model
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, bundle_files
from accordeur.store.machine import environment
from accordeur.store.openings import Openings
from accordeur.store.run_folder import RunFolder
from accordeur.tasks.write import write_rows

FINGERPRINTS = "fingerprints.json"
"""Systems of an endpoint that answered, and how often."""

ROWS_LOST = "rows lost"
"""Phase of a run that lost too many rows to errors to end: it goes on with the same command."""


class Session:
    """The work between a plan and its record. The caller holds the folder's lock.

    Args:
        ready: task, models and options.
        plan: what to do.
        folder: of the run.
        cache: answers already known.
        budget: wall time.
        checks: what the preflight found.
    """

    def __init__(
        self,
        ready: Preparation,
        plan: Plan,
        folder: RunFolder,
        cache: AnswerCache,
        budget: Budget,
        checks: Preflight,
    ) -> None:
        self.ready = ready
        self.task = ready.task
        self.plan = plan
        self.folder = folder
        self.checks = checks
        self.observer = ready.observer
        self.seed = ready.options.seed
        self._noted: dict[str, int] = {}
        self.bench = Bench(
            task=self.task.brief,
            dev=self.task.dev,
            metric=ready.metric,
            source=ready.source,
            model_name=ready.model.identity.name if ready.model else None,
            embedder_name=EMBEDDER,
            cache=cache,
            folder=folder,
            budget=budget,
            seed=self.seed,
            effort=plan.effort,
            screening=plan.screening,
            tolerance=self.task.limits.tolerance,
            progress=self.observer.progress,
            log=folder.log,
            documents=ready.documents,
        )

    def run(self) -> None:
        """From the first entry to the record."""
        self._phase("levers")
        decided = self.folder.has("decision.json")
        outcomes = [self._pull(index, decided=decided) for index in range(len(self.plan.entries))]
        self._phase("decision")
        task = self.task
        outcomes = dev_on_common_rows(outcomes, task.dev, self.ready.metric, task.brief)
        decision, digest = self._decide(outcomes)
        confirmation, openings, test_rows = self._confirm(outcomes, decision, digest)
        forgetting = self._forgetting(outcomes)
        self._phase("report")
        self._write(outcomes, decision, digest, confirmation, openings, test_rows, forgetting)
        if decision.lost or (confirmation and confirmation.lost):
            self.folder.set_phase(ROWS_LOST)
            return
        self.folder.finish()
        word = decision.selection.word if decision.selection else None
        self.folder.set_phase("finished", pick=decision.pick, word=word)

    def _phase(self, name: str) -> None:
        self.observer.phase(name)
        self.folder.set_phase(name)

    def _pull(self, index: int, *, decided: bool) -> Outcome:
        stack = self.plan.entries[index]
        started = time.perf_counter()
        outcome = read_back(stack, self.bench, unfinished_too=decided)
        if outcome is None:
            outcome = pull(
                stack,
                self.ready.base(),
                self.task.train,
                self.bench,
                prices=self.task.prices,
                limits=self.task.limits,
            )
        best = outcome.best
        if outcome.finished and best is not None and best.measurement.score is not None:
            leader = self.bench.leader
            if leader is None or best.measurement.score > (leader.score or 0.0):
                self.bench.leader = best.measurement
        self._note_fingerprints()
        self.folder.log(
            f"{stack.name}: {outcome.status}",
            seconds=round(time.perf_counter() - started, 3),
            reason=outcome.reason,
            reused=outcome.reused,
        )
        self.observer.entry(view_of(outcome))
        return outcome

    def _decide(self, outcomes: Sequence[Outcome]) -> tuple[Decision, str]:
        """Choose on dev; write the decision once and hash it.

        Where too many rows are lost nothing is decided, so nothing is written: the same command
        asks the lost rows again.
        """
        decision = decide(
            outcomes,
            self.task.dev,
            self.ready.metric,
            self.task.brief,
            self.task.limits,
            seed=self.seed,
        )
        write_rows(self.folder.folder / "rows-dev.jsonl", self.task.dev)
        if decision.lost:
            return decision, ""
        data = decision.to_json({one.stack.name: one for one in outcomes})
        digest = self.folder.write_once("decision.json", data)
        self.folder.log("decision written", hash=digest, pick=decision.pick)
        return decision, digest

    def _confirm(
        self, outcomes: Sequence[Outcome], decision: Decision, digest: str
    ) -> tuple[Confirmation | None, int | None, tuple[Example, ...]]:
        """Count the opening, open the held-out split, measure, test once."""
        sealed = self.task.held_out
        if sealed is None or decision.lost:
            return None, None, ()
        self._phase("held-out")
        openings = Openings(warn=self.observer.log).record(
            sealed.digest, self.plan.hash, self.folder.name, digest
        )
        rows = sealed.open(Receipt(self.plan.hash, digest))
        write_rows(self.folder.folder / "rows-test.jsonl", rows)
        measured = measure_held_out(
            outcomes, rows, self.bench, lambda name: self.observer.log(f"held-out: {name}")
        )
        estimates = decision.selection.entries if decision.selection else {}
        confirmation = confirm(
            decision.pick,
            max(estimates, key=lambda name: estimates[name].dev, default=None),
            measured,
            rows,
            self.ready.metric,
            self.task.brief,
            seed=self.seed,
        )
        return confirmation, openings, rows

    def _forgetting(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """What trained entries lost of what the base model could do; decides nothing."""
        scope = self.ready.options.forgetting
        chosen = to_check(outcomes, scope)
        if chosen:
            self._phase("forgetting")
        rows = (*self.task.train, *self.task.dev)
        entries = check_entries(chosen, self.bench, rows, self.observer.log)
        return {"scope": scope, "entries": entries}

    def _label_next(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """How many rows to label, and which first, when there is no held-out split."""
        missing = ENOUGH_ROWS - len(self.task.train) - len(self.task.dev)
        # Splits that were given may hold thousands of rows and still no held-out one.
        least = 0 if self.task.splits == "given" else 20
        ranked = most_worth_labelling(self.task.unlabelled, outcomes, self.bench)
        place = self.folder.folder / "label-next.jsonl"
        if ranked:
            write_rows(place, [row for row, _ in ranked])
        return {
            "n_more": max(missing, least),
            "ids": [row.id for row, _ in ranked[:50]],
            "file": str(place) if ranked else None,
        }

    def _write(
        self,
        outcomes: Sequence[Outcome],
        decision: Decision,
        digest: str,
        confirmation: Confirmation | None,
        openings: int | None,
        test_rows: Sequence[Example],
        forgetting: Mapping[str, Any],
    ) -> None:
        """Words, record, and the winner's bundle."""
        label_next = self._label_next(outcomes) if self.task.held_out is None else None
        wording = write_verdict(
            decision,
            {one.stack.name: one for one in outcomes},
            confirmation,
            metric=self.ready.metric.title,
            queries=self.task.limits.queries,
            dev_rows=len(self.task.dev),
            refused=[(one.name, one.reason) for one in self.plan.refused],
            label_more=label_next["n_more"] if label_next else None,
            splits_given=self.task.splits == "given",
            openings=openings,
        )
        record = build_record(
            run=self.folder.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            task=self.task,
            metric=self.ready.metric,
            plan={"hash": self.plan.hash, **self.plan.to_json()},
            model=self._model_json(),
            checks=[one.to_json() for one in self.checks.checks],
            first_prompt=self.checks.first_prompt,
            outcomes=outcomes,
            prompts={one.stack.name: self._prompt(one) for one in outcomes},
            decision=decision,
            decision_hash=digest,
            confirmation=confirmation,
            openings=openings,
            test_rows=test_rows,
            forgetting=forgetting,
            wording=wording,
            label_next=label_next,
            environment=environment(),
            seed=self.seed,
        )
        if decision.pick is not None:
            self.folder.write_files("winner", self._winner(outcomes, decision, record))
        self.folder.write_json("record.json", record)

    def _prompt(self, outcome: Outcome) -> str:
        """Dev row 0 as the entry's best configuration shows it to the model."""
        best = outcome.best
        if best is None or self.ready.model is None or outcome.stack.floor:
            return ""
        first = Request.from_example(self.task.dev[0])
        rendered = assemble(best.candidate, self.ready.source).render([first])
        model, _ = adapted_model(best.candidate, self.ready.model)
        return model.prompt_text(rendered[0]) if rendered else ""

    def _note_fingerprints(self) -> dict[str, int]:
        """Systems that answered this run, and how often, those of earlier processes too."""
        mine = fingerprints(self.ready.model)
        fresh = {name: mine[name] - self._noted.get(name, 0) for name in mine}
        kept = self.folder.read_json(FINGERPRINTS) or {}
        if not any(fresh.values()):
            return kept
        kept = {name: kept.get(name, 0) + fresh.get(name, 0) for name in {**kept, **fresh}}
        self.folder.write_json(FINGERPRINTS, kept)
        self._noted = mine
        return kept

    def _model_json(self) -> dict[str, Any] | None:
        if self.plan.model is None:
            return None
        # Not every model makes a trial: endpoints and forced dtypes have none.
        trial = getattr(self.ready.model, "trial", None)
        answered = self._note_fingerprints()
        return {
            **self.plan.model.to_json(),
            "licence": _licence(self.plan.model.name),
            "dtype_trial": dict(trial.tokens_per_second) if trial else None,
            **({"fingerprints": answered} if answered else {}),
            **({"labels_by": chosen} if (chosen := labels_by(self.ready.model)) else {}),
        }

    def _winner(
        self, outcomes: Sequence[Outcome], decision: Decision, record: Mapping[str, Any]
    ) -> dict[str, bytes]:
        picked = next(one for one in outcomes if one.stack.name == decision.pick)
        assert picked.best is not None
        candidate = picked.best.candidate
        entry = next(one for one in record["entries"] if one["name"] == decision.pick)
        uses_model = candidate.base is not None and self.ready.model is not None
        named = [candidate.base] if candidate.base else []
        named += [
            part_embedder
            for part in candidate.parts.values()
            if (part_embedder := getattr(part, "embedder", None))
        ]
        bundle = Bundle(
            candidate,
            base_digest=self.ready.model.identity.digest if uses_model and self.ready.model else "",
            measurement={
                name: entry[name] for name in ("name", "configuration", "dev", "test", "cost")
            },
            licence={name: _licence(name) for name in named},
            run=self.folder.name,
        )
        return bundle_files(bundle)


def _licence(name: str) -> str:
    """Of an embedded model; other models' licences are theirs to state."""
    from accordeur.models.catalog import EMBEDDED

    known = EMBEDDED.get(name.removeprefix("local/"))
    return known.licence if known else "see the model's own page"

"""SetFit at its defaults on MiniLM: pairs of sentences for as long as there is time, then a head.

    python -m benchmarks.record.peers.setfit_head JOB ANSWERS

One epoch over all pairs is the default; on two cores it seldom fits, so the clock ends it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

from benchmarks.record.peers.job import Clock, Job, answer
from benchmarks.record.peers.stopping import Stop

HEAD_SHARE = 0.9
"""Of the time; the rest is for fitting the head."""


def main() -> None:
    """Train and answer."""
    job = Job.read(Path(sys.argv[1]))
    clock = Clock(job.seconds)
    model = SetFitModel.from_pretrained(job.embedder, labels=list(job.labels), device="cpu")
    stop = Stop(clock, HEAD_SHARE)
    texts, names = zip(*job.train, strict=True)
    rows = {"text": list(texts), "label": [job.labels.index(name) for name in names]}
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(output_dir=folder, report_to="none", save_strategy="no")
        trainer = Trainer(
            model=model, args=arguments, train_dataset=Dataset.from_dict(rows), callbacks=[stop]
        )
        trainer.train()
    made = clock.gone
    answers = [str(name) for name in model.predict(list(job.held_out))]
    answer(Path(sys.argv[2]), answers, made=made, all=clock.gone, steps=stop.steps)


if __name__ == "__main__":
    main()

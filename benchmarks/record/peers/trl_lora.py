"""TRL's SFTTrainer with PEFT's LoRA as their documentation shows it, for as long as there is time.

    python -m benchmarks.record.peers.trl_lora JOB ANSWERS

Rank 32, alpha 16, dropout 0.05 and learning rate 2e-4 are those of TRL's page on PEFT; everything
else, three epochs among it, is the default. Answers are decoded greedily by transformers.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer

from benchmarks.record.peers.job import Clock, Job, answer
from benchmarks.record.peers.stopping import Stop

BATCH = 16
"""Rows decoded at once."""


def main() -> None:
    """Train and answer."""
    job = Job.read(Path(sys.argv[1]))
    clock = Clock(job.seconds)
    stop = Stop(clock)
    rows = [
        {
            "prompt": [{"role": "user", "content": job.prompt(text)}],
            "completion": [{"role": "assistant", "content": name}],
        }
        for text, name in job.train
    ]
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=job.model,
            args=SFTConfig(
                output_dir=folder,
                report_to="none",
                save_strategy="no",
                learning_rate=2e-4,
                use_cpu=True,
            ),
            train_dataset=Dataset.from_list(rows),
            peft_config=LoraConfig(
                r=32, lora_alpha=16, lora_dropout=0.05, bias="none", task_type="CAUSAL_LM"
            ),
            callbacks=[stop],
        )
        planned = trainer.args.num_train_epochs * len(trainer.get_train_dataloader())
        trainer.train()
    made = clock.gone
    answers = decode(trainer.model, trainer.processing_class, job)
    facts = {"made": made, "all": clock.gone, "steps": stop.steps, "planned": planned}
    answer(Path(sys.argv[2]), answers, **facts)


def decode(model: Any, tokenizer: Any, job: Job) -> list[str]:
    """Greedy answers."""
    model.eval()
    model.config.use_cache = True
    tokenizer.padding_side = "left"
    found: list[str] = []
    for first in range(0, len(job.held_out), BATCH):
        talks = [
            [{"role": "user", "content": job.prompt(text)}]
            for text in job.held_out[first : first + BATCH]
        ]
        asked = tokenizer.apply_chat_template(
            talks, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            made = model.generate(**asked, max_new_tokens=job.new_tokens, do_sample=False)
        new = made[:, asked["input_ids"].shape[1] :]
        found += tokenizer.batch_decode(new, skip_special_tokens=True)
    return found


if __name__ == "__main__":
    main()

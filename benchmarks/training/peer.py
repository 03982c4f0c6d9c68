"""The peers as a worker, in their own environment: TRL's SFTTrainer, or transformers' Trainer.

Both train PEFT's modules, or all weights, on rows already tokenised, in the batches they are given,
one step per turn. Knows nothing of Accordeur.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from typing import Any

import peft
import torch
import transformers
from datasets import Dataset
from torch import Tensor
from torch.utils.data import DataLoader
from trl import SFTConfig, SFTTrainer
from trl.trainer import utils as trl_utils

from benchmarks.training.turns import Turns, asked


class Given(transformers.Trainer):
    """A trainer that takes batches and learning rates as they are given."""

    job: dict[str, Any]

    def get_train_dataloader(self) -> Any:
        order, first = [], 0
        for batch in self.job["batches"]:
            order.append(list(range(first, first + len(batch))))
            first += len(batch)
        return DataLoader(self.train_dataset, batch_sampler=order, collate_fn=self.data_collator)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        rates = [*self.job["rates"], 0.0]
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer, lambda step: rates[step] / self.args.learning_rate
        )
        return self.lr_scheduler


class GivenSFT(Given, SFTTrainer):
    """TRL's, the same way."""


class Pace(transformers.TrainerCallback):
    """Waits for the word after every step; the logs of a step are the last thing in it."""

    def __init__(self, turns: Turns, facts: dict[str, Any]) -> None:
        self._turns, self._facts = turns, facts

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self._turns.ready(**self._facts)

    def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
        self._turns.done(logs["loss"])


class Collate:
    """Right-padded rows; with `targets`, also the mask that keeps logits where a target follows."""

    def __init__(self, virtual: int, *, targets: bool) -> None:
        self._virtual, self._targets = virtual, targets

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        def padded(name: str, value: int) -> Tensor:
            parts = [torch.tensor(row[name]) for row in rows]
            return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=value)

        ids, labels = padded("input_ids", 0), padded("labels", -100)
        seen = torch.nn.utils.rnn.pad_sequence(
            [torch.ones(len(row["input_ids"]), dtype=torch.long) for row in rows], batch_first=True
        )
        found = {"input_ids": ids, "labels": labels, "attention_mask": seen}
        if self._targets:
            before = torch.zeros(len(rows), self._virtual, dtype=torch.bool)
            ends = torch.zeros(len(rows), 1, dtype=torch.bool)
            found["logits_to_keep"] = torch.cat((before, labels[:, 1:] != -100, ends), dim=1)
        return found


def target_loss(outputs: Any, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
    """Mean over targets, from the logits that `Collate` kept."""
    targets = labels[:, 1:]
    total = torch.nn.functional.cross_entropy(
        outputs.logits.float(), targets[targets != -100], reduction="sum"
    )
    loss: Tensor = total / num_items_in_batch
    return loss


def network(job: dict[str, Any]) -> Any:
    """The model with what is to be trained."""
    settings = job["settings"]
    model = transformers.AutoModelForCausalLM.from_pretrained(
        job["model"],
        dtype=getattr(torch, settings["load"]),
        attn_implementation=settings.get("attention", "sdpa"),
    )
    torch.manual_seed(job["seed"])
    if job["method"] == "lora":
        config = peft.LoraConfig(
            r=job["rank"], lora_alpha=job["alpha"], target_modules=job["modules"]
        )
        model = peft.get_peft_model(model, config)
    elif job["method"] == "soft":
        count = len(job["start"])
        config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=count)
        model = peft.get_peft_model(model, config)
        weight = model.prompt_encoder["default"].embedding.weight
        weight.data = torch.tensor(job["start"])
    return model


def trainer(job: dict[str, Any], model: Any, folder: str, pace: Pace) -> Any:
    """TRL's or transformers' trainer with the settings asked for."""
    settings = job["settings"]
    common = {
        "output_dir": folder,
        "max_steps": len(job["batches"]),
        "learning_rate": max(job["rates"]),
        "max_grad_norm": job["clip"],
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        **settings.get("arguments", {}),
    }
    data = Dataset.from_list(
        [
            {"input_ids": row, "labels": [-100] * prompt + row[prompt:]}
            for rows, prompts in zip(job["batches"], job["prompts"], strict=True)
            for row, prompt in zip(rows, prompts, strict=True)
        ]
    )
    kept = settings.get("targets", False)
    if settings["trainer"] == "trl":
        if kept:  # what it does on a GPU: logits where a target follows, and nowhere else
            trl_utils._use_triton = lambda device: True
        tokenizer = transformers.AutoTokenizer.from_pretrained(job["model"])
        found: Given = GivenSFT(
            model,
            args=SFTConfig(**common),
            train_dataset=data,
            processing_class=tokenizer,
            callbacks=[pace],
        )
    else:
        found = Given(
            model,
            args=transformers.TrainingArguments(**common),
            train_dataset=data,
            data_collator=Collate(len(job.get("start", ())), targets=kept),
            compute_loss_func=target_loss if kept else None,
            callbacks=[pace],
        )
    found.job = job
    return found


def main() -> None:
    warnings.filterwarnings("ignore")
    transformers.utils.logging.set_verbosity_error()
    job = asked()
    turns = Turns()
    torch.set_num_threads(job["threads"])
    model = network(job)
    moving = [one for one in model.parameters() if one.requires_grad]
    facts = {
        "sum": sum(float(one.detach().double().sum()) for one in moving),
        "trained": sum(one.numel() for one in moving),
        "moving": str(moving[0].dtype),
    }
    with tempfile.TemporaryDirectory() as folder:
        trainer(job, model, folder, Pace(turns, facts)).train()


if __name__ == "__main__":
    main()

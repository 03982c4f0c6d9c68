"""Prefix tuning on a tiny model: it starts as the prompt's own keys and values."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.training.conftest import rows_of, scores, write

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.local.model import LocalModel
from accordeur.parts.soft_prompt import KeyValuePrefix, load
from accordeur.training.ground import Ground
from accordeur.training.key_values import PrefixTuning
from accordeur.training.loop import train
from accordeur.training.schedule import Schedule


def kept(candidate: Candidate) -> KeyValuePrefix:
    part = candidate.part(KeyValuePrefix)
    assert part is not None
    return part


@pytest.fixture
def learned(candidate: Candidate, ground: Ground) -> tuple[Candidate, list[float]]:
    trainee = PrefixTuning().begin(candidate, ground, 0)
    found = train(trainee, rows_of(trainee), Schedule(12, 4, 0.3), seed=0, checks=(4, 12))
    losses = [loss for _, loss in found]
    return trainee.candidate(), losses


def test_step_0_is_the_prompt(candidate: Candidate, ground: Ground, tiny: LocalModel) -> None:
    start = PrefixTuning().begin(candidate, ground, 0).candidate()
    assert scores(start, tiny) == pytest.approx(scores(candidate, tiny), abs=1e-4)
    words = tiny.chat.decode(kept(start).stored.tokens, special=True)
    assert words.startswith("<|im_start|>system")
    assert words.endswith("Which team should answer?\n\n")


def test_training_lowers_the_loss_and_leaves_the_first_position(
    candidate: Candidate,
    ground: Ground,
    tiny: LocalModel,
    learned: tuple[Candidate, list[float]],
) -> None:
    made, losses = learned
    assert losses[1] < losses[0] - 0.3
    before = kept(PrefixTuning().begin(candidate, ground, 0).candidate()).stored
    after = kept(made).stored
    assert (after.keys[:, :, 0] == before.keys[:, :, 0]).all()
    assert (after.keys[:, :, 1:] != before.keys[:, :, 1:]).all(axis=-1).all()
    assert scores(made, tiny)[1] > scores(candidate, tiny)[1] + 1.0
    assert made.trained_parameters == after.keys.size + after.values.size


def test_texts_are_written_with_it(
    tiny: LocalModel, learned: tuple[Candidate, list[float]]
) -> None:
    from accordeur.core.model import Sampling
    from accordeur.core.rendering import Request
    from accordeur.parts.answering.adapted import adapted_model
    from accordeur.parts.answering.prompting import Prompting

    made, _ = learned
    model, _ = adapted_model(made, tiny)
    rendered = Prompting(made, None).render([Request("a card")])  # type: ignore[arg-type]
    (batch,) = model.generate(rendered, Sampling(max_tokens=8))
    assert batch.results[0].text.startswith("Lost card")


def test_another_prompt_is_refused(
    tiny: LocalModel, learned: tuple[Candidate, list[float]]
) -> None:
    from accordeur.parts.answering.adapted import adapted_model

    model, _ = adapted_model(learned[0], tiny)
    lead = Segment("Another instruction.\n\n", shared=True)
    other = Rendered((Message("user", (lead, Segment("a card", "data", trim=True))),))
    with pytest.raises(ModelError, match="does not begin with the words"):
        list(model.score([other], ["Billing"]))


def test_plain_peft_reads_it_and_gives_the_same_scores(
    candidate: Candidate,
    ground: Ground,
    tiny: LocalModel,
    tiny_folder: Path,
    learned: tuple[Candidate, list[float]],
    tmp_path: Path,
) -> None:
    import peft
    import transformers

    made, _ = learned
    part = kept(made)
    write(part.files(), tmp_path)
    base = transformers.AutoModelForCausalLM.from_pretrained(str(tiny_folder), dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(base, str(tmp_path / "soft_prompt"))
    row = rows_of(PrefixTuning().begin(candidate, ground, 0))[0]
    rest = (*row.prefix[len(part.stored.tokens) :], *row.row, *row.answer[:-1])
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([rest])).logits[0, -len(row.answer) :]
    expected = logits.log_softmax(-1).gather(1, torch.tensor(row.answer)[:, None]).sum()
    read = candidate.with_part(load(part.files()))
    assert scores(read, tiny)[1] == pytest.approx(float(expected), abs=1e-3)


def test_a_damaged_part_is_refused(learned: tuple[Candidate, list[float]]) -> None:
    files = dict(kept(learned[0]).files())
    assert load(files).files() == files
    for name in files:
        with pytest.raises(BundleError):
            load({**files, name: b"{}"})

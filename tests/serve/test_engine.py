"""The engine's thread: who is computed together, who leaves, what an error spoils."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from accordeur.core.errors import ModelError
from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.local.in_flight import Order
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.serve.engine import Engine
from accordeur.serve.jobs import Computing, Job, Writing
from accordeur.serve.ticket import Gone, Ticket

from .conftest import hold


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> LocalModel:
    return Models(dtype="float32").local(str(tiny_folder))


def order(model: LocalModel, text: str, limit: int) -> Order:
    prompt = Rendered((Message("user", (Segment(text, "data"),)),))
    return Order(model.fit(prompt, limit), Sampling(limit))


def writing(model: LocalModel, text: str, limit: int, ticket: Ticket | None = None) -> Writing:
    return Writing(model, order(model, text, limit), ticket or Ticket())


def test_what_waits_with_one_key_is_computed_together(engine: Engine) -> None:
    calls: list[list[object]] = []

    def double(items: Sequence[int]) -> Sequence[int]:
        calls.append(list(items))
        return [2 * item for item in items]

    go_on = hold(engine)
    jobs = [Computing(key, item, double, Ticket()) for key, item in [("a", 1), ("b", 2), ("a", 3)]]
    for job in jobs:
        engine.submit(job)
    go_on.set()
    assert [job.result() for job in jobs] == [2, 4, 6]
    assert calls == [[1, 3], [2]]


def test_an_item_that_fails_does_not_spoil_its_batch(engine: Engine) -> None:
    def check(items: Sequence[int]) -> Sequence[int]:
        if 13 in items:
            raise ModelError("no thirteen")
        return items

    go_on = hold(engine)
    jobs = [Computing("c", item, check, Ticket()) for item in (1, 13, 2)]
    for job in jobs:
        engine.submit(job)
    go_on.set()
    assert jobs[0].result() == 1
    with pytest.raises(ModelError, match="thirteen"):
        jobs[1].result()
    assert jobs[2].result() == 2


def test_many_texts_at_once_are_those_of_each_alone(engine: Engine, model: LocalModel) -> None:
    texts = [f"Where is card {number}?" for number in range(30)]
    limits = [3 + number % 7 for number in range(30)]
    expected = []
    for text, limit in zip(texts, limits, strict=True):
        prompt = Rendered((Message("user", (Segment(text, "data"),)),))
        (batch,) = model.generate([prompt], Sampling(limit))
        expected.append(batch.results[0].text)
    jobs = [writing(model, *one) for one in zip(texts, limits, strict=True)]
    for job in jobs:
        engine.submit(job)
    found = [
        model.chat.decode([one.token for one in job.written() if not one.ended]) for job in jobs
    ]
    assert found == expected
    assert len(set(found)) > 10


def test_a_short_answer_does_not_wait_for_the_end_of_a_long_one(
    engine: Engine, model: LocalModel
) -> None:
    long = writing(model, "long", 800)
    engine.submit(long)
    reading = long.written()
    next(reading)
    short = writing(model, "short", 2)
    engine.submit(short)
    assert len(list(short.written())) == 2
    long.enough()
    with pytest.raises(Gone):
        for _ in reading:
            pass


def test_who_goes_away_is_dropped_and_the_others_go_on(engine: Engine, model: LocalModel) -> None:
    leaving, staying = Ticket(), Ticket()
    go_on = hold(engine)
    left = writing(model, "leaves", 900, leaving)
    stays = writing(model, "stays", 30, staying)
    early = Computing("k", 1, lambda items: items, leaving)
    for job in (left, stays, early):
        engine.submit(job)
    leaving.leave()
    go_on.set()
    with pytest.raises(Gone):
        early.result()
    with pytest.raises(Gone):
        list(left.written())
    assert len(list(stays.written())) == 30


def test_closing_finishes_what_was_submitted(model: LocalModel) -> None:
    engine = Engine()
    jobs = [writing(model, f"text {number}", 40) for number in range(5)]
    for job in jobs:
        engine.submit(job)
    closing = threading.Thread(target=engine.close)
    closing.start()
    assert [len(list(job.written())) for job in jobs] == [40] * 5
    closing.join(30)
    assert not closing.is_alive()
    with pytest.raises(ModelError, match="shutting down"):
        engine.submit(jobs[0])


def test_an_idle_engine_takes_no_time(engine: Engine) -> None:
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def test_who_leaves_at_any_moment_is_told(engine: Engine) -> None:
    class Leaving(Ticket):
        """Gone from the second look on."""

        looks = 0

        @property
        def gone(self) -> bool:
            self.looks += 1
            return self.looks > 1

    job = Computing("leaving", 1, lambda items: items, Leaving())
    engine.submit(job)
    assert job.result() == 1


def test_much_at_once_leaves_room_for_others(engine: Engine, model: LocalModel) -> None:
    turns: list[tuple[str, bool]] = []
    text = writing(model, "text", 1)

    def note(items: Sequence[str]) -> Sequence[str]:
        turns.append((items[0], text._said.empty()))
        return items

    go_on = hold(engine)
    large = [Computing(f"large {at}", f"large {at}", note, Ticket(), 3_000) for at in range(3)]
    jobs: list[Job] = [*large, text]
    for job in jobs:
        engine.submit(job)
    go_on.set()
    assert [job.result() for job in large] == ["large 0", "large 1", "large 2"]
    assert turns == [("large 0", True), ("large 1", False), ("large 2", False)]
    assert len(list(text.written())) == 1


def test_work_is_done_in_the_engines_thread_and_never_waits_for_itself(engine: Engine) -> None:
    assert engine.call(lambda: threading.current_thread().name) == "engine"
    with pytest.raises(ModelError, match="not here"):
        engine.call(_fail)
    with pytest.raises(RuntimeError, match="wait for itself"):
        engine.call(lambda: engine.call(lambda: 1))


def _fail() -> None:
    raise ModelError("not here")

"""Calls at once: never more than the limit, nobody forgotten, halved once a round."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as some

from accordeur.models.openai_api.pace import START, Pace


@settings(max_examples=40, deadline=None)
@given(
    most=some.integers(1, 20),
    outcomes=some.lists(some.sampled_from(["answered", "pushed", "lost"]), max_size=80),
)
def test_every_call_gets_its_turn_and_never_too_many_at_once(
    most: int, outcomes: list[str]
) -> None:
    async def go() -> None:
        pace = Pace(most)
        running = done = 0

        async def call(outcome: str) -> None:
            nonlocal running, done
            async with pace.slot() as began:
                running += 1
                assert running <= most
                await asyncio.sleep(0)
                running -= 1
                if outcome == "answered":
                    pace.answered()
                elif outcome == "pushed":
                    pace.pushed_back(began, None)
            done += 1

        async with asyncio.timeout(5):
            await asyncio.gather(*(call(one) for one in outcomes))
        assert done == len(outcomes)
        assert 1 <= pace.limit <= most

    asyncio.run(go())


def test_it_grows_until_pushed_back_then_halves_once_a_round() -> None:
    async def go() -> None:
        pace = Pace(64)
        assert pace.limit == START
        for _ in range(20):
            pace.answered()
        assert pace.limit == START + 20
        async with pace.slot() as first, pace.slot() as second:
            pace.pushed_back(first, None)
            pace.pushed_back(second, None)
        assert pace.limit == (START + 20) / 2
        before = pace.limit
        for _ in range(round(before)):
            pace.answered()
        assert before + 0.8 < pace.limit <= before + 1

    asyncio.run(go())


def test_nobody_calls_before_the_endpoint_wants_it() -> None:
    async def go() -> None:
        pace = Pace(4)
        async with pace.slot() as began:
            pace.pushed_back(began, 0.2)
        async with pace.slot() as later:
            assert later - began >= 0.2

    asyncio.run(go())


def test_a_cancelled_turn_goes_to_the_next() -> None:
    async def go() -> None:
        pace = Pace(1)
        reached = asyncio.Event()

        async def wait() -> None:
            async with pace.slot():
                reached.set()

        async with pace.slot():
            first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
            await asyncio.sleep(0)
        first.cancel()
        async with asyncio.timeout(1):
            await asyncio.gather(first, second, return_exceptions=True)
        assert reached.is_set()

    asyncio.run(go())

"""What was paid for is never asked again, however small a command's limit is."""

from __future__ import annotations

from pathlib import Path

import pytest

from accordeur.bench.endpoint_speed import SCORED
from accordeur.bench.forecast import measure_speed
from accordeur.bench.run import resume, run
from accordeur.core.errors import EndpointGone
from accordeur.models.openai_api.client import Patience
from accordeur.models.openai_api.model import EndpointModel
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.testing.endpoint import ScriptedEndpoint
from accordeur.testing.toy import write_label_task


def test_a_run_comes_to_its_end_a_few_calls_at_a_time(tmp_path: Path) -> None:
    task, runs = write_label_task(tmp_path / "task"), tmp_path / "runs"
    commands, stopped = 0, list[str]()
    with ScriptedEndpoint(lambda messages: "billing") as server:
        finished = None
        while finished is None and commands < 20:
            commands += 1
            try:
                if names := [one for one in runs.glob("*") if one.is_dir()]:
                    finished = resume(names[0].name, runs=runs, max_calls=10)
                else:
                    finished = run(
                        task,
                        model="openai/scripted",
                        levers="as-is",
                        base_url=server.base_url,
                        runs=runs,
                        at_once=2,
                        max_calls=9,
                    )
            except EndpointGone as error:
                stopped.append(error.message)
        assert finished is not None
        assert finished.record["decision"]["pick"] is not None
        rows, alone, speed, probes = 18, 13, 17, 9
        assert server.seen.calls <= rows + alone + speed + probes + 2 * commands
    assert 5 < commands < 12
    assert all("limit of" in message for message in stopped)


def called(server: ScriptedEndpoint, most: int = 16) -> EndpointModel:
    place = endpoint(VENDORS["openai"], server.base_url, {})
    patience = Patience(attempt=5.0, call=20.0, first_wait=0.01, longest_wait=0.05)
    asked = EndpointModel(place, "scripted", most=most, patience=patience)
    asked.check()
    return asked


def test_a_speed_of_a_bad_moment_is_not_kept(tmp_path: Path) -> None:
    with ScriptedEndpoint(delay=0.05, capacity=2, retry_after=0.01) as server:
        measure_speed(called(server), tmp_path)
        assert server.seen.faults["429"] > 0
        assert not list((tmp_path / "speed").glob("*"))
    with ScriptedEndpoint() as server:
        first = measure_speed(called(server), tmp_path)
        before = server.seen.calls
        assert measure_speed(called(server), tmp_path) == first
        assert server.seen.calls == before + 1, "measured once"


@pytest.mark.parametrize("fault", ["", "500"])
def test_the_speed_of_scoring_is_that_of_rows(tmp_path: Path, fault: str) -> None:
    with ScriptedEndpoint(score=lambda messages, answer: -1.0, delay=0.02) as server:
        asked = called(server)
        server.faults = {fault: 0.1} if fault else {}
        speed = measure_speed(asked, tmp_path)
    # Eight rows of some 55 tokens and two labels: sixteen calls of 20 ms, at best all at once.
    assert SCORED * 40 / 2.0 < speed.prompt < SCORED * 60 / 0.02

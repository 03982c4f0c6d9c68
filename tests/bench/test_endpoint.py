"""A whole run on an endpoint: refusals by name, prices, lost rows asked again, keys kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.bench.run import resume, run
from accordeur.core.errors import EndpointGone, ModelError, PlanError, UsageError
from accordeur.parts.loaded import load
from accordeur.testing.endpoint import Messages, ScriptedEndpoint
from accordeur.testing.toy import label_task, write_label_task

GOLD = {
    row.text: next(
        one.text for one in label_task().labels if row.expected and one.name == row.expected[0]
    )
    for row in (*label_task().train, *label_task().dev)
}


def knowing(messages: Messages) -> str:
    """Right where a demonstration was shown; in words no label has elsewhere."""
    text = messages[-1]["content"].rpartition("\n\n")[2]
    if len(messages) > 1:
        return f"{GOLD.get(text, 'billing')}."
    return "That depends."


def go(place: Path, server: ScriptedEndpoint, **options: Any) -> Run:
    asked: dict[str, Any] = {
        "model": "openai/scripted",
        "levers": "few-shot",
        "base_url": server.base_url,
        "runs": place / "runs",
        "effort": 1,
    }
    return run(write_label_task(place / "task"), **{**asked, **options})


def entry(found: Run, name: str) -> dict[str, Any]:
    return next(one for one in found.record["entries"] if one["name"] == name)


def test_a_run_on_an_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-mine-123")
    with ScriptedEndpoint(knowing) as server:
        found = go(tmp_path, server, levers="all")
        assert server.seen.keys == {"Bearer sk-secret-of-mine-123"}
    assert entry(found, "as-is")["dev"]["statuses"] == {"parse failure": 12}
    assert entry(found, "as-is")["dev"]["score"] == 0.0
    assert entry(found, "few-shot")["dev"]["score"] == 1.0
    refused = {one["name"]: one["reason"] for one in found.record["plan"]["refused"]}
    assert refused["lora"] == "`lora` needs weights that can be trained"
    assert refused["calibration"].startswith("`calibration` needs log-probabilities")
    cost = entry(found, "few-shot")["cost"]
    assert cost["use"] is None, "no price is known"
    assert cost["total"] is None
    assert cost["cold_seconds"] > 0
    assert found.record["model"]["name"] == "openai/scripted"
    everything = "".join(
        file.read_text(encoding="utf-8", errors="replace")
        for file in tmp_path.rglob("*")
        if file.is_file()
    )
    assert "sk-secret" not in everything


def test_prices_of_tokens_make_it_money(tmp_path: Path) -> None:
    with ScriptedEndpoint(knowing) as server:
        folder = write_label_task(tmp_path / "task")
        task = folder / "task.yaml"
        priced = "prices: {input_token: 0.001, output_token: 0.01}\n"
        task.write_text(task.read_text() + priced, encoding="utf-8")
        found = run(
            folder,
            model="openai/scripted",
            levers="as-is",
            base_url=server.base_url,
            runs=tmp_path / "runs",
        )
    measured = json.loads(
        next((tmp_path / "runs").rglob("entries/as-is.json")).read_text(encoding="utf-8")
    )
    usage = found.record["entries"]
    cost = next(one for one in usage if one["name"] == "as-is")["cost"]
    assert measured["cost"]["use"] == cost["use"]
    # Two words are written for every row: "That depends."
    read = (cost["use"] - 2 * 0.01) / 0.001
    assert 10 < read < 60
    assert cost["make"] == pytest.approx(12 * cost["use"])


def test_the_winner_answers_at_the_address_it_was_measured_at(tmp_path: Path) -> None:
    with ScriptedEndpoint(knowing) as server, ScriptedEndpoint(knowing) as other:
        found = go(tmp_path, server)
        winner = found.winner.save(tmp_path / "winner")
        said = load(winner, base_url=server.base_url).answer("I never got my card")
        assert said.label == "billing"
        told: list[str] = []
        assert load(winner, base_url=other.base_url, log=told.append).answer("x").label
        assert "called elsewhere" in told[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_BASE_URL", other.base_url)
            calls = other.seen.calls
            with pytest.raises(ModelError, match="was not measured on") as caught:
                load(winner)
            assert other.seen.calls == calls, "nothing was sent to an address nobody named"
        assert caught.value.hint == "name the address: --base-url URL"


def test_another_model_behind_the_name_is_another_plan(tmp_path: Path) -> None:
    with ScriptedEndpoint(knowing, resolved="scripted-2026-01") as server:
        first = go(tmp_path, server, levers="as-is")
        again = go(tmp_path, server, levers="as-is")
        assert again.folder == first.folder
        server.resolved = "scripted-2026-06"
        before = server.seen.calls
        other = go(tmp_path, server, levers="as-is")
        assert other.folder != first.folder
        assert server.seen.calls - before > 18, "asked anew"
    assert " scripted-2026-01 " in first.record["model"]["engine"]
    winner = other.winner.save(tmp_path / "winner")
    assert load(winner, base_url=server.base_url)


def test_rows_that_are_lost_are_asked_again(tmp_path: Path) -> None:
    def turning_bad(messages: Messages) -> str:
        server.faults = {"filter": 0.95}  # behind the call that makes sure of an answer
        return knowing(messages)

    with ScriptedEndpoint(turning_bad) as server:
        first = go(tmp_path, server)
        assert first.record["lost"]["split"] == "dev"
        assert first.record["decision"]["pick"] is None, "over 2 % of the rows are missing"
        lost = entry(first, "as-is")["dev"]
        assert lost is None or lost["missing"] > 0, "missing, not wrong"
        server.answer = knowing
        server.faults = {}
        second = resume(first.name, runs=tmp_path / "runs")
    assert entry(second, "few-shot")["dev"]["score"] == 1.0
    assert second.record["decision"]["pick"] is not None


def test_a_dead_endpoint_is_told_before_anything_else(tmp_path: Path) -> None:
    with ScriptedEndpoint(knowing) as server:
        pass
    with pytest.raises(ModelError, match="connection"):
        go(tmp_path, server)


@pytest.mark.parametrize("limit", ["max_calls", "max_tokens", "max_cost"])
def test_what_may_be_spent_ends_a_run_that_goes_on_later(tmp_path: Path, limit: str) -> None:
    folder = write_label_task(tmp_path / "task")
    task = folder / "task.yaml"
    priced = "prices: {input_token: 0.001, output_token: 0.01}\n"
    task.write_text(task.read_text() + priced, encoding="utf-8")
    with ScriptedEndpoint(knowing) as server:

        def once(amount: float | None) -> Run:
            settings: dict[str, Any] = {limit: amount, "at_once": 2}
            return run(
                folder,
                model="openai/scripted",
                levers="few-shot",
                base_url=server.base_url,
                runs=tmp_path / "runs",
                effort=1,
                **settings,
            )

        asked = {"max_calls": 40, "max_tokens": 1500, "max_cost": 2.0}[limit]
        with pytest.raises(EndpointGone, match="the limit of") as caught:
            once(asked)
        assert "larger limit goes on" in caught.value.hint
        stopped = server.seen.calls
        assert stopped < 70
        finished = once(None)
        assert entry(finished, "few-shot")["dev"]["score"] == 1.0
        assert len(list((tmp_path / "runs").iterdir())) == 1, "the same plan, the same run"
        # Two entries: 18 rows and 13 single queries each; the probe of speed, a call at each start.
        # Asked again: at most the single queries that were interrupted, and what was in flight.
        assert server.seen.calls <= 2 * (18 + 13) + 17 + 2 + 13 + 2


def test_an_endpoint_that_dies_hands_the_verdict_to_no_floor(tmp_path: Path) -> None:
    def dying(messages: Messages) -> str:
        if server.seen.calls > 40:
            server.faults = {"401": 1.0}
        return knowing(messages)

    with ScriptedEndpoint(dying) as server:
        with pytest.raises(EndpointGone, match="key refused"):
            go(tmp_path, server)
        (place,) = (one for one in (tmp_path / "runs").iterdir() if one.is_dir())
        assert not (place / "decision.json").exists()
        server.answer, server.faults = knowing, {}
        assert resume(place.name, runs=tmp_path / "runs").verdict.pick == "few-shot"


def test_what_cannot_be_meant_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ScriptedEndpoint(knowing) as server:
        with pytest.raises(UsageError, match="runs on this machine"):
            go(tmp_path, server, model="local/smollm2")
        with pytest.raises(PlanError, match="needs weights"):
            go(tmp_path, server, levers="lora")
        with pytest.raises(ModelError, match="is no base URL"):
            go(tmp_path, server, base_url="127.0.0.1:8000")
        with pytest.raises(ModelError, match="password"):
            go(tmp_path, server, base_url="http://me:secret@127.0.0.1:1/v1")
        with pytest.raises(ModelError, match="OPENAI_API_KEY is not set"):
            go(tmp_path, server, base_url=None)
        with pytest.raises(UsageError, match="needs the price of `openai/scripted`"):
            go(tmp_path, server, max_cost=1.0)
        task = write_label_task(tmp_path / "closed")
        place = task / "task.yaml"
        place.write_text(place.read_text() + "limits: {offline: true}\n", encoding="utf-8")
        before = server.seen.calls
        with pytest.raises(PlanError, match="forbids endpoints"):
            run(task, model="openai/scripted", base_url=server.base_url, runs=tmp_path / "runs")
        assert server.seen.calls == before


def certain(messages: Messages, answer: str) -> float:
    """Sure of a label where a demonstration was shown, else always of the first."""
    text = messages[-1]["content"].rpartition("\n\n")[2]
    wanted = GOLD.get(text, "") if len(messages) > 1 else label_task().labels[0].text
    return -0.125 if answer == wanted else -3.0 - len(answer) / 8


def test_labels_are_scored_where_the_endpoint_tells_log_probabilities(tmp_path: Path) -> None:
    with ScriptedEndpoint(knowing, score=certain) as server:
        found = go(tmp_path, server, levers="few-shot,calibration,reason")
        assert server.seen.paths["/v1/completions"] > 30
    assert entry(found, "few-shot")["dev"]["score"] == 1.0
    assert entry(found, "as-is")["dev"]["statuses"] == {"ok": 12}
    assert entry(found, "calibration")["status"] == "finished"
    assert entry(found, "few-shot")["dev"]["extra"], "probabilities are there"


@pytest.mark.parametrize("way", ["logprobs", "top", "schema", "parse"])
def test_labels_are_chosen_as_asked(tmp_path: Path, way: str) -> None:
    def likely(messages: Messages) -> dict[str, float]:
        return {knowing(messages).rstrip("."): -1.0, "The": -0.5}

    capable: dict[str, Any] = {"score": certain, "top": likely, "formats": ["response_format"]}
    with ScriptedEndpoint(lambda told: knowing(told).rstrip("."), **capable) as server:
        found = go(tmp_path, server, levers="few-shot", labels_by=way)
        assert found.record["model"]["labels_by"] == way
        assert entry(found, "few-shot")["dev"]["score"] == 1.0
        statuses = entry(found, "as-is")["dev"]["statuses"]
        assert statuses == {"parse failure" if way in ("top", "parse") else "ok": 12}
        bodies = [body for body in server.seen.bodies if "Which" in json.dumps(body)]
        assert any("response_format" in body for body in bodies) is (way == "schema")
        winner = load(found.winner.save(tmp_path / "winner"), base_url=server.base_url)
        assert winner.answer("I never got my card").label == "billing"
        with pytest.raises(UsageError, match="no way of choosing labels named `guess`"):
            go(tmp_path, server, labels_by="guess")

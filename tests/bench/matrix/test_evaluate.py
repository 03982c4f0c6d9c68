"""Evaluations from config to summary."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.matrix.evaluate import Evaluated, Watcher
from accordeur.bench.matrix.matrix import Case, Check
from accordeur.bench.matrix.scoring import Outcome, fold, scored
from accordeur.core.errors import StoreError, UsageError
from accordeur.core.model import Generated, Usage
from accordeur.core.rendering import Rendered
from accordeur.measure.assertions.assertion import Finding
from accordeur.measure.statistics.wilson import wilson
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

Evaluate = Callable[..., Evaluated]

CONFIG = """
prompts: ["{{ q }}"]
models: [openai/scripted]
cases: [{q: one, want: "1"}, {q: two, want: "2"}, {q: three, want: "3"}]
check: [{contains: "{{ want }}", metric: digit}]
"""


def test_rates_have_their_intervals_and_metrics(run: Evaluate) -> None:
    done = run(CONFIG, {"one": "1", "two": "2", "three": "4"})
    (column,) = done.summary["columns"]
    bounds = wilson(2, 3)
    assert (column["n"], column["passed"], column["errors"]) == (3, 2, 0)
    assert column["interval"] == {"low": bounds.low, "high": bounds.high, "level": 0.95}
    assert column["metrics"]["digit"]["passed"] == 2
    assert done.exit_code == 100
    assert run(CONFIG, {"one": "1", "two": "2", "three": "4"}, threshold=0.6).exit_code == 0


def test_errors_are_no_failures_and_are_asked_again(run: Evaluate, tmp_path: Path) -> None:
    lost = {"one": "1", "two": "2", "three": Generated("", False, 0.0, Usage(), "timeout")}
    done = run(CONFIG, lost, use_cache=False)
    (column,) = done.summary["columns"]
    assert (column["n"], column["passed"], column["errors"]) == (2, 2, 1)
    assert done.exit_code == 1
    # Another model answers now, as after a restart of an endpoint under the same name.
    with pytest.raises(StoreError, match="not the model that answered before"):
        run(CONFIG, {"one": "1", "two": "2", "three": "3"}, retry_errors=True, use_cache=False)


def test_only_errors_are_asked_again(run: Evaluate) -> None:
    def answer(messages: Messages) -> str:
        if messages[-1]["content"] == "Say yes." and not server.seen.faults:
            server.faults = {"filter": 1.0}  # it answers, and then it does not
        return "1 2 3"

    with ScriptedEndpoint(answer) as server:
        here: dict[str, Any] = {"base_url": server.base_url, "source": None}
        done = run(CONFIG, **here)
        assert done.summary["columns"][0]["errors"] == 3
        server.faults = {}
        before = server.seen.calls
        done = run(CONFIG, retry_errors=True, **here)
        assert done.summary["columns"][0]["passed"] == 3
        assert server.seen.calls == before + 3 + 1  # and the one that looks whether it answers
        assert run(CONFIG, resume=True, **here).exit_code == 0
        assert server.seen.calls == before + 4


def test_repeats_fold_into_one_row(run: Evaluate) -> None:
    said = iter(["1", "1", "9", "2", "9", "9", "3", "3", "3"])

    def answer(prompt: Rendered) -> str:
        return next(said)

    done = run(CONFIG, answer, repeat=3, use_cache=False)
    (column,) = done.summary["columns"]
    assert (column["n"], column["passed"], column["answers"]) == (3, 2, 9)
    assert column["wavering"] == 2
    assert column["agreement"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_folding() -> None:
    good, bad, lost = Outcome.PASS, Outcome.FAIL, Outcome.ERROR
    assert fold([good, bad]).outcome is bad
    assert fold([good, good, bad, lost]).outcome is good
    assert fold([lost, Outcome.UNJUDGED]).outcome is lost
    assert fold([Outcome.UNJUDGED]).agreement is None


def test_scores_weights_and_thresholds() -> None:
    checks = (Check("a", weight=3), Check("b"), Check("c", weight=0))
    yes, no, open_ = Finding(True, 1.0), Finding(False, 0.0, "no"), Finding(None, 0.0, "?")
    strict, lenient = Case("x", {}, checks), Case("x", {}, checks, threshold=0.7)
    assert scored(strict, [yes, no, yes]).outcome is Outcome.FAIL
    assert scored(lenient, [yes, no, yes]).outcome is Outcome.PASS
    assert scored(lenient, [no, yes, yes]).outcome is Outcome.FAIL
    assert scored(strict, [yes, open_, yes]).outcome is Outcome.UNJUDGED
    assert scored(strict, [no, open_, yes]).outcome is Outcome.FAIL
    assert scored(lenient, [yes, open_, yes]).outcome is Outcome.PASS
    assert scored(lenient, [open_, no, yes]).outcome is Outcome.UNJUDGED
    assert scored(lenient, [no, open_, yes]).outcome is Outcome.FAIL
    assert scored(strict, [yes, yes, open_]).outcome is Outcome.PASS


def test_answers_come_from_the_cache_and_repeats_from_their_own_entries(run: Evaluate) -> None:
    text = CONFIG.replace('"3"}]', '"3"}]\nrepeat: 2')
    script = {"one": "1", "two": "2", "three": "3"}
    first, second = run(text, script), run(text, script)
    key = [(one["case"], one["repeat"]) for one in lines(second)]
    assert len(set(key)) == 6
    assert first.summary["columns"] == second.summary["columns"]


def lines(done: Evaluated) -> list[dict[str, object]]:
    text = (done.folder / "results.jsonl").read_text().splitlines()
    return [json.loads(one) for one in text]


def test_resuming_asks_only_what_is_missing(run: Evaluate) -> None:
    script = {"one": "1", "two": "2", "three": "3"}
    done = run(CONFIG, script, use_cache=False)
    place = done.folder / "results.jsonl"
    whole = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(whole[0] + whole[1][:20])  # killed inside the second line
    told: list[tuple[int, int]] = []
    warned: list[str] = []
    watcher = Watcher(warn=warned.append, progress=lambda *counts: told.append(counts))
    again = run(CONFIG, script, watcher, use_cache=False, resume=True)
    assert told[0] == (1, 0)
    assert again.summary["columns"][0]["n"] == 3
    assert any("interrupted while it was written" in one for one in warned)
    assert len(place.read_bytes().splitlines()) == 3


def test_nothing_to_resume_is_said(run: Evaluate) -> None:
    with pytest.raises(StoreError, match="no evaluation"):
        run(CONFIG, resume=True)


JUDGED = """
prompts: ["{{ q }}"]
models: [openai/scripted]
judge: openai/judge
cases: [{q: thanks}, {q: go away}, {q: mumble}]
check: [{llm-rubric: is polite}, {similar: thanks, weight: 0}]
"""


def judge_and_model(prompt: Rendered) -> str:
    text = prompt.messages[-1].text
    if "<rubric>" not in text:
        return text
    if "mumble" in text:
        return "I cannot say."
    return json.dumps({"pass": "thanks" in text, "reason": "words"})


def test_judged_answers_and_an_unvalidated_judge(run: Evaluate) -> None:
    done = run(JUDGED, judge_and_model)
    (column,) = done.summary["columns"]
    assert (column["n"], column["passed"], column["unjudged"]) == (2, 1, 1)
    assert done.summary["judges"] == [{"judge": "openai/judge", "n": 0, "accuracy": None}]


def test_a_judge_is_measured_against_labels(run: Evaluate, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("output,pass\nthanks a lot,yes\nno thanks,no\ngo,false\n")
    done = run(JUDGED, judge_and_model, judge_labels=labels)
    (found,) = done.summary["judges"]
    assert (found["n"], found["agreed"], found["false_passes"]) == (3, 2, 1)


def test_labels_without_a_judge_are_a_mistake(run: Evaluate, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("output,pass\nthanks,yes\n")
    with pytest.raises(UsageError, match="no assertion here has one"):
        run(CONFIG, judge_labels=labels)


def test_answers_that_wait_for_a_judge_are_kept_when_it_dies(run: Evaluate) -> None:
    def dies(prompt: Rendered) -> str:
        if "<rubric>" in prompt.messages[-1].text:
            raise KeyboardInterrupt
        return prompt.messages[-1].text

    with pytest.raises(KeyboardInterrupt):
        run(JUDGED, dies, use_cache=False)


TWO = """
prompts: [{label: a, raw: "{{ q }}"}, {label: b, raw: "{{ q }}!"}]
models: [echo]
cases: [{q: x}, {q: y}, {q: z}, {q: "w!"}, {q: v}, {q: u}, {q: t}]
check: [{contains: "!"}]
"""


def test_columns_are_compared_case_by_case(run: Evaluate) -> None:
    found = run(TWO, compare=("a", "2")).summary["compare"]
    assert (found["n"], found["only_a"], found["only_b"]) == (7, 0, 6)
    assert found["difference"] == pytest.approx(6 / 7)
    assert found["p"] == pytest.approx(2 * 0.5**6)


@pytest.mark.parametrize("name", ["c", "echo", "9"])
def test_a_column_that_is_none_or_several_is_a_mistake(run: Evaluate, name: str) -> None:
    with pytest.raises(UsageError, match=r"names (no|several) column"):
        run(TWO, compare=("1", name))


def test_preferences_are_asked_in_both_orders(run: Evaluate) -> None:
    def judge(prompt: Rendered) -> str:
        first = prompt.messages[-1].text.split("<first>\n")[1].split("\n</first>")[0]
        return json.dumps({"better": "first" if first.endswith("!") else "second"})

    found = run(f"{TWO}prefer: more lively\njudge: openai/judge\n", judge, compare=("1", "2"))
    preferred = found.summary["compare"]["preferred"]
    # "w!" and "w!!" both end so: there the first place wins, whichever it is.
    assert (preferred["b"], preferred["ties"], preferred["turned"]) == (6, 1, 1)


def test_weight_0_only_looks(run: Evaluate) -> None:
    text = "models: [echo]\ncases: [{input: x}]\ncheck: [{equals: y, weight: 0, metric: seen}]\n"
    (column,) = run(text).summary["columns"]
    assert (column["passed"], column["metrics"]["seen"]["passed"]) == (1, 0)


def test_cases_without_an_assertion_are_counted(run: Evaluate) -> None:
    done = run("models: [echo]\ncases: [{input: x}]\n")
    assert done.summary["unchecked"] == 1
    assert done.exit_code == 0

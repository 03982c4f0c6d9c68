"""`llm-rubric`: a judging model says whether the answer meets a rubric.

How much its verdicts are worth is measured against human labels (`measure.judges.validation`);
without any the report calls the judge unvalidated.
"""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, Tools
from accordeur.measure.assertions.plain import as_text
from accordeur.measure.judges.rubric import grade_all


def check_many(asked: Sequence[tuple[Said, Asked]], tools: Tools) -> list[Finding]:
    """A reply that holds no verdict, or an error of the judge, leaves the answer unjudged."""
    found: dict[int, Finding] = {}
    for judge in dict.fromkeys(one.judge for _, one in asked):
        places = [place for place, (_, one) in enumerate(asked) if one.judge == judge]
        pairs = [(as_text(asked[place][1].value), asked[place][0].text) for place in places]
        grades = grade_all(judge, pairs, tools)
        for place, grade in zip(places, grades, strict=True):
            least = asked[place][1].threshold
            passed = grade.passed
            reason = grade.reason
            if passed and least is not None and grade.score < least:
                passed = False
                reason = f"score {grade.score:g}, {least:g} wanted: {reason}"
            found[place] = Finding(passed, grade.score, reason)
    return [found[place] for place in range(len(asked))]


LLM_RUBRIC = Kind(
    "a judge says that it meets the rubric",
    "text",
    "optional",
    check_many=check_many,
    needs="judge",
)

"""User code as an assertion."""

from __future__ import annotations

from pathlib import Path

import pytest

from accordeur.core.errors import PlanError
from accordeur.measure.assertions.assertion import Asked, Finding, Said
from accordeur.measure.assertions.python import PYTHON, check

SAID = Said("four words are here", fields={"most": 5})


def found(code: str, threshold: float | None = None) -> Finding:
    return check(SAID, Asked("python", code, threshold))


def test_an_expression_and_lines_that_return() -> None:
    assert found("len(output.split()) < context['vars']['most']").passed is True
    assert found("words = output.split()\nreturn len(words) > 9").passed is False
    assert found("  import json\n  return json.loads('0.3')").score == 0.3


def test_numbers_pass_above_zero_or_from_the_threshold() -> None:
    assert found("0.4").passed is True
    assert found("0").passed is False
    assert found("0.4", 0.5).passed is False


def test_a_mapping_says_everything() -> None:
    result = found("return {'pass': True, 'score': 0.25, 'reason': 'short'}", 0.2)
    assert result == Finding(True, 0.25, "short")
    assert found("return {'pass': True, 'score': 0.1}", 0.2).passed is False


@pytest.mark.parametrize(
    "code", ["1 / 0", "'yes'", "None", "float('nan')", "{'pass': 1, 'score': 'x'}"]
)
def test_code_that_breaks_or_says_nothing_leaves_it_unjudged(code: str) -> None:
    assert found(code).passed is None


def test_what_is_no_python_is_refused_before_anything_is_asked() -> None:
    assert PYTHON.valid is not None
    with pytest.raises(PlanError, match="line 2"):
        PYTHON.valid("x = 1\nreturn ==")


def test_a_file_with_a_function(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text(
        "def get_assert(output, context):\n    return 'four' in output\n"
        "def long(output, context):\n    return len(output) > 99\n"
    )
    assert found(f"file://{tmp_path}/checks.py").passed is True
    assert found(f"file://{tmp_path}/checks.py:long").passed is False
    with pytest.raises(PlanError, match="no function `missing`"):
        found(f"file://{tmp_path}/checks.py:missing")

"""`python`: the user's own code says whether an answer is right.

    value: len(output) < 200                      one expression
    value: |                                      several lines that return
      words = output.split()
      return {"pass": len(words) < 50, "score": 1 / len(words), "reason": "too long"}
    value: file://checks.py                       its function get_assert(output, context)
    value: file://checks.py:polite                another one

`context` holds `vars` and `prompt`. What comes back is true or false, a number (it passes when it
is above 0, or at least `threshold`), or a mapping with `pass`, `score` and `reason`. Code that
raises leaves the answer unjudged: a broken check says nothing about an answer.

It runs in this process, with everything that the user may do; therefore `--allow-code`. Values are
never templates here: what stands in a case does not become code.
"""

from __future__ import annotations

import ast
import math
import textwrap
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from accordeur.core.errors import AccordeurError, PlanError
from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, unjudged
from accordeur.measure.code_files import module_from_file

FILE = "file://"

Code = Callable[[str, Mapping[str, Any]], Any]


def check(said: Said, asked: Asked) -> Finding:
    """What the code says."""
    try:
        result = _function(str(asked.value))(
            said.text, {"vars": dict(said.fields), "prompt": said.prompt}
        )
    except AccordeurError:
        raise
    except Exception as error:  # the user's program; whatever it raises is theirs
        return unjudged(f"the code failed: {type(error).__name__}: {error}")
    return _read(result, asked.threshold)


def _read(result: Any, threshold: float | None) -> Finding:
    if isinstance(result, bool):
        return decided(result, "the code returned false")
    if isinstance(result, int | float) and math.isfinite(result):
        passed = result > 0 if threshold is None else result >= threshold
        return Finding(passed, float(result), "" if passed else f"the code returned {result:g}")
    if isinstance(result, Mapping) and "pass" in result:
        passed = bool(result["pass"])
        score = _number(result.get("score", passed))
        if score is None:
            return unjudged("the code returned a score that is no number")
        reason = str(result.get("reason") or "")
        if threshold is not None and score < threshold:
            passed = False
        return Finding(passed, score, reason)
    return unjudged(
        f"the code returned {type(result).__name__}, not true, false, a number or a mapping "
        "with `pass`"
    )


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


@lru_cache(maxsize=256)
def _function(value: str) -> Code:
    if value.startswith(FILE):
        path, _, name = value.removeprefix(FILE).partition(".py")
        place = Path(f"{path}.py")
        named = name.removeprefix(":") or "get_assert"
        module = module_from_file(
            place.name, f"the assertion `{value}`", place.parent, home="the config's folder"
        )
        function = getattr(module, named, None)
        if not callable(function):
            raise PlanError(
                f"There is no function `{named}` in `{place.name}`.",
                hint=f"define it there: def {named}(output, context): ...",
            )
        code: Code = function
        return code
    return _compiled(value)


def _compiled(source: str) -> Code:
    """Inline code as a function; a single expression needs no `return`.

    Raises:
        PlanError: it is not Python.
    """
    text = textwrap.dedent(source).strip()
    try:
        ast.parse(text, mode="eval")
        body = f"    return (\n{textwrap.indent(text, '        ')}\n    )"
    except SyntaxError:
        body = textwrap.indent(text, "    ")
    whole = f"import json, math, re\ndef check(output, context):\n{body}\n"
    names: dict[str, Any] = {}
    try:
        exec(compile(whole, "<assertion>", "exec"), names)
    except SyntaxError as error:
        line = (error.lineno or 3) - 2
        raise PlanError(
            f"A `python` assertion cannot be read: line {line}: {error.msg}.",
            hint="write one expression, or lines that end in `return`",
        ) from None
    made: Code = names["check"]
    return made


def _valid(value: Any) -> None:
    _function(str(value))


PYTHON = Kind("your own code says so", "text", "optional", check=check, needs="code", valid=_valid)

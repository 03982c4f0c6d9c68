"""Assertions as they are written: a mapping with `type`, a short `kind: value`, or a CSV cell."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accordeur.bench.matrix.files import is_reference, path_of, read_text, read_yaml
from accordeur.bench.matrix.keys import check_keys, number
from accordeur.bench.matrix.matrix import Check, Reading
from accordeur.bench.matrix.providers import read_judge
from accordeur.core.errors import CodeNotAllowed, TaskError
from accordeur.measure.assertions import ASSERTIONS, INSTEAD, load_kind, split_kind
from accordeur.measure.assertions.assertion import Kind

_KEYS = ("type", "value", "threshold", "weight", "metric", "provider", "judge")
_CELL = re.compile(
    r"(?P<name>(?:not-)?[a-z:-]+?)(?:\((?P<threshold>[\d.]+)\))?(?::(?P<value>.*))?", re.S
)
_WORDS = {"grade": "llm-rubric", "fn": "javascript", "eval": "javascript"}

CELL_THRESHOLDS = {"similar": 0.8}
"""Thresholds of CSV cells without one, where they are not the kind's own; as in promptfoo."""


def read_check(raw: Any, reading: Reading, where: str) -> Check:
    """One assertion.

    Args:
        raw: as written.
        reading: folder, permission to run code, judge.
        where: for messages.

    Raises:
        PlanError: no such kind; the nearest alternative is named.
        TaskError: a value, threshold or key is not what the kind takes.
        CodeNotAllowed: it is code, and that was not allowed.
    """
    if isinstance(raw, str):
        return cell_check(raw, reading, where)
    if not isinstance(raw, Mapping):
        raise TaskError(
            f"An assertion ({where}) is neither a mapping nor a text.",
            hint="- {type: contains, value: yes}, or - contains: yes",
        )
    data = dict(raw)
    if "type" not in data:
        kinds = [key for key in data if key not in _KEYS]
        if len(kinds) != 1:
            raise TaskError(
                f"An assertion ({where}) has no `type`.", hint="- {type: contains, value: yes}"
            )
        data["type"], data["value"] = kinds[0], data.pop(kinds[0])
        if isinstance(data["value"], int | float) and _threshold_alone(str(data["type"])):
            data.setdefault("threshold", data.pop("value"))
    return _check(data, reading, where)


def cell_check(cell: str, reading: Reading, where: str, *, csv: bool = False) -> Check:
    """An assertion in a cell: `contains: yes`, `similar(0.8): text`, else the whole answer.

    Args:
        csv: it stands in a CSV file, where some thresholds have defaults of their own.
    """
    content = cell.strip()
    if content.startswith("file://") and ".py" in content:
        return _check({"type": "python", "value": content}, reading, where)
    found = _CELL.fullmatch(content)
    name = found["name"] if found else ""
    kind, turned = split_kind(_WORDS.get(name, name))
    if found is None or (kind not in ASSERTIONS.table and kind not in INSTEAD):
        return _check({"type": "equals", "value": content}, reading, where)
    value = found["value"]
    data: dict[str, Any] = {"type": f"not-{kind}" if turned else kind}
    if value is not None and value.strip():
        data["value"] = value.strip()
    if kind == "python" and "value" in data and data["value"].endswith(".py"):
        data["value"] = f"file://{data['value']}"
    threshold = found["threshold"]
    if threshold is not None:
        data["threshold"] = number(threshold, where)
    elif csv and kind in CELL_THRESHOLDS:
        data["threshold"] = CELL_THRESHOLDS[kind]
    elif _threshold_alone(kind) and "value" in data:
        data["threshold"] = number(data.pop("value"), where)
    return _check(data, reading, where)


def _threshold_alone(name: str) -> bool:
    kind, _ = split_kind(name)
    known = load_kind(kind) if kind in ASSERTIONS.table else None
    return known is not None and known.value == "none"


def _check(data: Mapping[str, Any], reading: Reading, where: str) -> Check:
    name, inverse = split_kind(str(data["type"]))
    kind = load_kind(name)
    place = f"`{data['type']}` ({where})"
    check_keys(data, place, _KEYS)
    if kind.needs == "code" and not reading.allow_code:
        raise CodeNotAllowed(
            f"{place} is code that the config names.",
            hint="read that code; if you trust it, add --allow-code",
        )
    threshold = data.get("threshold")
    if threshold is not None:
        if kind.threshold == "none":
            reading.note(f"{place} takes no threshold; it is ignored, as promptfoo does.")
            threshold = None
        else:
            threshold = number(threshold, f"threshold of {data['type']}")
    elif kind.threshold == "required":
        raise TaskError(f"{place} needs a threshold.", hint=f"{{type: {name}, threshold: 1000}}")
    return Check(
        name,
        inverse,
        _value(data.get("value"), kind, reading, place),
        threshold,
        number(data.get("weight", 1), f"weight of {data['type']}", least=0),
        str(data.get("metric") or ""),
        _judge(data, kind, reading, place),
    )


def _value(value: Any, kind: Kind, reading: Reading, place: str) -> Any:
    if kind.needs == "code":
        value = _code(value, reading.folder, place)
    elif is_reference(value):
        value = _from_file(path_of(value, reading.folder))
    elif isinstance(value, list):
        value = [
            read_text(path_of(one, reading.folder)).strip() if is_reference(one) else one
            for one in value
        ]
    if kind.value == "none":
        return None
    missing = value is None or value in ("", [])
    if missing and kind.value in ("text", "texts"):
        raise TaskError(f"{place} needs a value.", hint="value: the text to compare with")
    if kind.value == "text" and isinstance(value, list | dict):
        raise TaskError(f"{place} takes one text.", hint="value: the text to compare with")
    _plain(value, place)
    if kind.valid is not None and not _is_template(value):
        kind.valid(value)
    return value


def _plain(value: Any, place: str) -> None:
    """Refuse what JSON has no word for, such as dates of YAML and `.nan`."""
    if isinstance(value, dict):
        for item in value.values():
            _plain(item, place)
    elif isinstance(value, list):
        for item in value:
            _plain(item, place)
    elif isinstance(value, float) and not math.isfinite(value):
        raise TaskError(f"{place} holds `{value}`, which is no number.")
    elif not isinstance(value, str | int | float | bool | None):
        raise TaskError(
            f"{place} holds `{value}`, which YAML reads as {type(value).__name__}.",
            hint="put it into quotes",
        )


def _is_template(value: Any) -> bool:
    if isinstance(value, list):
        return any(_is_template(one) for one in value)
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _from_file(path: Path) -> Any:
    if path.suffix.lower() in (".json", ".yaml", ".yml"):
        return read_yaml(path)
    if path.suffix.lower() in (".js", ".ts", ".mjs", ".cjs", ".rb", ".py"):
        raise TaskError(
            f"`{path.name}` is a program; only `python` assertions run one.",
            hint="{type: python, value: file://checks.py} with --allow-code",
        )
    return read_text(path).strip()


def _code(value: Any, folder: Path, place: str) -> str:
    """Inline code as it is; a file by its absolute path, which must lie in the config's folder."""
    if not isinstance(value, str) or not value.strip():
        raise TaskError(f"{place} needs code.", hint="value: len(output) < 100")
    if not is_reference(value):
        return value
    name, ending, function = value.removeprefix("file://").partition(".py")
    path = (folder / f"{name}{ending}").resolve()
    if not ending or not path.is_relative_to(folder.resolve()):
        raise TaskError(
            f"{place} names `{value}`, which is no Python file in the config's folder.",
            hint=f"put it into {folder.resolve()}",
        )
    return f"file://{path}{function}"


def _judge(data: Mapping[str, Any], kind: Kind, reading: Reading, place: str) -> str:
    named = data.get("judge", data.get("provider"))
    if kind.needs != "judge":
        if named is not None:
            reading.note(f"{place} is not judged by a model; `provider` is ignored.")
        return ""
    if named is None:
        named = reading.judge
    if not named:
        raise TaskError(
            f"{place} needs a model that judges.",
            hint="judge: openai/NAME in the config (promptfoo: defaultTest.options.provider)",
        )
    return read_judge(named, reading)

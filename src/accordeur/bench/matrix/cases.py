"""Cases: a list in the config, or a file read row by row each time the cases are gone through.

A row of a file holds either a whole test (`vars`, `assert`) or plain fields. The columns of CSV
that begin with `__` are promptfoo's: `__expected`, `__expected1` ..., `__metric`, `__threshold`,
`__description`, `__prefix`, `__suffix`, `__metadata:NAME`, `__config:__expectedN:threshold`.

Values are data: a `{{ ... }}` in a case is shown as it stands, never filled.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accordeur.bench.matrix.checks import cell_check, read_check
from accordeur.bench.matrix.files import is_reference, path_of, read_text, read_yaml
from accordeur.bench.matrix.keys import as_list, check_keys, mapping, number
from accordeur.bench.matrix.matrix import Case, Check, Reading
from accordeur.bench.matrix.providers import read_judge
from accordeur.core.errors import TaskError
from accordeur.core.fingerprint import digest
from accordeur.tasks.formats.csv import sniff_delimiter
from accordeur.tasks.formats.delimited import records
from accordeur.tasks.formats.jsonl import objects

TEST_KEYS = ("vars", "assert", "threshold", "description", "metadata", "options", "id", "check")
_OPTIONS = ("provider", "prefix", "suffix", "disableVarExpansion")
_HARMLESS = ("runSerially", "disableConversationVar")
_EXPECTED = re.compile(r"__expected(\d*)")
_FILES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".yaml", ".yml")

MOST_VARIANTS = 10_000
"""Cases that lists of values may make of one test."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What every case has unless it says otherwise (`defaultTest`, `check`)."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    threshold: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    before: str = ""
    after: str = ""


class Cases:
    """The cases of a config, read anew each time.

    Args:
        sources: tests as written, or paths of files with them.
        defaults: of every case.
        reading: folder, permission to run code, judge.
        expand: a list of values in `vars` means one case for each value, as in promptfoo.

    Raises:
        TaskError: while it is gone through: a file or a row cannot be read.
    """

    def __init__(
        self,
        sources: Sequence[Mapping[str, Any] | Path],
        defaults: Defaults,
        reading: Reading,
        *,
        expand: bool,
    ) -> None:
        self._sources = tuple(sources)
        self._defaults = defaults
        self._reading = reading
        self._expand = expand

    def __iter__(self) -> Iterator[Case]:
        for number_, source in enumerate(self._sources, 1):
            if isinstance(source, Path):
                written = source.suffix.lower() in (".yaml", ".yml")
                for where, test in rows(source):
                    yield from self._cases(test, where, files=written)
            else:
                yield from self._cases(source, f"test {number_}", files=True)

    def _cases(self, test: Mapping[str, Any], where: str, *, files: bool) -> Iterator[Case]:
        if "vars" not in test and "assert" not in test:
            test = _flat(test, where, self._reading)
        check_keys(test, where, (*TEST_KEYS, "cells"), ())
        case = self._case(test, where, files=files)
        options = test.get("options") or {}
        if not self._expand or options.get("disableVarExpansion"):
            yield case
            return
        yield from _variants(case)

    def _case(self, test: Mapping[str, Any], where: str, *, files: bool) -> Case:
        own, defaults, reading = Defaults(), self._defaults, self._reading
        options = test.get("options")
        if options:
            own = read_options(mapping(options, f"options of {where}"), where)
            if options.get("provider"):
                reading = replace(reading, judge=read_judge(options["provider"], reading))
        checks = [read_check(one, reading, where) for one in as_list(test.get("assert"))]
        checks += [read_check(one, reading, where) for one in as_list(test.get("check"))]
        checks += test.get("cells") or ()
        own_fields = read_vars(test.get("vars"), self._reading, where, files=files)
        fields = {**defaults.fields, **own_fields}
        threshold = test.get("threshold")
        case = Case(
            "",
            fields,
            (*defaults.checks, *checks),
            defaults.threshold
            if threshold is None
            else number(threshold, f"threshold of {where}", least=0),
            str(test.get("description") or ""),
            {**defaults.metadata, **mapping(test.get("metadata") or {}, f"metadata of {where}")},
            own.before or defaults.before,
            own.after or defaults.after,
            where,
        )
        name = test.get("id")
        return replace(case, id=_named(case) if name is None else str(name))


def _named(case: Case) -> str:
    try:
        return digest(case.to_json())[:12]
    except (TypeError, ValueError) as error:
        raise TaskError(
            f"{case.place} holds a value that JSON has no word for: {error}.",
            hint="put dates and the like into quotes",
        ) from None


def _flat(row: Mapping[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    """A row of plain fields as a test; `id`, `check` and columns with `__` are taken out."""
    test: dict[str, Any] = {"vars": {}, "metadata": {}}
    cells: dict[int, str] = {}
    thresholds: dict[int, float] = {}
    around: dict[str, str] = {}
    for raw, value in row.items():
        name = raw.strip()
        if name in ("id", "check", "options") and value not in (None, ""):
            test[name] = value
            if name == "id":
                test["vars"][name] = value
        elif not name.startswith("__"):
            test["vars"][name] = value
        elif found := _EXPECTED.fullmatch(name):
            if value not in (None, "") and str(value).strip():
                cells[int(found[1] or 0)] = str(value)
        elif name.startswith("__config:"):
            place, level = _config_cell(name, value, where)
            thresholds[place] = level
        elif name.startswith("__metadata:"):
            if str(value or "").strip():
                test["metadata"].update([_metadata_cell(name, str(value))])
        elif name in ("__prefix", "__suffix"):
            around[name[2:]] = str(value or "")
        elif name == "__threshold":
            if str(value or "").strip():
                test["threshold"] = value
        elif name == "__description":
            test["description"] = value
        elif name != "__metric":
            check_keys({name: value}, where, ("__expected", "__metric", "__threshold"))
    if around:
        test["options"] = around
    metric = str(row.get("__metric") or "").strip()
    test["cells"] = [
        replace(
            one,
            metric=metric or one.metric,
            threshold=thresholds.get(max(place, 1), one.threshold),
        )
        for place, one in (
            (place, cell_check(cells[place], reading, where, csv=True)) for place in sorted(cells)
        )
    ]
    return test


def _config_cell(name: str, value: Any, where: str) -> tuple[int, float]:
    parts = name.split(":")
    found = _EXPECTED.fullmatch(parts[1]) if len(parts) == 3 else None
    if found is None or parts[2] != "threshold":
        raise TaskError(f"The column `{name}` is not read.", hint="__config:__expected1:threshold")
    return max(int(found[1] or 1), 1), number(value, f"{name} of {where}")


def _metadata_cell(name: str, value: str) -> tuple[str, Any]:
    key = name.removeprefix("__metadata:")
    if not key.endswith("[]"):
        return key, value
    parts = re.split(r"(?<!\\),", value)
    return key[:-2], [part.strip().replace("\\,", ",") for part in parts]


def read_options(options: Mapping[str, Any], where: str) -> Defaults:
    """`options` of a test: what stands around its prompts.

    Raises:
        TaskError: a key is not read here.
    """
    check_keys(options, f"options of {where}", _OPTIONS, _HARMLESS)
    return Defaults(before=str(options.get("prefix") or ""), after=str(options.get("suffix") or ""))


def read_vars(value: Any, reading: Reading, where: str, *, files: bool = True) -> dict[str, Any]:
    """Variables of a case.

    Args:
        files: `file://` values are read, as where people wrote them; in rows of data they are
            texts, because data names no file that would be sent to a model.

    Raises:
        TaskError: it is no mapping, or a file cannot be read.
    """
    if value is None:
        return {}
    if is_reference(value):
        value = read_yaml(path_of(value, reading.folder))
    fields = {}
    for name, item in mapping(value, f"vars of {where}").items():
        if files and is_reference(item):
            path = path_of(item, reading.folder)
            if path.suffix.lower() in (".js", ".py", ".ts", ".mjs", ".cjs"):
                raise TaskError(f"The variable `{name}` is a program, which is not run.")
            structured = path.suffix.lower() in (".json", ".yaml", ".yml")
            item = read_yaml(path) if structured else read_text(path).strip()
        if isinstance(item, str) and "{{" in item:
            reading.note(
                f"The variable `{name}` holds `{{{{`; variables are data and shown as they stand."
            )
        fields[name] = _sound(item, name, where)
    return fields


def _sound(value: Any, name: str, where: str) -> Any:
    """Numbers that JSON knows, all the way down."""
    if isinstance(value, float) and not math.isfinite(value):
        raise TaskError(f"The variable `{name}` ({where}) is `{value}`, which is no number.")
    if isinstance(value, list):
        return [_sound(one, name, where) for one in value]
    if isinstance(value, dict):
        return {str(key): _sound(one, name, where) for key, one in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)  # dates and times of YAML


def _variants(case: Case) -> Iterator[Case]:
    """One case for each combination of the values that are lists."""
    many = [name for name, value in case.fields.items() if isinstance(value, list)]
    if not many:
        yield case
        return
    count = math.prod(len(case.fields[name]) for name in many)
    if count > MOST_VARIANTS:
        raise TaskError(f"The lists of {case.place} make {count:,} cases; write them into a file.")
    for values in itertools.product(*(case.fields[name] for name in many)):
        chosen = replace(case, fields={**case.fields, **dict(zip(many, values, strict=True))})
        yield replace(chosen, id=_named(chosen))


def rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Place and content of each row of a file of cases; CSV and JSON Lines row by row.

    Raises:
        TaskError: the ending is not known, or the file cannot be read.
    """
    ending = path.suffix.lower()
    if ending in (".jsonl", ".ndjson"):
        yield from objects(path)
    elif ending in (".csv", ".tsv"):
        yield from _table(path, "\t" if ending == ".tsv" else sniff_delimiter(path))
    elif ending in (".json", ".yaml", ".yml"):
        for place, one in enumerate(as_list(read_yaml(path)), 1):
            where = f"{path}: test {place}"
            yield where, mapping(one, where)
    else:
        raise TaskError(f"`{path}` holds no cases that can be read.", hint=f"{', '.join(_FILES)}")


def _table(path: Path, delimiter: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows under the names of the first line, which is always a header here."""
    lines = records(path, delimiter, quoted=True)
    _, header = next(lines, ("", []))
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise TaskError(f"`{path}` has two columns named `{twice[0]}`.", hint="rename one")
    for where, cells in lines:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            raise TaskError(
                f"`{where}` has {len(cells)} cells, but the file has {len(names)} columns.",
                hint='put text that holds the separator in double quotes: "one, two"',
            )
        padded = [*cells, *[""] * (len(names) - len(cells))]
        yield where, {name: cell for name, cell in zip(names, padded, strict=False) if name}


def sources_of(value: Any, reading: Reading) -> list[Mapping[str, Any] | Path]:
    """Tests of a config and the files it names, in order.

    Raises:
        TaskError: something is neither a test nor a file.
    """
    found: list[Mapping[str, Any] | Path] = []
    for one in as_list(value):
        if isinstance(one, str):
            found.extend(_files(one, reading))
        elif isinstance(one, Mapping) and set(one) <= {"path", "config"} and "path" in one:
            found.extend(_files(str(one["path"]), reading))
        else:
            found.append(mapping(one, "a test"))
    return found


def _files(reference: str, reading: Reading) -> list[Path]:
    if "://" in reference and not is_reference(reference):
        raise TaskError(
            f"`{reference}` is not on this machine; cases are read from files.",
            hint="download it and name the file",
        )
    path = path_of(reference, reading.folder)
    if path.suffix.lower() not in _FILES:
        raise TaskError(
            f"`{reference}` names no file of cases that can be read.", hint=", ".join(_FILES)
        )
    if any(sign in path.name for sign in "*?["):
        found = sorted(path.parent.glob(path.name))
        if not found:
            raise TaskError(f"No file is called `{reference}`.", hint=f"ls {path.parent}")
        return found
    return [path]

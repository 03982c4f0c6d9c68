"""`task.yaml`: what stands in it, checked key by key (DESIGN section 8).

Knows names and shapes only; opens no data file.
"""

from __future__ import annotations

import difflib
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from accordeur.core.errors import TaskError
from accordeur.core.task import Label, Limits, Prices
from accordeur.tasks.folding import fold
from accordeur.tasks.formats.lines import decode, open_data

Leakage = Literal["exact", "near"]


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"must be a number, not {str(value).lower()}")
    return value


Positive = Annotated[float, BeforeValidator(_number), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProportionsConfig(_Section):
    """Shares of one file that become each split; they add up to 1."""

    train: Share = 0.5
    dev: Share = 0.2
    test: Share = 0.3

    @model_validator(mode="after")
    def _whole(self) -> ProportionsConfig:
        if self.train == 0 or self.dev == 0:
            raise ValueError("`train` and `dev` must each be above 0")
        total = self.train + self.dev + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"train, dev and test must add up to 1, not {total:g}")
        return self


class DataConfig(_Section):
    """Where the rows are: a path per split, or one `file` and `proportions`."""

    train: str | None = None
    dev: str | None = None
    test: str | None = None
    unlabelled: str | None = None
    file: str | None = None
    proportions: ProportionsConfig | None = None

    @model_validator(mode="after")
    def _one_way(self) -> DataConfig:
        splits = [name for name in ("train", "dev", "test") if getattr(self, name) is not None]
        if self.file is not None and splits:
            raise ValueError(f"names both `file` and `{splits[0]}`: splits are given or drawn")
        if self.file is None and self.train is None:
            raise ValueError("names neither `train` nor `file`, so there is nothing to learn from")
        if self.proportions is not None and self.file is None:
            raise ValueError("`proportions` goes with `file`; here the splits are given")
        return self


def _input_columns(value: Any) -> Any:
    """One column, or columns by the name their field gets."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return {item: item for item in value}
    if isinstance(value, dict) and value:
        pairs = [*value.keys(), *value.values()]
        if all(isinstance(item, str) for item in pairs):
            return value
    raise ValueError("must be a column, a list of columns, or field name: column")


class FieldsConfig(_Section):
    """Which column of the data plays which part of a row; `null` takes none."""

    input: Annotated[Any, BeforeValidator(_input_columns)] = None
    expected: str | None = None
    id: str | None = None
    group: str | None = None
    context: str | None = None
    steps: str | None = None
    rejected: str | None = None
    documents: str | None = None
    spans: str | None = None


class LimitsConfig(_Section):
    """What the user will accept; see `accordeur.core.task.Limits`."""

    queries: Annotated[int, BeforeValidator(_number), Field(gt=0)] = 10_000
    tolerance: Share = 0.01
    cost_per_query: NotNegative | None = None
    latency_p95: Positive | None = None
    fit_seconds: Positive | None = None
    training: bool = True
    offline: bool = False
    language_model: bool = False


class PricesConfig(_Section):
    """Prices; see `accordeur.core.task.Prices`."""

    hour: NotNegative = 0.10
    label: NotNegative = 0.0
    input_token: NotNegative | None = None
    output_token: NotNegative | None = None
    currency: Annotated[str, Field(min_length=1, max_length=8)] = "USD"


class TaskConfig(_Section):
    """All of `task.yaml`."""

    name: str = ""
    description: str = ""
    instruction: str = ""
    template: str = ""
    data: DataConfig
    fields: FieldsConfig = FieldsConfig()
    labels: tuple[Label, ...] | None = None
    metric: str | None = None
    documents: str | None = None
    tools: Any = None
    limits: LimitsConfig = LimitsConfig()
    prices: PricesConfig = PricesConfig()
    allow_leakage: tuple[Leakage, ...] = ()

    @field_validator("data", mode="before")
    @classmethod
    def _one_file(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    @field_validator("allow_leakage", mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _usable_name(cls, value: str) -> str:
        if value and not re.fullmatch(r"\w[\w .-]{0,63}", value):
            raise ValueError("is used in file names: letters, digits, `-`, `_`, at most 64")
        return value

    @field_validator("labels", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        return None if value is None else parse_labels(value)

    def core_limits(self) -> Limits:
        """The limits as the core knows them."""
        return Limits(**self.limits.model_dump())

    def core_prices(self) -> Prices:
        """The prices as the core knows them."""
        return Prices(**self.prices.model_dump())


def parse_labels(value: Any) -> tuple[Label, ...]:
    """Labels from a list of names, or from name: display text.

    Raises:
        ValueError: another shape, fewer than two, or two that read the same.
    """
    if isinstance(value, dict):
        pairs = [(name, name if text is None else text) for name, text in value.items()]
    elif isinstance(value, list):
        pairs = [(name, name) for name in value]
    else:
        raise ValueError("must be a list of names, or name: text shown to the model")
    labels = tuple(Label(_label_text(name), _label_text(text)) for name, text in pairs)
    if len(labels) < 2:
        raise ValueError(f"a choice needs at least two labels, there is {len(labels) or 'none'}")
    names = [label.name for label in labels]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`{twice}` stands twice")
    shown: dict[str, str] = {}
    for label in labels:
        other = shown.setdefault(fold(label.text), label.name)
        if other != label.name:
            raise ValueError(f"`{other}` and `{label.name}` are shown by the same text")
    return labels


def _label_text(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError("YAML reads yes, no, on, off, true, false as switches: put it in quotes")
    if isinstance(value, dict | list) or value is None or not str(value).strip():
        raise ValueError("each label is a short text")
    return str(value).strip()


def read_config(path: Path) -> TaskConfig:
    """The checked contents of a `task.yaml`.

    Raises:
        TaskError: the file is missing, not UTF-8, not YAML, not a mapping, or a key is unknown or
            has a value that cannot be; the message names file and key.
    """
    if not path.exists():
        raise TaskError(
            f"There is no file `{path}`.",
            hint=f"make one from your data: accordeur init {path.parent} --data FILE",
        )
    with open_data(path) as file:
        text = decode(file.read(), path).removeprefix("\ufeff")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        reason = getattr(error, "problem", None) or "it cannot be parsed"
        raise TaskError(
            f"`{place}` is not valid YAML: {reason}.",
            hint="put text that holds `: ` or `#` in quotes, and indent with spaces",
        ) from error
    except (ValueError, RecursionError) as error:
        raise TaskError(f"`{path}` cannot be read as YAML: {error}.") from error
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "empty" if value is None else "a text"
        raise TaskError(
            f"`{path}` is {kind}; a task is written as `key: value` lines.",
            hint="start with these:\n  name: my-task\n  data: rows.csv",
        )
    return check_config(value, path)


def check_config(value: dict[Any, Any], path: Path) -> TaskConfig:
    """The configuration in plain data that came from a file.

    Raises:
        TaskError: a key is unknown or has a value that cannot be.
    """
    strange = [key for key in value if not isinstance(key, str)]
    if strange:
        raise TaskError(f"`{path}`: the key `{strange[0]}` is not a text.")
    try:
        return TaskConfig.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = _problem(problems[0], path)
        if len(problems) > 1:
            first.message += f" ({len(problems) - 1} more such in this file)"
        raise first from None


def _problem(error: ErrorDetails, path: Path) -> TaskError:
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(error["loc"], path)
        case "missing":
            return TaskError(f"`{path}`: the key `{key}` is missing.", hint="data: rows.csv")
        case "value_error":
            reason = str(error["ctx"]["error"])
        case "model_type":
            reason = "must hold `key: value` lines"
        case _:
            reason = error["msg"].replace("Input should be", "must be")
            if isinstance(error["input"], str | int | float):
                reason += f", not `{error['input']}`"
    return TaskError(f"`{path}`: `{key}`: {reason}.", hint=f"change `{key}` in {path}")


def _unknown_key(place: tuple[int | str, ...], path: Path) -> TaskError:
    known: list[str] = list(TaskConfig.model_fields)
    section: type[BaseModel] = TaskConfig
    for part in place[:-1]:
        inner = _SECTIONS.get(str(part))
        if inner is not None:
            section = inner
            known = list(section.model_fields)
    name = str(place[-1])
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(f'`{item}`' for item in near)}? " if near else ""
    where = f" in `{place[-2]}`" if len(place) > 1 else ""
    return TaskError(
        f"`{path}`: there is no key `{name}`{where}.", hint=f"{offer}known: {', '.join(known)}"
    )


_SECTIONS: dict[str, type[BaseModel]] = {
    "data": DataConfig,
    "proportions": ProportionsConfig,
    "fields": FieldsConfig,
    "limits": LimitsConfig,
    "prices": PricesConfig,
}

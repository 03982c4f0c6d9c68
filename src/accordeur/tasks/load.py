"""A task from a folder, a `task.yaml` or a bare data file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from accordeur.core.errors import TaskError, UsageError
from accordeur.core.task import Example, Label, SealedSplit, Task, TaskKind
from accordeur.tasks.answers import (
    check_dev_labels,
    check_held_out_labels,
    check_train_labels,
    default_metric,
    infer_kind,
    infer_labels,
    recurring_answers,
    require_single_answers,
)
from accordeur.tasks.collected import digest_of_files
from accordeur.tasks.columns import Columns, require_columns, resolve_columns
from accordeur.tasks.config import DataConfig, TaskConfig, check_config, read_config
from accordeur.tasks.formats import FORMATS, RawTable, read_table
from accordeur.tasks.formats.lines import missing_file
from accordeur.tasks.rows import Ids, example_from
from accordeur.tasks.splits import (
    PROPORTIONS,
    SMALL,
    SMALL_PROPORTIONS,
    count_units,
    draw,
    fixed_order,
    take,
)

Rows = tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What the files say, before anything is drawn.

    `rows` holds the splits that were given, or `file` alone.
    """

    rows: Mapping[str, Rows]
    unlabelled: Rows
    columns: Columns
    sources: Mapping[str, Path]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Splits:
    train: Rows
    dev: Rows
    test: Rows | None
    kind: Literal["given", "drawn"]
    notes: tuple[str, ...] = ()


def load_task(path: str | Path, *, seed: int = 0, limit: int | None = None) -> Task:
    """Read a task and its rows; the held-out rows are sealed at once.

    Splits hold their rows in an order made of ids alone, so neither the file's order nor the seed
    changes a digest.

    Args:
        path: a folder with `task.yaml`, that file, or a data file (all settings at their defaults).
        seed: of the run; decides drawn splits and what `limit` keeps.
        limit: rows to keep per split, the first of a seeded order.

    Raises:
        TaskError: the description or the data cannot be used.
        MissingDependency: a data format needs a package that is not installed.
        UsageError: `limit` is below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"`--limit {limit}` keeps no rows.", hint="--limit 40")
    config, where = _find(Path(path))
    folder = where.parent
    read = _read(config, folder)
    base = read.rows.get("train", read.rows.get("file", ()))
    source = str(read.sources.get("train", read.sources.get("file", where)))
    kind = infer_kind(base, config.labels, config.metric)
    if kind == "labels":
        for name, rows in read.rows.items():
            require_single_answers(rows, str(read.sources[name]))
    splits = _split(read, config, kind, seed)
    labels, label_notes = _labels(config, kind, splits, base, where, source)
    held_out = None if splits.test is None else SealedSplit(take(splits.test, limit, seed))
    documents = _documents(config, folder)
    tools = ("`tools` is noted, but no lever of this version uses it.",) if config.tools else ()
    return Task(
        name=config.name or _name(where),
        description=config.description.strip(),
        instruction=config.instruction.strip(),
        template=config.template.strip("\n"),
        kind=kind,
        labels=labels,
        metric=config.metric or default_metric(splits.train, kind),
        train=take(splits.train, limit, seed),
        dev=take(splits.dev, limit, seed),
        held_out=held_out,
        unlabelled=take(read.unlabelled, limit, seed),
        splits=splits.kind,
        folder=folder,
        documents=documents,
        documents_digest=digest_of_files(Path(documents)) if documents else "",
        limits=config.core_limits(),
        prices=config.core_prices(),
        warnings=(*read.notes, *splits.notes, *label_notes, *tools),
        columns=read.columns.describe(),
        data_files=tuple(dict.fromkeys(read.sources.values())),
        allow_leakage=config.allow_leakage,
    )


def _find(path: Path) -> tuple[TaskConfig, Path]:
    """The configuration, and the file it stands in (for a bare data file, that file)."""
    if path.is_dir():
        found = next((path / n for n in ("task.yaml", "task.yml") if (path / n).exists()), None)
        if found is None:
            raise TaskError(
                f"The folder `{path}` has no `task.yaml`.",
                hint=f"make one from your data: accordeur init {path} --data FILE",
            )
        return read_config(found), found
    if path.suffix.lower() in (".yaml", ".yml"):
        return read_config(path), path
    if not path.exists():
        raise missing_file(path)
    if path.suffix.lower() not in FORMATS:
        raise TaskError(
            f"`{path}` is neither a task nor a data file.",
            hint=f"name a folder with task.yaml, a task.yaml, or data: {', '.join(FORMATS)}",
        )
    return check_config({"data": {"file": path.name}}, path), path


def _name(where: Path) -> str:
    if where.suffix.lower() in (".yaml", ".yml"):
        return where.resolve().parent.name or "task"
    return where.stem


def _documents(config: TaskConfig, folder: Path) -> str | None:
    if config.documents is None:
        return None
    place = folder / config.documents
    if not place.exists():
        raise TaskError(f"There is no file or folder `{place}` (`documents` in task.yaml).")
    return str(place)


def _read(config: TaskConfig, folder: Path) -> _Read:
    tables = _tables(config.data, folder)
    labelled = {name: table for name, table in tables.items() if name != "unlabelled"}
    first = next(iter(labelled.values()))
    columns = resolve_columns(config.fields, first.columns, str(first.path))
    ids = Ids()
    rows: dict[str, Rows] = {}
    for name, table in labelled.items():
        require_columns(_essential(columns), table.columns, str(table.path))
        rows[name] = fixed_order(example_from(row, columns, ids) for row in table.rows)
    unlabelled: Rows = ()
    if "unlabelled" in tables and (table := tables["unlabelled"]).rows:
        require_columns(Columns(input=columns.input), table.columns, str(table.path))
        unlabelled = fixed_order(
            example_from(row, columns, ids, labelled=False) for row in table.rows
        )
    return _Read(
        rows=rows,
        unlabelled=unlabelled,
        columns=columns,
        sources={name: table.path for name, table in tables.items()},
        notes=tuple(note for table in tables.values() for note in table.notes),
    )


def _essential(columns: Columns) -> Columns:
    return Columns(input=columns.input, expected=columns.expected)


def _tables(data: DataConfig, folder: Path) -> dict[str, RawTable]:
    tables: dict[str, RawTable] = {}
    for name in ("file", "train", "dev", "test", "unlabelled"):
        given: str | None = getattr(data, name)
        if given is None:
            continue
        table = read_table(folder / given)
        if not table.rows and name != "unlabelled":
            what = "The data" if name == "file" else f"The split `{name}`"
            raise TaskError(
                f"{what} is empty: `{table.path}` has no rows.",
                hint="write rows into it, or leave the split out of `data:` to have it drawn",
            )
        tables[name] = table
    return tables


def _split(read: _Read, config: TaskConfig, kind: TaskKind, seed: int) -> _Splits:
    stratify = kind == "labels"
    train, dev = read.rows.get("train"), read.rows.get("dev")
    test = read.rows.get("test")
    if train is not None and dev is not None:
        notes = () if test is not None else ("No test split is given: nothing is held out.",)
        return _Splits(train, dev, test, "given", notes)
    if train is not None and test is not None:
        _require_two(train, read.sources["train"])
        whole = PROPORTIONS["train"] + PROPORTIONS["dev"]
        shares = {name: PROPORTIONS[name] / whole for name in ("train", "dev")}
        drawn = draw(train, shares, seed=seed, stratify=stratify)
        note = (
            f"No dev split is given: {len(drawn['dev'])} of {len(train)} train rows were drawn "
            f"for it with seed {seed}."
        )
        return _Splits(drawn["train"], drawn["dev"], test, "given", (note,))
    if train is not None:
        proportions, source = PROPORTIONS, read.sources["train"]
    else:
        given = config.data.proportions
        proportions = PROPORTIONS if given is None else given.model_dump()
        source = read.sources["file"]
    rows = read.rows["file"] if train is None else train
    return _drawn(rows, proportions, source, seed, stratify=stratify, from_file=train is None)


def _drawn(
    rows: Rows,
    proportions: Mapping[str, float],
    source: Path,
    seed: int,
    *,
    stratify: bool,
    from_file: bool,
) -> _Splits:
    """All splits out of one file."""
    _require_two(rows, source)
    shares = {name: share for name, share in proportions.items() if share > 0}
    pieces = count_units(rows)
    reason = ""
    if "test" in shares and len(rows) < SMALL:
        reason = f"{len(rows)} rows are fewer than {SMALL}"
    elif "test" in shares and pieces < 3:
        reason = f"the rows form only {pieces} separable pieces"
    if reason:
        shares = dict(SMALL_PROPORTIONS)
    drawn = draw(rows, shares, seed=seed, stratify=stratify)
    sizes = ", ".join(f"{name} {len(split)}" for name, split in drawn.items())
    notes = []
    if not from_file:
        notes.append(f"Only train is given: all splits were drawn from `{source}`: {sizes}.")
    if reason:
        notes.append(f"Nothing is held out, because {reason}: the verdict stays unconfirmed.")
    return _Splits(drawn["train"], drawn["dev"], drawn.get("test"), "drawn", tuple(notes))


def _require_two(rows: Sequence[Example], source: Path) -> None:
    if len(rows) < 2:
        raise TaskError(
            f"`{source}` has 1 row, which cannot be both learned from and measured on.",
            hint="label more rows: 20 to 50 are enough to start, 200 settle most questions",
        )


def _labels(
    config: TaskConfig, kind: TaskKind, splits: _Splits, base: Rows, where: Path, source: str
) -> tuple[tuple[Label, ...], tuple[str, ...]]:
    """Labels from `task.yaml` or train, held against every split."""
    if kind != "labels":
        return (), () if config.metric else recurring_answers(base)
    notes: tuple[str, ...] = ()
    if config.labels is not None:
        labels = config.labels
        notes = check_train_labels(labels, splits.train, where)
    else:
        infer_labels(base, source)
        labels = infer_labels(splits.train, source)
    check_dev_labels(labels, splits.dev)
    if splits.test is not None:
        check_held_out_labels(labels, splits.test)
    return labels, notes

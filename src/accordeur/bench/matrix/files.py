"""Files that a config names: `file://name`, or a path; they count from the config's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from accordeur.core.errors import TaskError
from accordeur.tasks.formats.lines import decode, open_data

SCHEME = "file://"

LARGEST = 64_000_000
"""Bytes of a file that is read at once; case files are read row by row and may be larger."""


def is_reference(value: object) -> bool:
    """Whether a value is `file://...`."""
    return isinstance(value, str) and value.startswith(SCHEME)


def path_of(reference: str, folder: Path) -> Path:
    """The path that `file://name` or a plain path means."""
    return folder / Path(reference.removeprefix(SCHEME)).expanduser()


def read_text(path: Path) -> str:
    """The content of a file, line ends as `\\n`.

    Raises:
        TaskError: it is missing, empty, too large or not UTF-8.
    """
    with open_data(path) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise TaskError(f"`{path}` is larger than {LARGEST // 1_000_000} MB.")
    return decode(data, path).removeprefix("\ufeff").replace("\r\n", "\n")


def read_yaml(path: Path) -> Any:
    """A YAML or JSON file as plain data.

    Raises:
        TaskError: it cannot be read; the message names the line.
    """
    source = read_text(path)
    try:
        if path.suffix.lower() == ".json":
            return json.loads(source)
        return yaml.safe_load(source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}" if mark else ""
        said = error.problem or error.context or "a mistake"
        raise TaskError(
            f"`{path}{where}` is not YAML: {said}.",
            hint="look at the indentation of this line and the one before; put text that holds "
            "`: `, `#` or `{{` into quotes",
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TaskError(f"`{path}` cannot be read: {said}.") from None

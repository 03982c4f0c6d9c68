"""A config file, in either format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from accordeur.bench.matrix import promptfoo, short_form
from accordeur.bench.matrix.files import read_yaml
from accordeur.bench.matrix.keys import mapping
from accordeur.bench.matrix.matrix import Matrix, Reading
from accordeur.core.errors import TaskError

EXAMPLE = (
    'prompts: ["Answer yes or no. {{ input }}"], models: [local/smollm2], cases: cases.csv, '
    'check: [{icontains: "{{ expected }}"}]'
)

_THEIRS = ("providers", "targets", "tests", "defaultTest")
_OURS = ("models", "model", "cases", "check")


def read_matrix(path: Path, *, allow_code: bool = False, base_url: str | None = None) -> Matrix:
    """What a config says. Cases in files are read later, row by row.

    Args:
        path: a YAML or JSON file in our short form or in promptfoo's.
        allow_code: `python` assertions may run.
        base_url: of endpoints; it comes before addresses in the config.

    Raises:
        TaskError: the file or a part of it cannot be read.
        PlanError: an assertion that is not known, with the nearest alternative.
        ModelError: a name that means no model.
        CodeNotAllowed: it names code, and that was not allowed.
    """
    if not path.is_file():
        raise TaskError(
            f"There is no config `{path}`.", hint="accordeur eval -c promptfooconfig.yaml"
        )
    data = mapping(read_yaml(path), str(path))
    theirs = [key for key in _THEIRS if key in data]
    ours = [key for key in _OURS if key in data]
    if theirs and ours:
        raise TaskError(
            f"`{path}` mixes two formats: `{theirs[0]}` is promptfoo's, `{ours[0]}` is ours.",
            hint="write promptfoo's prompts, providers, tests, or ours: prompts, models, cases",
        )
    if not theirs and not ours:
        raise TaskError(f"`{path}` names neither models nor cases.", hint=EXAMPLE)
    reading = Reading(path.absolute().parent, allow_code)
    read = promptfoo.read_promptfoo if theirs else short_form.read_short_form
    matrix = read(data, path.stem, reading, base_url=base_url)
    # Cases add to both while they are gone through: they are shared.
    return replace(matrix, notes=reading.notes, addresses=reading.addresses)

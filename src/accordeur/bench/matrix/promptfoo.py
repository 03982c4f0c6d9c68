"""The subset of promptfoo's config that is read here; docs/eval.md lists it.

Keys that would change a result and are not read are refused by name. promptfoo's own words mean
what they mean there, but for what docs/eval.md names as different.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.bench.matrix.cases import (
    Cases,
    Defaults,
    read_options,
    read_vars,
    sources_of,
)
from accordeur.bench.matrix.checks import read_check
from accordeur.bench.matrix.files import is_reference, path_of, read_yaml
from accordeur.bench.matrix.keys import as_list, check_keys, mapping, number, text, whole
from accordeur.bench.matrix.matrix import Matrix, Reading
from accordeur.bench.matrix.prompts import read_prompts
from accordeur.bench.matrix.providers import read_judge, read_providers

KEYS = ("prompts", "providers", "targets", "tests", "defaultTest", "description", "evaluateOptions")
"""Keys that are read."""

HARMLESS = ("sharing", "tags", "metadata", "$schema", "outputPath", "writeLatestResults", "env")
_OPTIONS = ("maxConcurrency", "repeat")
_HARMLESS_OPTIONS = ("cache", "delay", "showProgressBar", "generateSuggestions", "timeoutMs")
_COMMAND_LINE = ("maxConcurrency", "repeat", "cache", "verbose", "table", "write", "progressBar")
_DEFAULTS = ("vars", "assert", "threshold", "options", "metadata", "description")


def read_promptfoo(
    data: Mapping[str, Any], name: str, reading: Reading, *, base_url: str | None
) -> Matrix:
    """A config in promptfoo's format.

    Args:
        data: the YAML file.
        name: of the file, where the config has no description.
        reading: folder, permission to run code.
        base_url: of the command line.

    Raises:
        TaskError, PlanError, ModelError, CodeNotAllowed: as the readers of its parts.
    """
    check_keys(data, "the config", KEYS, (*HARMLESS, "commandLineOptions"))
    for key in ("outputPath", "env"):
        if data.get(key):
            reading.note(f"`{key}` of the config is ignored; say it on the command line.")
    options = mapping(data.get("evaluateOptions") or {}, "evaluateOptions")
    check_keys(options, "evaluateOptions", _OPTIONS, _HARMLESS_OPTIONS)
    line = mapping(data.get("commandLineOptions") or {}, "commandLineOptions")
    check_keys(line, "commandLineOptions", _COMMAND_LINE)
    settings = {**line, **options}
    defaults = _defaults(data.get("defaultTest"), reading)
    tests = data.get("tests")
    sources = [{"vars": {}, "assert": []}] if tests is None else sources_of(tests, reading)
    at_once = settings.get("maxConcurrency")
    return Matrix(
        name=text(data.get("description") or name, "description"),
        prompts=read_prompts(data.get("prompts"), reading),
        providers=read_providers(
            data.get("providers", data.get("targets")), reading, base_url=base_url
        ),
        cases=Cases(sources, defaults, reading, expand=True),
        repeat=whole(settings.get("repeat", 1), "repeat"),
        judge=reading.judge,
        at_once=None if at_once is None else whole(at_once, "maxConcurrency"),
    )


def _defaults(value: Any, reading: Reading) -> Defaults:
    if value is None:
        return Defaults()
    if is_reference(value):
        value = read_yaml(path_of(value, reading.folder))
    data = mapping(value, "defaultTest")
    check_keys(data, "defaultTest", _DEFAULTS)
    options = mapping(data.get("options") or {}, "options of defaultTest")
    around = read_options(options, "defaultTest")
    if options.get("provider"):
        reading.judge = read_judge(options["provider"], reading)
    threshold = data.get("threshold")
    return Defaults(
        read_vars(data.get("vars"), reading, "defaultTest"),
        tuple(read_check(one, reading, "defaultTest") for one in as_list(data.get("assert"))),
        None if threshold is None else number(threshold, "threshold of defaultTest", least=0),
        mapping(data.get("metadata") or {}, "metadata of defaultTest"),
        around.before,
        around.after,
    )

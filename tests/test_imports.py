"""What an import brings with it, and who may import whom."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "accordeur"
HEAVY = {"torch", "transformers", "numpy", "pydantic", "tokenizers", "safetensors", "sqlite3"}

LOADED = """
import json, sys
try:
    {code}
except SystemExit:
    pass
print("LOADED", json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED "))
    return set(json.loads(line.removeprefix("LOADED ")))


def test_import_accordeur_loads_nothing_heavy() -> None:
    found = loaded("import accordeur; accordeur.__version__; dir(accordeur)")
    assert found & (HEAVY | {"typer", "rich", "yaml", "httpx", "jinja2"}) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]])
def test_help_loads_neither_torch_nor_numpy(arguments: list[str]) -> None:
    code = f"from accordeur.cli.main import main; main({arguments!r})"
    found = loaded(code)
    assert "accordeur" in found
    assert found & {"torch", "transformers", "numpy", "tokenizers"} == set()


def test_the_main_job_and_the_tasks_load_without_torch() -> None:
    code = "import accordeur.bench.run, accordeur.tasks.load, accordeur.models.source"
    assert loaded(code) & {"torch", "transformers", "tokenizers"} == set()


def test_the_import_contracts_hold() -> None:
    # lint-imports finds the package on sys.path, where it is installed editable.
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules a file imports, and whether already when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in inside
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) not in inside


FILES = sorted(SOURCE.rglob("*.py"))


def test_no_file_imports_pickle_or_its_relatives() -> None:
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    found = [
        (str(path.relative_to(SOURCE)), name)
        for path in FILES
        for name, _ in imports_of(path)
        if name.partition(".")[0] in forbidden
    ]
    assert found == []


def test_torch_and_transformers_are_imported_only_where_models_run() -> None:
    allowed = ("models/", "training/", "testing/tiny", "cli/diagnosis.py")
    found = [
        str(path.relative_to(SOURCE))
        for path in FILES
        for name, _ in imports_of(path)
        if name.partition(".")[0] in {"torch", "transformers"}
        and not str(path.relative_to(SOURCE)).startswith(allowed)
    ]
    assert found == []


CALLERS = "models/openai_api/"
"""The package that calls endpoints, loaded when one is named."""


def test_what_calls_endpoints_is_imported_only_when_one_is_named() -> None:
    code = (
        "import sys, accordeur.models.source as s, accordeur.bench.run, accordeur.cli.run;"
        "s.resolve('openai/x'); s.Models();"
        "sys.exit(any(n == 'httpx' or n.endswith('openai_api.client') for n in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_that_speaks_to_the_network_is_imported_with_a_module() -> None:
    speakers = {"httpx", "requests", "urllib3", "huggingface_hub", "aiohttp"}
    found = [
        (str(path.relative_to(SOURCE)), name)
        for path in FILES
        if not str(path.relative_to(SOURCE)).startswith(CALLERS)
        for name, at_import in imports_of(path)
        if at_import and (name.partition(".")[0] in speakers or name == "urllib.request")
    ]
    assert found == []


@pytest.mark.parametrize("module", ["accordeur", "accordeur.cli.main", "accordeur.bench.run"])
def test_an_import_opens_no_socket(module: str) -> None:
    code = (
        "import sys\n"
        "def hook(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'urllib.Request'):\n"
        "        raise SystemExit(f'{event} {args}')\n"
        "sys.addaudithook(hook)\n"
        f"import {module}\n"
        "print('quiet')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "quiet\n"

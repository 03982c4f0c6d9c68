"""`docs/cli.md`, written from the program: `python -m accordeur.cli.reference docs/cli.md`.

A test compares the page with what the program says now.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accordeur.cli.main import ABOUT, COMMANDS, PROGRAM, children, load

COMMAND = "python -m accordeur.cli.reference docs/cli.md"

INTRODUCTION = f"""\
# The command line

{ABOUT}

This page is written from the program by `{COMMAND}`; a test fails when it is stale.

Results go to stdout; progress, questions and errors go to stderr. On a terminal, progress redraws
itself; in a file or a pipe, or with `NO_COLOR` or `CI` set, it is one line for each thing that
happens.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | an error: what happened, a blank line, and a hint with the command to type |
| 2 | the command line was wrong |
| 100 | a threshold failed |
| 130 | stopped by Ctrl-C; what was computed is kept |

| variable | meaning |
|---|---|
| `ACCORDEUR_RUNS` | folder of runs, default `./.accordeur/runs` |
| `ACCORDEUR_INDEXES` | folder of document indexes, default `./.accordeur/indexes` |
| `ACCORDEUR_CACHE` | folder of converted models and answers, default `~/.cache/accordeur` |
| `ACCORDEUR_CONFIG` | folder of the table of prices, default `~/.config/accordeur` |
| `ACCORDEUR_STATE` | folder of conversations, default `~/.local/share/accordeur` |
| `COLUMNS` | width of tables |
| `NO_COLOR`, `CI` | plain lines instead of a redrawn table |

`{PROGRAM} --install-completion` adds completion to the shell.
"""


def reference() -> str:
    """The whole page."""
    lines = [INTRODUCTION, "| command | what it does |", "|---|---|"]
    leaves = [path for path in COMMANDS if not children(path)]
    lines += [f"| [`{path}`](#{_anchor(path)}) | {COMMANDS[path]} |" for path in leaves]
    for path in leaves:
        lines += ["", *_command(path)]
    return "\n".join(lines) + "\n"


def _anchor(path: str) -> str:
    return f"{PROGRAM} {path}".replace(" ", "-")


def _command(path: str) -> Iterator[str]:
    command = load(path)
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    names = [_placeholder(one) for one in arguments]
    yield f"## {PROGRAM} {path}"
    yield ""
    yield "```"
    yield " ".join([PROGRAM, path, *names, "[OPTIONS]"])
    yield "```"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    yield "| | |"
    yield "|---|---|"
    for one in arguments:
        yield f"| `{one.metavar}` | {_help(one)} |"
    for one in options:
        if "--help" not in one.opts:
            yield f"| {_spelling(one)} | {_help(one)} |"
    yield "| `--help` | Show this message and exit. |"


def _placeholder(argument: Any) -> str:
    name = str(argument.metavar)
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _spelling(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar}"
    return ", ".join(f"`{name}{value}`" for name in option.opts)


def _help(parameter: Any) -> str:
    text = str(parameter.help or "").replace("|", "\\|")
    default = parameter.default
    if default is None or default is False or "efault" in text:
        return text
    return f"{text} Default: `{default}`."


def main() -> None:
    """Write the page to the path given, or to stdout."""
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
    else:
        print(reference(), end="")


if __name__ == "__main__":
    main()

"""The entry point: names of commands to the modules that hold them.

A module is imported when its command is used; `accordeur --help` reads this table alone.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from accordeur.cli.failures import exit_status

PROGRAM = "accordeur"

COMMANDS: Mapping[str, str] = {
    "init": "Make a task folder from a data file, or a small one to start with.",
    "run": "Pull the levers on a task, compare them, say which to use.",
    "answer": "Ask a bundle, one text or a file of rows.",
    "eval": "Ask prompts of models about cases, and check every answer.",
    "ask": "Ask documents a question; every citation is checked.",
    "chat": "Talk with a bundle, the winner of a run, or a model.",
    "conversations": "List, search, show, export and forget conversations.",
    "conversations list": "List the conversations, the latest first.",
    "conversations search": "Find messages by their words.",
    "conversations show": "Show a conversation.",
    "conversations export": "Write conversations as JSONL, JSON or Markdown.",
    "conversations forget": "Remove conversations for good, down to the bytes.",
    "index": "Index documents, keep the index up to date, search it.",
    "index build": "Index documents, or bring an index up to date with them.",
    "index update": "Read again what has changed in an index's documents.",
    "index status": "Say what an index holds, and whether its documents have changed.",
    "index search": "Find passages.",
    "index inspect": "Show an index's documents, or the passages of one.",
    "index rm": "Remove indexes for good.",
    "serve": "Serve bundles and models to clients of the OpenAI API.",
    "export": "Write a bundle's trained weights as a model of its own.",
    "report": "Write the report of a run as one HTML file.",
    "runs": "List, show, compare, export and remove runs.",
    "runs list": "List the runs, the last one first.",
    "runs show": "Show what a run found.",
    "runs compare": "Put runs side by side.",
    "runs export": "Write the answers of a run as JSONL, JSON or CSV.",
    "runs rm": "Remove runs for good.",
    "models": "List, fetch and remove the embedded models.",
    "models list": "List the embedded models, or those of an endpoint.",
    "models prices": "List what tokens of endpoints cost, or write it down.",
    "models probe": "Ask what a model behind an endpoint can do.",
    "models pull": "Fetch the embedded models and make them ready.",
    "models rm": "Free the space an embedded model takes in the cache.",
    "keys": "Make, list and remove the API keys of the server.",
    "keys add": "Make a key.",
    "keys list": "List the names of the keys.",
    "keys rm": "Remove a key.",
    "cache": "Look at the answer cache, and make it smaller.",
    "cache info": "Say what the answer cache holds.",
    "cache prune": "Forget answers that were not used for long.",
    "doctor": "Say what is there, what is missing, and the command to get it.",
}
"""Every command and group in the order of the help; the words say which module holds it."""

ABOUT = "One task, one language model, every way of adapting it, one honest measurement."
START = "New here? Type: accordeur doctor, then accordeur init TASK and accordeur run TASK."


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are used."""

    path: str = ""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the table."""
        return children(self.path)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, imported now; `None` when there is none."""
        if cmd_name not in children(self.path):
            return None
        return load(f"{self.path} {cmd_name}".strip())

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, COMMANDS[f"{self.path} {name}".strip()]) for name in children(self.path)]
            )


def children(path: str) -> list[str]:
    """Names of the commands right below a group; the top is the empty path."""
    depth = len(path.split())
    names = [name.split() for name in COMMANDS]
    return [words[-1] for words in names if len(words) == depth + 1 and words[:-1] == path.split()]


def load(path: str) -> Any:
    """The command or group at a path such as `runs list`."""
    if children(path):
        return _group(path)
    module = importlib.import_module(".".join(["accordeur.cli", *path.split()]))
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(path.split()[-1], short_help=COMMANDS[path], no_args_is_help=False)(module.command)
    return typer.main.get_command(app)


def root() -> Any:
    """The whole program."""
    app = typer.Typer(cls=LazyGroup, rich_markup_mode=None, no_args_is_help=True)
    app.callback(help=ABOUT, epilog=START)(_program)
    return typer.main.get_command(app)


def _group(path: str) -> Any:
    app = typer.Typer(
        cls=LazyGroup, rich_markup_mode=None, no_args_is_help=True, add_completion=False
    )
    app.callback(help=COMMANDS[path])(_nothing)
    made = typer.main.get_command(app)
    made.name = path.split()[-1]
    assert isinstance(made, LazyGroup)
    made.path = path
    return made


def _nothing() -> None:
    """A group does nothing by itself."""


def _version(asked: bool) -> None:
    if asked:
        from accordeur import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit()


def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: what follows the program's name; default `sys.argv`.

    Returns:
        0 done, 1 an error, 2 wrong usage, 100 a threshold failed, 130 stopped by Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return exit_status(
        lambda: root().main(args=given, prog_name=PROGRAM, standalone_mode=False), PROGRAM
    )

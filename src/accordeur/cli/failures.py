"""How a command ends badly: messages, hints and exit codes.

Two kinds, never mixed (`core/errors.py`): what a user can mend is a message and a hint on stderr;
a mistake of the program keeps its traceback. A reader that went away (`accordeur ... | head`) is
no failure to talk about.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer

from accordeur.cli.terminal import safe
from accordeur.core.errors import AccordeurError

ERROR = 1
USAGE = 2
INTERRUPTED = 130


def exit_status(work: Callable[[], Any], program: str) -> int:
    """Do the work of a command; what happened, as an exit code.

    Args:
        work: runs the command; an `int` it returns is the exit code.
        program: its name, for hints.
    """
    try:
        code = work()
        sys.stdout.flush()
    except AccordeurError as error:
        tell(error.message, error.hint)
        return error.exit_code
    except typer.TyperException as error:
        return _usage(error, program)
    except typer.Abort:
        tell("Stopped.")
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        _silence()
        return ERROR
    except SystemExit as error:
        # Shell completion ends this way, and typer when the reader of a pipe is gone.
        try:
            sys.stdout.flush()
        except OSError:
            _silence()
        return error.code if isinstance(error.code, int) else ERROR
    return code if isinstance(code, int) else 0


def tell(message: str, hint: str = "") -> None:
    """What happened, a blank line, and what to do about it, on stderr."""
    with suppress(OSError):
        sys.stdout.flush()
        print(safe(f"error: {message}"), file=sys.stderr)
        if hint:
            print(safe(f"\nhint: {hint}"), file=sys.stderr)


def warn(message: str) -> None:
    """Something odd that stops nothing, on stderr."""
    with suppress(OSError):
        print(safe(f"warning: {message}"), file=sys.stderr, flush=True)


def note(message: str) -> None:
    """Something worth knowing while one waits, on stderr."""
    with suppress(OSError):
        print(safe(message), file=sys.stderr, flush=True)


def _usage(error: typer.TyperException, program: str) -> int:
    context = getattr(error, "ctx", None)
    message = error.format_message().strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        # Its message is the whole help of a group.
        print(message, file=sys.stderr)
        return USAGE
    path = context.command_path if context is not None else program
    message, hint = _nearest(message, error, context)
    tell(message, hint or f"{path} --help")
    return error.exit_code


def _nearest(message: str, error: Any, context: Any) -> tuple[str, str]:
    """The message in our own words where the parser's leave the nearest names out."""
    if unknown := re.match(r"No such command '(.*?)'", message, re.DOTALL):
        known = context.command.list_commands(context)
        near = difflib.get_close_matches(unknown[1], known, n=2, cutoff=0.5)
        offered = " or ".join(f"`{context.command_path} {name}`" for name in near)
        hint = f"did you mean {offered}? " if near else ""
        return f"There is no command `{unknown[1]}`.", f"{hint}known: {', '.join(known)}"
    if option := getattr(error, "option_name", None):
        near = list(getattr(error, "possibilities", None) or [])[:3]
        if near:
            offered = " or ".join(f"`{name}`" for name in near)
            return f"There is no option `{option}`.", (
                f"did you mean {offered}? {context.command_path} --help"
            )
    return message.replace("'", "`"), ""


def _silence() -> None:
    """Send what is still buffered nowhere, so that the interpreter says nothing at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

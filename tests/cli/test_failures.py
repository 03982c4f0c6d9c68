"""How the program fails: messages, hints, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from accordeur.cli.failures import exit_status
from accordeur.core.errors import AccordeurError, UsageError

Say = Callable[..., Any]


def test_an_unknown_command_offers_the_nearest(say: Say) -> None:
    said = say("rum")
    assert said.code == 2
    assert said.err.startswith("error: There is no command `rum`.\n\nhint: did you mean ")
    assert "`accordeur run`" in said.err


def test_an_unknown_command_of_a_group_offers_the_nearest(say: Say) -> None:
    said = say("runs", "lst")
    assert said.code == 2
    assert "did you mean `accordeur runs list`?" in said.err


def test_an_unknown_option_offers_the_nearest(say: Say) -> None:
    said = say("run", "x", "--lever", "all")
    assert said.code == 2
    assert "There is no option `--lever`." in said.err
    assert "`--levers`" in said.err
    assert "accordeur run --help" in said.err


@pytest.mark.parametrize(
    "arguments", [["run", "--limit", "many"], ["report", "a", "b"], ["answer"]]
)
def test_wrong_usage_is_a_message_and_a_hint(arguments: list[str], say: Say) -> None:
    said = say(*arguments)
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert f"\n\nhint: accordeur {arguments[0]} --help" in said.err
    assert said.out == ""


def test_an_error_is_a_message_a_blank_line_and_a_hint(capsys: Any) -> None:
    def fail() -> None:
        raise AccordeurError("`x` is missing.", hint="get x")

    assert exit_status(fail, "accordeur") == 1
    assert capsys.readouterr().err == "error: `x` is missing.\n\nhint: get x\n"


def test_a_usage_error_ends_with_2() -> None:
    def fail() -> None:
        raise UsageError("no")

    assert exit_status(fail, "accordeur") == 2


def test_a_mistake_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_status(lambda: 1 / 0, "accordeur")


def test_a_command_may_end_with_a_code_of_its_own() -> None:
    assert exit_status(lambda: 100, "accordeur") == 100


def test_an_error_cannot_drive_the_terminal(capsys: Any) -> None:
    def fail() -> None:
        raise AccordeurError("\x1b[2Jgone \x9b31m")

    exit_status(fail, "accordeur")
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\x9b" not in said


def test_a_reader_that_goes_away_is_no_failure_to_talk_about() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "accordeur.cli", "--help"],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_ctrl_c_shows_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "accordeur.cli", "answer", ".", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.0)  # it reads stdin, which never ends
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err

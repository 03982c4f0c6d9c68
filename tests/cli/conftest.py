"""The program as people start it, and one finished run that many tests look at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accordeur.cli.main import main
from accordeur.testing.tiny import tiny_model
from accordeur.testing.toy import write_label_task

Start = Callable[..., subprocess.CompletedProcess[str]]
FOLDERS = ("ACCORDEUR_RUNS", "ACCORDEUR_CACHE")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and caches of a test are its own; tables are 100 columns wide."""
    monkeypatch.setenv("ACCORDEUR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ACCORDEUR_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "100")
    # The models of these tests are tiny; threads would only wait for each other.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`say("runs", "list")`: the command in this process, through the real entry point."""

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        code = main([str(one) for one in arguments])
        caught = capfd.readouterr()
        return Said(code, caught.out, caught.err)

    return run


@pytest.fixture
def start() -> Start:
    """`start("runs", "list")`: the command in a process of its own."""

    def run(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "accordeur.cli", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A task of 24 train, 12 dev and 6 held-out rows."""
    return write_label_task(tmp_path / "task")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random language model; for the session, so that the user's cache gives its tokenizer."""
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run: its folder of runs, its task, its name, and what `run` said."""

    runs: Path
    cache: Path
    task: Path
    name: str
    said: Said

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.runs / self.name


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches these tests and their processes, also behind a shell in the background.

    Such a shell has it ignored, and processes inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of floors alone, made once by the program in a process of its own."""
    home = tmp_path_factory.mktemp("made")
    task = write_label_task(home / "task")
    environment = {
        **os.environ,
        "ACCORDEUR_RUNS": str(home / "runs"),
        "ACCORDEUR_CACHE": str(home / "cache"),
        "COLUMNS": "100",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "accordeur.cli", "run", str(task), "-m", "none"]
    done = subprocess.run(
        [*command, "-o", str(home / "answers.csv")],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=home,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    (folder,) = [one for one in (home / "runs").iterdir() if one.is_dir()]
    said = Said(done.returncode, done.stdout, done.stderr)
    return Finished(home / "runs", home / "cache", task, folder.name, said)


@pytest.fixture
def finished(made: Finished, monkeypatch: pytest.MonkeyPatch) -> Finished:
    """The same, where the commands of this test look for runs."""
    monkeypatch.setenv("ACCORDEUR_RUNS", str(made.runs))
    monkeypatch.setenv("ACCORDEUR_CACHE", str(made.cache))
    return made

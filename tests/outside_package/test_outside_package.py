"""A package of somebody else joins through entry points, without a line changed in Accordeur."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "package"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install --target` leaves: the package and its metadata.

    Written here, so that the test needs neither a build backend nor a network.
    """
    place = tmp_path_factory.mktemp("site")
    about = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(PACKAGE / "src", place, dirs_exist_ok=True)
    info = place / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in about["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    return place


def python(code: str, site: Path | None) -> str:
    """What a fresh interpreter prints."""
    path = os.pathsep.join(
        part for part in (site and str(site), os.environ.get("PYTHONPATH")) if part
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LIST = "from accordeur.levers import LEVERS; print(*LEVERS.names())"


def test_its_lever_is_listed_behind_the_built_in_ones(site: Path) -> None:
    outside, inside = python(LIST, site).split(), python(LIST, None).split()
    assert outside == [*inside, "courtesy"]


def test_its_lever_keeps_every_promise(site: Path) -> None:
    code = """
from accordeur.levers import LEVERS
from accordeur.testing import check_lever
lever = LEVERS.load("courtesy")
check_lever(lever())
check_lever(lever(words=("Be so kind.",)))
print(lever.__module__)
"""
    assert python(code, site).strip() == "accordeur_courtesy.lever"


def test_its_lever_stands_in_plans_alone_in_stacks_and_under_all(site: Path) -> None:
    code = """
from accordeur.bench.stacks import parse_stacks
print(*(stack.name for stack in parse_stacks("courtesy,courtesy+few-shot", {})[0]))
print(*(stack.name for stack in parse_stacks("all", {})[0]))
"""
    asked, everything = python(code, site).splitlines()
    assert asked == "as-is courtesy courtesy+few-shot"
    assert everything.split()[-1] == "courtesy"


def test_a_built_in_name_cannot_be_taken_over(site: Path) -> None:
    code = 'from accordeur.levers import LEVERS; print(LEVERS.load("as-is").__module__)'
    assert python(code, site).strip() == "accordeur.levers.as_is"


def test_its_metric_scores(site: Path) -> None:
    code = """
from accordeur.core.answer import Answer
from accordeur.measure.metrics import load_metric
from accordeur.testing import toy
task = toy.text_task()
print(load_metric("brevity").row(Answer("two words"), task.dev[0], task.brief))
"""
    assert python(code, site).strip() == "0.5"


def test_its_pattern_answers_from_a_bundle(site: Path, tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from accordeur_courtesy.twice import Twice
from accordeur.core.candidate import Candidate
from accordeur.core.rendering import Request
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, load_bundle, save_bundle
from accordeur.parts.decoding import Decoding
from accordeur.testing import ScriptedModel, ScriptedSource, toy
made = Candidate(toy.text_task().brief, "m").with_part(Twice()).with_part(Decoding("generate", 8))
folder = Path({str(tmp_path)!r}) / "bundle"
save_bundle(Bundle(made), folder)
kept = load_bundle(folder).candidate
print(kept.parts["pattern"] == made.parts["pattern"])
model = ScriptedModel(answers="so it is")
[batch] = assemble(kept, ScriptedSource(model)).answer([Request("q")])
print(*(reply.name for reply in batch.results[0].trace))
"""
    assert python(code, site).splitlines() == ["True", "first second"]

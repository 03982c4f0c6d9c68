"""What the README shows is true: its Python runs, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accordeur.core.paths import cache_folder
from accordeur.testing.tiny import tiny_model
from accordeur.testing.toy import write_label_task

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a toy task and a tiny random model; everything else is as printed."""
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 1
    [block] = blocks
    models = cache_folder() / "models"
    task = write_label_task(tmp_path / "task")
    model = tiny_model(tmp_path / "model")
    code = block.replace('"examples/support"', repr(str(task)))
    code = code.replace('"local/smollm2"', repr(str(model)))
    assert code.count(str(tmp_path)) == 2
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    if models.is_dir():  # models that are converted already stay converted
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "models").symlink_to(models.resolve())
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "Use `" in printed
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "winner" / "bundle.json").is_file()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_the_links_of_the_readme_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make (\w[\w-]*)", README, re.M))))
def test_the_make_targets_of_the_readme_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_no_placeholder_is_left() -> None:
    assert "DEMO_VERDICT" not in README

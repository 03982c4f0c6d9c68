"""What is remembered of an endpoint lies in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"

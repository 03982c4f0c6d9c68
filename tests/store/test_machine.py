from __future__ import annotations

import getpass
import json
import os
import platform
import socket
import subprocess
import sys
from importlib.metadata import version

from accordeur.store import environment


def test_it_names_this_machine_and_its_versions() -> None:
    found = environment()
    assert found["python"] == platform.python_version()
    assert 1 <= found["cpus"] <= (os.cpu_count() or 1)
    assert found["memory"] is None or found["memory"] > 2**26
    assert found["packages"]["numpy"] == version("numpy")
    assert "not-a-package" not in found["packages"]
    assert json.loads(json.dumps(found)) == found


def test_it_names_neither_person_nor_host() -> None:
    text = json.dumps(environment())
    for word in (socket.gethostname(), os.path.expanduser("~")):  # noqa: PTH111
        assert len(word) < 4 or word not in text
    user = getpass.getuser()
    assert user == "root" or len(user) < 4 or user not in text


def test_the_store_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, accordeur.store as s; s.environment();"
        "print([m for m in ('torch', 'numpy', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

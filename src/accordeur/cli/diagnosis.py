"""What `doctor` looks at, as plain facts."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from accordeur.cli.figures import plural
from accordeur.cli.terminal import near_path
from accordeur.report.numbers import size

OPTIONAL_EXTRAS = ("data",)
"""Extras whose absence stops no ordinary run."""

HIDDEN_EXTRAS = ("dev", "bench")
"""Extras for people who work on Accordeur itself."""

_FAST_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
_TIGHT_DISK = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis.

    Attributes:
        name: what was looked at.
        state: `ok`, `missing`, `old`, `broken`, or `note` for what is only said.
        detail: version, place, size.
        command: what to type to mend it; empty when there is nothing to do.
        needed: `accordeur run` with its defaults cannot do without.
    """

    name: str
    state: str
    detail: str = ""
    command: str = ""
    needed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def diagnose() -> list[Finding]:
    """Everything, in the order it is shown."""
    return [*_machine(), *_packages(), _torch(), *_models(), *_folders()]


def _machine() -> Iterator[Finding]:
    from accordeur import __version__
    from accordeur.store.machine import cpu_features, cpu_name, usable_cpus, usable_memory

    yield Finding("accordeur", "ok", f"{__version__} in {near_path(Path(__file__).parents[1])}")
    old = sys.version_info < (3, 11)
    yield Finding(
        "Python",
        "old" if old else "ok",
        f"{platform.python_version()}, {near_path(Path(sys.executable))}",
        "install Python 3.11 or newer" if old else "",
        needed=True,
    )
    yield Finding("system", "ok", f"{platform.system()} {platform.release()}")
    features = cpu_features()
    fast = sorted(_FAST_BF16 & set(features))
    bf16 = f"fast bfloat16 ({', '.join(fast)})" if fast else "no fast bfloat16"
    cores = plural(usable_cpus(), "core")
    yield Finding("processor", "ok", f"{cpu_name() or 'unknown'}, {cores}, {bf16}")
    yield Finding("memory", "ok", f"{size(usable_memory())} usable")


def _packages() -> Iterator[Finding]:
    """One line for the core and one for each extra."""
    try:
        wanted = requires("accordeur") or []
    except PackageNotFoundError:
        yield Finding("packages", "note", "not installed as a package; versions are not checked")
        return
    extras: dict[str, list[str]] = {"": []}
    for line in wanted:
        requirement, _, marker = line.partition(";")
        found = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        extras.setdefault(found[1] if found else "", []).append(requirement.strip())
    for extra, requirements in extras.items():
        if extra not in HIDDEN_EXTRAS:
            yield _extra(extra, requirements)


def _extra(extra: str, requirements: list[str]) -> Finding:
    there, missing, old = [], [], []
    for requirement in requirements:
        name = re.split(r"[\s<>=!~\[(]", requirement, maxsplit=1)[0]
        try:
            found = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        least = re.search(r">=\s*([\d.]+)", requirement)
        if least and _numbers(found) < _numbers(least[1]):
            old.append(f"{name} {found} (needs {least[1]})")
        else:
            there.append(f"{name} {found}")
    optional = extra in OPTIONAL_EXTRAS
    install = f"pip install 'accordeur[{extra}]'" if extra else "pip install --upgrade accordeur"
    state = "missing" if missing else "old" if old else "ok"
    parts = [
        f"missing: {', '.join(missing)}" if missing else "",
        f"too old: {', '.join(old)}" if old else "",
        ", ".join(there),
    ]
    return Finding(
        f"packages [{extra}]" if extra else "packages",
        "note" if optional and missing else state,
        "; ".join(part for part in parts if part) + (" (optional)" if optional and missing else ""),
        "" if state == "ok" else install,
        needed=not optional,
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])


def _torch() -> Finding:
    """Whether torch works here, and for what it was built."""
    get = "pip install 'accordeur[local]'"
    try:
        version("torch")
    except PackageNotFoundError:
        return Finding("torch", "missing", "runs the language model", get, needed=True)
    try:
        import torch
    except Exception as error:  # a build for another machine fails in many ways
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return Finding("torch", "broken", reason, f"pip uninstall torch && {get}", needed=True)
    if torch.version.cuda is None:
        build = "CPU build" if sys.platform != "darwin" else "macOS build"
    elif torch.cuda.is_available():
        cards = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
        build = f"CUDA {torch.version.cuda} build, {', '.join(cards)}"
    else:
        build = f"CUDA {torch.version.cuda} build, no usable GPU: runs on the CPU"
    threads = plural(torch.get_num_threads(), "thread")
    return Finding("torch", "ok", f"{torch.__version__}, {build}, {threads}", needed=True)


def _models() -> Iterator[Finding]:
    from accordeur.cli.models.list import state_of
    from accordeur.models.catalog import installed

    for one in installed():
        state = state_of(one)
        pull = f"accordeur models pull {one.model.name}"
        place = one.converted or one.path
        where = f"{near_path(place)}, {size(one.bytes)} in the cache" if place else ""
        if state == "missing":
            yield Finding(f"local/{one.model.name}", "missing", one.model.title, pull, needed=True)
        elif state == "not converted":
            detail = f"{one.model.title}; converted at first use, some seconds"
            yield Finding(f"local/{one.model.name}", "ok", detail, pull, needed=True)
        else:
            detail = f"{one.model.title}, {where}"
            yield Finding(f"local/{one.model.name}", "ok", detail, needed=True)


def _folders() -> Iterator[Finding]:
    from accordeur.core.paths import cache_folder, runs_folder

    for name, folder in (("cache", cache_folder()), ("runs", runs_folder())):
        there = _nearest(folder)
        free = _free(there)
        used = size(_used(folder)) if folder.is_dir() else "not made yet"
        detail = f"{near_path(folder)}, {used}, {size(free)} free"
        if not (there.is_dir() and os.access(there, os.W_OK)):
            move = f"export ACCORDEUR_{name.upper()}=/another/folder"
            yield Finding(name, "broken", f"{detail}; cannot be written", move, needed=True)
        elif free is not None and free < _TIGHT_DISK:
            yield Finding(name, "note", f"{detail}; that is little")
        else:
            yield Finding(name, "ok", detail, needed=True)


def _nearest(folder: Path) -> Path:
    """The folder itself, or what is there where it would be made."""
    full = folder.absolute()
    return next((place for place in (full, *full.parents) if place.exists()), Path("/"))


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _used(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:
                continue
    return total

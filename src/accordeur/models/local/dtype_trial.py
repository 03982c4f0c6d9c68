"""bfloat16 or float32: whichever a short trial shows to be faster here, remembered per machine.

The trial times one layer's linear maps of the model's own sizes. Machines without bfloat16
instructions are several times slower in it. The answer is written to the cache folder, so later
runs of the same plan use the same dtype (DESIGN P9).
"""

from __future__ import annotations

import platform
import time

import torch

from accordeur.core.fingerprint import digest
from accordeur.core.model import DtypeTrial
from accordeur.core.paths import cache_folder
from accordeur.models.trials import read_trials, remember_trial

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_MARGIN = 1.15
"""bfloat16 has to be this much faster, since it also costs accuracy."""

_SMALL = 10**7
"""Networks with fewer weights than this in their feed-forward layers are not worth a trial."""

_TOKENS = 256
_SECONDS = 0.4


def choose_dtype(
    model: str, *, width: int, inner: int, layers: int, device: torch.device
) -> DtypeTrial:
    """The stored trial of this model on this machine, or a new one.

    Args:
        model: digest of the weights.
        width, inner, layers: sizes of the network.
        device: where it will run.
    """
    if 3 * width * inner * layers < _SMALL:
        return DtypeTrial("float32")
    key = digest([model, machine(device)])
    path = cache_folder() / "dtype-trials.json"
    stored = read_trials(path)
    if key in stored:
        return DtypeTrial(stored[key]["chosen"], stored[key]["tokens_per_second"])
    speeds = {name: _speed(dtype, width, inner, device) / layers for name, dtype in DTYPES.items()}
    chosen = "bfloat16" if speeds["bfloat16"] > _MARGIN * speeds["float32"] else "float32"
    found = {"chosen": chosen, "tokens_per_second": speeds, "machine": machine(device)}
    remember_trial(path, key, found)
    return DtypeTrial(chosen, speeds)


def machine(device: torch.device) -> list[str]:
    """What makes two machines the same for a trial."""
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    cpu = torch.backends.cpu.get_cpu_capability()
    return [platform.node(), name, cpu, str(torch.get_num_threads()), torch.__version__]


@torch.inference_mode()
def _speed(dtype: torch.dtype, width: int, inner: int, device: torch.device) -> float:
    """Tokens per second through one layer's linear maps, best of the repetitions."""
    hidden = torch.randn(_TOKENS, width, device=device).to(dtype)
    up = torch.randn(2 * inner, width, device=device).to(dtype)
    down = torch.randn(width, inner, device=device).to(dtype)
    best = float("inf")
    start = time.perf_counter()
    while time.perf_counter() - start < _SECONDS:
        began = time.perf_counter()
        wide = torch.nn.functional.linear(hidden, up)
        torch.nn.functional.linear(wide[:, :inner], down)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return _TOKENS / best

"""How classifiers are written: `classifier/classifier.json` and `classifier/weights.safetensors`.

Reading trusts nothing: every value is asked for by name and type, every tensor by shape and dtype,
and whatever else is there is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from accordeur.core.errors import BundleError

SETTINGS_FILE = "classifier/classifier.json"
TENSOR_FILE = "classifier/weights.safetensors"

Tensor = npt.NDArray[Any]

_HINT = "save the bundle again from its run"


def write(
    kind: str, settings: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None
) -> dict[str, bytes]:
    """The files of a classifier: settings as JSON, numbers as safetensors."""
    text = json.dumps({"kind": kind, **settings}, indent=2, sort_keys=True, ensure_ascii=False)
    files = {SETTINGS_FILE: (text + "\n").encode("utf-8")}
    if tensors:
        from safetensors.numpy import save

        # Without this a transposed view would be written in the wrong order.
        files[TENSOR_FILE] = save({name: np.ascontiguousarray(t) for name, t in tensors.items()})
    return files


def stored_kind(files: Mapping[str, bytes]) -> str:
    """The kind named in the files.

    Raises:
        BundleError: the settings are missing, garbled or name none.
    """
    kind = _settings(files).get("kind")
    return kind if isinstance(kind, str) else refuse("it names no kind")


def refuse(what: str) -> NoReturn:
    """Raise the error for files no classifier has written.

    Raises:
        BundleError: always.
    """
    raise BundleError(f"The classifier of the bundle cannot be read: {what}.", hint=_HINT)


@dataclass(frozen=True, slots=True)
class Stored:
    """Settings and tensors read back, asked for one by one.

    Attributes:
        settings: as in the JSON file, without `kind`.
        tensors: by name.
    """

    settings: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def text(self, name: str) -> str:
        """A string. Raises `BundleError` when it is none."""
        value = self.settings.get(name)
        return value if isinstance(value, str) else refuse(f"`{name}` is no text")

    def texts(self, name: str, *, within: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Distinct strings, at least one, all of `within` if given. Raises `BundleError`."""
        value = self.settings.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            refuse(f"`{name}` is no list of texts")
        if len(set(value)) != len(value):
            refuse(f"`{name}` names one twice")
        if within is not None and not set(value) <= set(within):
            refuse(f"`{name}` holds one that is not a label")
        return tuple(value)

    def integer(self, name: str, minimum: int) -> int:
        """An integer of at least `minimum`. Raises `BundleError`."""
        value = self.settings.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            refuse(f"`{name}` is no whole number from {minimum}")
        return int(value)

    def number(self, name: str) -> float:
        """A finite positive number. Raises `BundleError`."""
        value = self.settings.get(name)
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not 0 < value < math.inf
        ):
            refuse(f"`{name}` is no positive number")
        return float(value)

    def tensor(
        self, name: str, shape: tuple[int | None, ...], dtype: npt.DTypeLike = np.float32
    ) -> Tensor:
        """A finite tensor; `None` in the shape fits any size. Raises `BundleError`."""
        found = self.tensors.get(name)
        if found is None:
            refuse(f"`{name}` is missing")
        fits = len(found.shape) == len(shape) and all(
            want in (None, size) for want, size in zip(shape, found.shape, strict=True)
        )
        if not fits or found.dtype != np.dtype(dtype):
            refuse(f"`{name}` is {found.dtype} {found.shape}, not {np.dtype(dtype)} {shape}")
        if not np.isfinite(found).all():
            refuse(f"`{name}` holds NaN or infinity")
        return found


def read(files: Mapping[str, bytes], kind: str, names: tuple[str, ...], tensors: int = 0) -> Stored:
    """Read a classifier's files.

    Args:
        files: relative path -> content.
        kind: the kind they must name.
        names: the settings they must hold, no more and no fewer.
        tensors: how many tensors there must be; 0 for no tensor file.

    Raises:
        BundleError: anything else than that.
    """
    settings = _settings(files)
    if settings.pop("kind", None) != kind:
        refuse(f"it is not of the kind `{kind}`")
    if set(settings) != set(names):
        odd = sorted(set(settings) ^ set(names))[0]
        refuse(f"the setting `{odd[:60]}` is {'missing' if odd in names else 'unknown'}")
    expected = {SETTINGS_FILE, TENSOR_FILE} if tensors else {SETTINGS_FILE}
    if set(files) != expected:
        odd = sorted(set(files) ^ expected)[0]
        refuse(f"the file `{odd[:60]}` is {'missing' if odd in expected else 'unknown'}")
    held = _tensors(files[TENSOR_FILE]) if tensors else {}
    if len(held) != tensors:
        refuse(f"there are {len(held)} tensors, not {tensors}")
    return Stored(settings, held)


def _settings(files: Mapping[str, bytes]) -> dict[str, Any]:
    if SETTINGS_FILE not in files:
        refuse(f"the file `{SETTINGS_FILE}` is missing")
    try:
        data = json.loads(files[SETTINGS_FILE].decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"The classifier of the bundle cannot be read: `{SETTINGS_FILE}` is not JSON.",
            hint=_HINT,
        ) from error
    return data if isinstance(data, dict) else refuse(f"`{SETTINGS_FILE}` holds no settings")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _tensors(data: bytes) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(
            f"The classifier of the bundle cannot be read: `{TENSOR_FILE}` is not safetensors.",
            hint=_HINT,
        ) from error

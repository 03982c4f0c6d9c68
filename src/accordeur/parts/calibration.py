"""The slot `calibration`: one number per label, added to its score (DESIGN P4)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from accordeur.core.errors import BundleError
from accordeur.core.part import Slot

Method = Literal["content-free", "fitted"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A stored bias vector b; the answer is argmax_j (s_j + b_j), ties to the first label.

    Attributes:
        method: how b was found.
        labels: names, in the order of `bias`.
        bias: nats per label.
    """

    slot: ClassVar[Slot] = "calibration"

    method: Method
    labels: tuple[str, ...]
    bias: tuple[float, ...]

    @property
    def trained_parameters(self) -> int:
        """One per label when fitted to rows; a content-free bias sees no data."""
        return len(self.bias) if self.method == "fitted" else 0

    def describe(self) -> str:
        """A few words."""
        return f"{self.method} calibration"

    def files(self) -> Mapping[str, bytes]:
        """`calibration.json`."""
        data = {"method": self.method, "bias": dict(zip(self.labels, self.bias, strict=True))}
        return {"calibration.json": json.dumps(data, indent=2, ensure_ascii=False).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Calibration:
        """Read `calibration.json` back.

        Raises:
            BundleError: it is not what `files` writes.
        """
        try:
            data = json.loads(files["calibration.json"])
            method: Method = data["method"]
            if method not in ("content-free", "fitted"):
                raise ValueError(method)
            bias = {str(name): float(value) for name, value in data["bias"].items()}
            if not all(map(math.isfinite, bias.values())):
                raise ValueError("a bias is not finite")
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            raise BundleError(
                "`calibration.json` cannot be read.",
                hint='it holds {"method": "fitted", "bias": {label: number}}',
            ) from error
        return cls(method, tuple(bias), tuple(bias.values()))


def label_probabilities(
    scores: Sequence[float], bias: Sequence[float] | None = None
) -> npt.NDArray[np.float64]:
    """softmax over labels of s + b, float64 [labels]."""
    shifted = np.asarray(scores, dtype=np.float64)
    if bias is not None:
        shifted = shifted + np.asarray(bias, dtype=np.float64)
    shifted = shifted - shifted.max()
    weights = np.exp(shifted)
    return np.asarray(weights / weights.sum())

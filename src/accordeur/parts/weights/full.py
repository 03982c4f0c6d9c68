"""All weights of a model after full fine-tuning, as a Hugging Face folder that anything loads."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from accordeur.core.errors import BundleError
from accordeur.core.part import Slot

FOLDER = "weights/"
_TENSORS = f"{FOLDER}model.safetensors"
_CONFIG = f"{FOLDER}config.json"
_OWN = f"{FOLDER}training.json"


@dataclass(frozen=True, eq=False, slots=True)
class FullWeights:
    """A model of its own.

    The file of tensors is held once, as it stands on disk, and read by what loads it: for a model
    of 135 million parameters it is 538 MB in float32.

    Attributes:
        tensors: `model.safetensors`.
        beside: configuration, tokenizer and chat template: the other files of the folder, by name.
        base: name of the base model it was trained from.
        prompt: fingerprint of the prompt it was trained with.
    """

    slot: ClassVar[Slot] = "weights"

    tensors: bytes = field(repr=False)
    beside: Mapping[str, bytes] = field(repr=False)
    base: str
    prompt: str

    @property
    def trained_parameters(self) -> int:
        """Numbers in all tensors."""
        total = 0
        for name, about in _header(self.tensors).items():
            size = 1
            for length in about["shape"] if name != "__metadata__" else [0]:
                size *= int(length)
            total += size
        return total

    def describe(self) -> str:
        """A few words."""
        return "all weights trained"

    def files(self) -> Mapping[str, bytes]:
        """A Hugging Face folder and `training.json`."""
        own = {"base": self.base, "prompt": self.prompt}
        return {
            **{f"{FOLDER}{name}": data for name, data in sorted(self.beside.items())},
            _TENSORS: self.tensors,
            _OWN: json.dumps(own, indent=2, sort_keys=True).encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> FullWeights:
        """Read the files back.

        Raises:
            BundleError: they are not what `files` writes.
        """
        try:
            own = json.loads(files[_OWN])
            json.loads(files[_CONFIG])
            tensors = files[_TENSORS]
            if not _header(tensors):
                raise ValueError("there is no tensor")
            beside = {
                name.removeprefix(FOLDER): data
                for name, data in files.items()
                if name not in (_TENSORS, _OWN)
            }
            return cls(tensors, beside, str(own["base"]), str(own["prompt"]))
        except (KeyError, ValueError, TypeError, struct.error) as error:
            raise BundleError(
                f"The weights of the bundle cannot be read: {error}.",
                hint="save the bundle again from its run",
            ) from error


def _header(data: bytes) -> dict[str, Any]:
    """The header of a safetensors file: eight bytes of length, then JSON.

    Raises:
        ValueError: it is none, or the file is cut.
    """
    (length,) = struct.unpack_from("<Q", data)
    if length > len(data) - 8:
        raise ValueError("the file is cut")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    ends = [about["data_offsets"][1] for name, about in header.items() if name != "__metadata__"]
    if ends and max(ends) != len(data) - 8 - length:
        raise ValueError("the file is cut")
    return header

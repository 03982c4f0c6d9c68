"""The slots of a candidate and what a part must be.

A part is data plus the code that runs it. It can be written as plain files and read back; it never
holds a model, an open file or a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol, get_args, runtime_checkable

Slot = Literal[
    "prompt",
    "demonstrations",
    "retrieval",
    "tools",
    "memory",
    "pattern",
    "soft_prompt",
    "weights",
    "classifier",
    "calibration",
    "decoding",
]

SLOTS: tuple[Slot, ...] = get_args(Slot)
"""All slots, in the order in which a request is rendered and answered."""


@runtime_checkable
class Part(Protocol):
    """What fills a slot.

    Parts are frozen dataclasses. `files` gives everything needed to rebuild one; its hash is the
    part's fingerprint. The class method `from_files` is its inverse and must trust nothing: it
    reads JSON, JSONL, text and safetensors, never pickle, and raises `BundleError` for anything
    it does not understand.
    """

    slot: ClassVar[Slot]

    @property
    def trained_parameters(self) -> int:
        """Numbers fitted to data; 0 for words and settings."""
        ...

    def files(self) -> Mapping[str, bytes]:
        """Relative POSIX path -> content, as it stands in a bundle."""
        ...

    def describe(self) -> str:
        """A few words for a table, such as `8 nearest demonstrations`."""
        ...

"""Several soft prompts of one model, asked together: prompt ensembling.

B. Lester, R. Al-Rfou and N. Constant 2021, section 6: one frozen model answers for N prompts in one
batch. They take the majority; we take the mixture of the probabilities, which also ranks labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import FloatArray
from accordeur.core.part import Slot
from accordeur.parts.soft_prompt.virtual_tokens import FOLDER, SoftPrompt

OWN = f"{FOLDER}/ensemble.json"


@dataclass(frozen=True, eq=False, slots=True)
class SoftPromptEnsemble:
    """Soft prompts that stand at the same place, one per seed.

    Attributes:
        members: at least two, of one base model.
    """

    slot: ClassVar[Slot] = "soft_prompt"

    members: tuple[SoftPrompt, ...]

    @property
    def vectors(self) -> FloatArray:
        """Those of all members, float32 [n, width]."""
        return np.concatenate([member.vectors for member in self.members])

    @property
    def prompt(self) -> str:
        """Fingerprint of the prompt they were trained with."""
        return self.members[0].prompt

    @property
    def trained_parameters(self) -> int:
        """Numbers that training moved."""
        return sum(member.trained_parameters for member in self.members)

    def describe(self) -> str:
        """A few words."""
        return f"{len(self.members)} x {self.members[0].describe()}"

    def files(self) -> Mapping[str, bytes]:
        """A folder in PEFT's format for every member."""
        count = {"members": len(self.members)}
        return {
            OWN: json.dumps(count, indent=2).encode(),
            **{
                _moved(name, number): data
                for number, member in enumerate(self.members)
                for name, data in member.files().items()
            },
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> SoftPromptEnsemble:
        """Read the files back.

        Raises:
            BundleError: they are not what `files` writes.
        """
        try:
            count = int(json.loads(files[OWN])["members"])
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                "The soft prompts of the bundle cannot be read.",
                hint="save the bundle again from its run",
            ) from error
        known = [
            {
                name: files[place]
                for name in SoftPrompt.NAMES
                if (place := _moved(name, at)) in files
            }
            for at in range(count)
        ]
        return cls(tuple(SoftPrompt.from_files(one) for one in known))


def _moved(name: str, number: int) -> str:
    return name.replace(f"{FOLDER}/", f"{FOLDER}/{number}/", 1)

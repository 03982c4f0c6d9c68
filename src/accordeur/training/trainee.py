"""What is trained: the numbers that move, the loss that moves them, and the candidate they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.training.ground import Ground
from accordeur.training.rows import TrainingRow


@dataclass(frozen=True, slots=True)
class Moving:
    """A tensor that training moves.

    Attributes:
        name: of its own among those that move together; checkpoints use it.
        master: float32, whatever the model computes in: bfloat16 would swallow small steps.
        rate: factor of the schedule's learning rate.
    """

    name: str
    master: Tensor
    rate: float = 1.0


class Trainee(Protocol):
    """One lever's training, as the loop sees it."""

    @property
    def ground(self) -> Ground:
        """The modules it runs on."""
        ...

    @property
    def moving(self) -> Sequence[Moving]:
        """All that moves."""
        ...

    def loss(self, rows: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        """Summed negative log-likelihood of the rows' answers, nats, and its number of tokens."""
        ...

    def gather(self) -> None:
        """After the backward pass: bring gradients to the masters, where they are not yet."""
        ...

    def spread(self) -> None:
        """After the masters changed: bring them to where the model computes."""
        ...

    def candidate(self) -> Candidate:
        """The candidate with what has been learned so far."""
        ...


class Recipe(Protocol):
    """A lever's settings that make a trainee of a candidate."""

    def begin(self, candidate: Candidate, ground: Ground, seed: int) -> Trainee:
        """Step 0.

        Raises:
            TaskError, ModelError: it cannot be trained like that.
        """
        ...

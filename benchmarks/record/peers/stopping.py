"""The clock, as transformers' trainers hear it."""

from __future__ import annotations

from typing import Any

import transformers

from benchmarks.record.peers.job import Clock


class Stop(transformers.TrainerCallback):
    """Ends training when a share of its time is over; knows how many steps were taken."""

    def __init__(self, clock: Clock, share: float = 1.0) -> None:
        self._clock, self._share = clock, share
        self.steps = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        self.steps = state.global_step
        if self._clock.gone >= self._share * self._clock.seconds:
            control.should_training_stop = True
        return control

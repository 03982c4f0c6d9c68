"""How fast an endpoint answers, measured with a few short calls that are never asked twice.

What was answered is written down at once: a command whose limit of calls ends in the middle of it
goes on from there. A speed measured while the endpoint pushed back is that of a bad moment: it
serves this command and is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from accordeur.core.model import Batch, Capability, Generated, Model, Sampling, Scored
from accordeur.core.rendering import Rendered
from accordeur.models.openai_api.model import EndpointModel

SCORED = 8
"""Prompts that are scored."""

LABELS = ("yes", "no")

Done = tuple[int, ...]


class SpeedProbe:
    """Positions read and tokens written per second.

    Args:
        model: behind an endpoint.
        prompts: short ones.
        place: of what was measured so far.
    """

    def __init__(self, model: Model, prompts: Sequence[Rendered], place: Path) -> None:
        self._model = model
        self._prompts = prompts
        self._place = place
        self._known = self._read()

    def measure(self) -> tuple[dict[str, float], bool]:
        """Speeds of `forecast.Speed` by name, those that could be measured; whether to keep them.

        Raises:
            EndpointGone: the endpoint is gone, or what may be spent is; what was answered is kept.
        """
        pushed = self._pushed()
        found: dict[str, float] = {}
        if Capability.SCORE in self._model.capabilities:
            few = self._prompts[:SCORED]
            found["prompt"] = self._rate(
                "prompt", lambda done: self._model.score(few, LABELS, done=done), self._read_tokens
            )
        for name, few in (("decode", self._prompts), ("single", self._prompts[:1])):
            found[name] = self._rate(name, self._writes(few), _written)
        with suppress(OSError):
            self._place.unlink(missing_ok=True)
        return {name: rate for name, rate in found.items() if rate > 0}, self._pushed() == pushed

    def _writes(self, few: Sequence[Rendered]) -> Callable[[Done], Iterator[Batch[Generated]]]:
        return lambda done: self._model.generate(few, Sampling(max_tokens=16), done=done)

    def _rate(
        self,
        name: str,
        work: Callable[[Done], Iterator[Batch[Any]]],
        tokens: Callable[[int, Any], float],
    ) -> float:
        """Tokens per second; 0 where nothing was answered."""
        tally = self._known.setdefault(name, {"done": [], "tokens": 0.0, "seconds": 0.0})
        for batch in work(tuple(tally["done"])):
            for index, result in zip(batch.indices, batch.results, strict=True):
                tally["done"].append(index)
                tally["tokens"] += 0.0 if result.error else tokens(index, result)
            tally["seconds"] += batch.seconds
            self._write()
        return float(tally["tokens"]) / max(1e-6, float(tally["seconds"]))

    def _read_tokens(self, index: int, result: Scored) -> float:
        """As the forecast counts them: what no other prompt shares, and the labels."""
        total, shared = self._model.prompt_tokens(self._prompts[index])
        return total - shared + sum(self._model.count_tokens(label) for label in LABELS)

    def _pushed(self) -> int:
        return self._model.client.pace.pushes if isinstance(self._model, EndpointModel) else 0

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            data = json.loads(self._place.read_text(encoding="utf-8"))
            return {
                str(name): {
                    "done": [int(one) for one in tally["done"]],
                    "tokens": float(tally["tokens"]),
                    "seconds": float(tally["seconds"]),
                }
                for name, tally in data.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        with suppress(OSError):  # then it costs a few calls more
            self._place.parent.mkdir(parents=True, exist_ok=True)
            self._place.write_text(json.dumps(self._known), encoding="utf-8")


def _written(index: int, result: Generated) -> float:
    return float(result.usage.output_tokens)

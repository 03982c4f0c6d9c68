"""Which systems answered: an endpoint's `system_fingerprint` changes with weights and software.

Vendors answer with several at once, so it is no part of a model's identity. One that was never seen
is told: answers kept of before may be those of another model.
"""

from __future__ import annotations

from collections import Counter, deque

from accordeur.models.openai_api.abilities import Memory


class Fingerprints:
    """Counts the systems that answer.

    Args:
        memory: knows those that answered before.

    Attributes:
        seen: answers of each, in this process.
        news: sentences to be told about those that were never seen before.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.news: deque[str] = deque()
        self._known: list[str] | None = None
        self.seen: Counter[str] = Counter()

    def answered(self, fingerprint: str) -> None:
        """Note an answer; empty where the endpoint tells none."""
        if not fingerprint:
            return
        self.seen[fingerprint] += 1
        if self._known is None:
            self._known = self._memory.fingerprints()
        if fingerprint in self._known:
            return
        if self._known:
            self.news.append(
                f"another system fingerprint, `{fingerprint}`; before it was `{self._known[-1]}`. "
                "Other weights or other software answer: what is known from before is used all "
                "the same unless --no-cache is given"
            )
        self._known.append(fingerprint)
        self._memory.add_fingerprint(fingerprint)

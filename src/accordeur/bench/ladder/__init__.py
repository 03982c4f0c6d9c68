"""The oracle ladder: why retrieval helps on a task, or does not.

The base model answers the dev rows whose answers have places (`spans`) five times, with the plain
prompt: without documents (*closed book*), with the passages that hold the answer (*gold passage*),
with the best set of passages that any ranking found for the row (*best retriever*), with those of
the ranking in use (*real retriever*), and with those of them that do not hold the answer
(*distractors*). What each step gains or loses says what to work on.

The rungs see labels, so they are measurements and nothing else: they stand in no ledger, take no
part in the decision, and are made after it.

`rungs.py` says which passages a rung shows, `climb.py` measures, `words.py` says what it means.
"""

from accordeur.bench.ladder.climb import climb

__all__ = ["climb"]

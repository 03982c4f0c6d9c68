"""Two labels, zero-shot, after 600 sentences of uci_sentences."""

from __future__ import annotations

from benchmarks.engine.compare import arguments, report
from benchmarks.engine.work import study

if __name__ == "__main__":
    options = arguments(str(__doc__), questions=600, peer_questions=600)
    instruction = "Is this review positive or negative? Answer with one of: positive, negative."
    work = study("uci_sentences", instruction, questions=options.questions, shots=0)
    report(work, options, together=True)

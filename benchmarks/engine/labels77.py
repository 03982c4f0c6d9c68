"""77 labels after banking77 questions behind 16 demonstrations."""

from __future__ import annotations

from benchmarks.engine.compare import arguments, report
from benchmarks.engine.work import study

if __name__ == "__main__":
    options = arguments(str(__doc__), questions=500, peer_questions=2)
    instruction = "Which intent does this customer question have?"
    work = study("banking77", instruction, questions=options.questions, shots=16)
    report(work, options, together=False)

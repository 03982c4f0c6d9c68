"""What a benchmark prints while a run goes on: a line for every entry that ended."""

from __future__ import annotations

import time

from accordeur.bench.observer import EntryView, Silent


class Lines(Silent):
    """Time, entry, what became of it, dev score."""

    def entry(self, view: EntryView) -> None:
        score = "-" if view.dev is None else f"{100 * view.dev:.1f}"
        print(f"  {time.strftime('%H:%M:%S')} {view.name}: {view.status} dev {score}", flush=True)

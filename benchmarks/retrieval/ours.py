"""Accordeur's side of the race: an index on disk, built and asked as its commands do it.

python ours.py WORK.json RESULT.json
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from accordeur.documents.index import IndexSettings, build_index, open_index
from accordeur.models.embedding.choice import FASTEST
from accordeur.models.source import EMBEDDER, Models
from benchmarks.retrieval.clock import Clock


def main() -> None:
    """Index the texts, answer the questions."""
    work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    embedder = Models().embedder(EMBEDDER, FASTEST)
    embedder.embed(["warm"])
    with tempfile.TemporaryDirectory() as folder:
        docs = Path(folder) / "docs"
        docs.mkdir()
        for name, text in work["texts"].items():
            (docs / f"{name}.txt").write_text(text, encoding="utf-8")
        place = Path(folder) / "index"
        with Clock() as indexing:
            report = build_index([docs], place, IndexSettings(chunk_tokens=256), embedder)
        ranked = []
        with Clock() as asking, open_index(place, embedder) as index:
            for question in work["questions"]:
                found = index.search([question], 2 * work["k"])[0]
                names = [Path(one.passage.span.document).stem for one in found]
                ranked.append(list(dict.fromkeys(names))[: work["k"]])
    told = {
        "side": f"accordeur ({embedder.identity.engine.split('/')[0]}, {embedder.identity.dtype})",
        "indexing": indexing.to_json(),
        "asking": asking.to_json(),
        "passages": report.passages,
        "ranked": ranked,
    }
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()

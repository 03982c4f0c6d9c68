"""Finds the places of the quotes in the rows, through the readers that an index uses.

    python examples/handbook/spans.py            # writes start and end anew
    python examples/handbook/spans.py --check    # says which rows are not as they should be

The quote is what was written by hand. It is looked for word by word, whatever white space and bars
of tables stand between; `start` and `end` are then counted in the text of the document's reader,
and the quote becomes the text that stands there.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from accordeur.documents.readers import reader_for

HERE = Path(__file__).parent
SPLITS = ("train", "dev", "test")


@cache
def text_of(document: str) -> str:
    """What the reader gives of a document, by its name below `documents/`."""
    path = HERE / "documents" / document
    return reader_for(document).read(path.read_bytes(), document).text


def place(document: str, quote: str) -> tuple[int, int]:
    """Where a quote stands, as start and end.

    Raises:
        ValueError: it stands nowhere, or more than once.
    """
    words = re.findall(r"[^\s|]+", quote)
    pattern = r"[\s|]+".join(map(re.escape, words))
    found = [match.span() for match in re.finditer(pattern, text_of(document))]
    if len(found) != 1:
        raise ValueError(f"{document}: {len(found)} places for `{quote}`")
    return found[0]


def placed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its spans as the readers give them now."""
    spans = []
    for span in row["spans"]:
        start, end = place(span["document"], span["quote"])
        quote = text_of(span["document"])[start:end]
        spans.append({"document": span["document"], "start": start, "end": end, "quote": quote})
    return {**row, "spans": spans}


def rows_of(split: str) -> list[dict[str, Any]]:
    """The rows of a file."""
    text = (HERE / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def main(check: bool) -> int:
    """Rewrite the rows, or with `check` only name those that would change."""
    changed = 0
    for split in SPLITS:
        rows = rows_of(split)
        new = [placed(row) for row in rows]
        stale = [row["id"] for row, now in zip(rows, new, strict=True) if row != now]
        changed += len(stale)
        if check:
            print(f"{split}: {len(stale)} of {len(rows)} rows to place anew", *stale)
            continue
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in new)
        (HERE / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return int(check and changed > 0)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

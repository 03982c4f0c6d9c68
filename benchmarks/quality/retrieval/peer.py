"""The same texts through sentence-transformers; run by an interpreter that has it.

python peer.py MODEL_FOLDER TEXTS.json VECTORS.npy
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np


def main() -> None:
    """Embed the texts, each scaled to length 1."""
    from sentence_transformers import SentenceTransformer

    folder, texts, out = sys.argv[1:]
    model = SentenceTransformer(folder, device="cpu")
    told = json.loads(Path(texts).read_text(encoding="utf-8"))
    np.save(out, model.encode(told, normalize_embeddings=True, show_progress_bar=False))


if __name__ == "__main__":
    main()

"""Vectors of a set in each of the embedder's numbers, kept in a folder between runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accordeur.core.model import Embedder, FloatArray
from accordeur.models import catalog
from benchmarks.quality.retrieval.sets import RetrievalSet

PEER = "sentence-transformers"


class KeptEmbedder:
    """Vectors of known texts.

    Attributes:
        dtype: they were computed in.
    """

    def __init__(self, dtype: str, texts: Sequence[str], vectors: FloatArray) -> None:
        self.dtype = dtype
        self._vectors = dict(zip(texts, vectors, strict=True))

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, d].

        Raises:
            KeyError: a text is not among the known ones.
        """
        return np.stack([self._vectors[text] for text in texts])


def all_texts(chosen: RetrievalSet) -> list[str]:
    """Texts of passages and questions, each once."""
    both = [one.text for one in chosen.passages] + [one.text for one in chosen.questions]
    return list(dict.fromkeys(both))


def kept(chosen: RetrievalSet, embedder: Embedder, folder: Path) -> KeptEmbedder:
    """Vectors of all texts of a set, computed where the folder does not hold them."""
    texts, dtype = all_texts(chosen), embedder.identity.dtype
    path = folder / f"{chosen.name}-{dtype}-{len(texts)}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, embedder.embed(texts))
    return KeptEmbedder(dtype, texts, np.load(path))


def peers(chosen: RetrievalSet, python: str, folder: Path) -> KeptEmbedder:
    """The same from sentence-transformers, by an interpreter that has it."""
    texts = all_texts(chosen)
    path = folder / f"{chosen.name}-{PEER}-{len(texts)}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        told = path.with_suffix(".json")
        told.write_text(json.dumps(texts), encoding="utf-8")
        command = [python, str(Path(__file__).parent / "peer.py")]
        command += [str(catalog.ready(catalog.MINILM)), str(told), str(path)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""})
    return KeptEmbedder(PEER, texts, np.load(path))

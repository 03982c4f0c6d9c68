"""The peers' side of the race, each at its defaults; run by an interpreter that has them.

    python peer.py llama-index|faiss MODEL_FOLDER WORK.json RESULT.json

`llama-index`: `VectorStoreIndex` with `HuggingFaceEmbedding`, its own splitter and store in memory.
`faiss`: `SentenceTransformer.encode` and `IndexFlatIP`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.retrieval.clock import Clock

Told = dict[str, Any]


def llama_index(folder: str, work: Told) -> Told:
    """LlamaIndex's default index and retriever."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    model = HuggingFaceEmbedding(model_name=folder, device="cpu")
    model.get_text_embedding("warm")
    documents = [Document(text=text, doc_id=name) for name, text in work["texts"].items()]
    with Clock() as indexing:
        index = VectorStoreIndex.from_documents(documents, embed_model=model)
    retriever = index.as_retriever(similarity_top_k=2 * work["k"])

    def ask(question: str) -> list[str]:
        return [one.node.ref_doc_id for one in retriever.retrieve(question)]

    return _told("LlamaIndex", indexing, ask, work)


def faiss(folder: str, work: Told) -> Told:
    """sentence-transformers and an exact FAISS index."""
    import faiss
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    model.encode(["warm"])
    names = list(work["texts"])
    with Clock() as indexing:
        vectors = model.encode(list(work["texts"].values()))
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)

    def ask(question: str) -> list[str]:
        _, places = index.search(model.encode([question]), work["k"])
        return [names[place] for place in places[0]]

    return _told("sentence-transformers + FAISS", indexing, ask, work)


def _told(side: str, indexing: Clock, ask: Callable[[str], list[str]], work: Told) -> Told:
    with Clock() as asking:
        ranked = [list(dict.fromkeys(ask(one)))[: work["k"]] for one in work["questions"]]
    return {
        "side": side,
        "indexing": indexing.to_json(),
        "asking": asking.to_json(),
        "passages": len(work["texts"]),
        "ranked": ranked,
    }


def main() -> None:
    """Run the side that is named."""
    side, folder, work, out = sys.argv[1:]
    sides = {"llama-index": llama_index, "faiss": faiss}
    told = sides[side](folder, json.loads(Path(work).read_text(encoding="utf-8")))
    Path(out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()

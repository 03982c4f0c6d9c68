"""The slot `retrieval`: passages of documents that are put before each question.

`collection.py` holds what is searched, `part.py` how; `retriever.py` looks up and puts passages
before requests, `packing.py` chooses what fits and writes the delimiters, `abstention.py` estimates
whether an answer is right.
"""

from accordeur.parts.retrieval.collection import Collection
from accordeur.parts.retrieval.part import Retrieval

__all__ = ["Collection", "Retrieval", "load"]

load = Retrieval.from_files

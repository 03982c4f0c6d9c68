"""The slot `classifier`: answers without a language model (the floors of DESIGN section 4).

One file per kind. A kind is written as `classifier/classifier.json`, which names it, and where it
holds numbers `classifier/weights.safetensors`; `load_classifier` finds the kind's class in the
table below. Running a classifier needs none of the code that fitted it, which is in
`accordeur.levers.floor`.
"""

from __future__ import annotations

from collections.abc import Mapping

from accordeur.core.errors import BundleError, PlanError
from accordeur.core.registry import Registry
from accordeur.parts.classifier.classifier import (
    Classifier,
    Embed,
    LabelClassifier,
    Probabilities,
    TextClassifier,
)
from accordeur.parts.classifier.storage import stored_kind

__all__ = [
    "KINDS",
    "Classifier",
    "Embed",
    "LabelClassifier",
    "Probabilities",
    "TextClassifier",
    "load_classifier",
]

_HERE = "accordeur.parts.classifier"

KINDS = Registry(
    "accordeur.classifiers",
    "classifier",
    {
        "majority": f"{_HERE}.majority:Majority",
        "naive-bayes": f"{_HERE}.naive_bayes:NaiveBayes",
        "words-logistic": f"{_HERE}.words_logistic:WordsLogistic",
        "embedding-nearest": f"{_HERE}.embedding_nearest:EmbeddingNearest",
        "embedding-logistic": f"{_HERE}.embedding_logistic:EmbeddingLogistic",
        "lead": f"{_HERE}.lead:Lead",
        "copy": f"{_HERE}.copied:Copied",
        "most-common": f"{_HERE}.most_common:MostCommon",
        "silence": f"{_HERE}.silence:Silence",
    },
)
"""Kind -> class with `from_files`."""


def load_classifier(files: Mapping[str, bytes]) -> LabelClassifier | TextClassifier:
    """Read the slot's files back.

    Raises:
        BundleError: they are not what a classifier writes, or of a kind nobody here knows.
    """
    kind = stored_kind(files)
    try:
        part = KINDS.load(kind).from_files(files)
    except PlanError as error:
        raise BundleError(
            f"The bundle holds a classifier of the unknown kind `{kind[:60]}`.",
            hint="install the package it came from, or pip install -U accordeur",
        ) from error
    if not isinstance(part, LabelClassifier | TextClassifier):
        raise BundleError(f"The kind `{kind[:60]}` did not give a classifier.")
    return part

"""How a cross-encoder's folder takes a pair of texts apart, and how long a pair may be.

`tokenizer.json` is read where it is there. Older folders have a vocabulary of word pieces alone;
what goes with it (lower case or not) stands in `tokenizer_config.json`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from accordeur.core.errors import ModelError
from accordeur.core.fingerprint import digest
from accordeur.models.embedding.recipe import max_tokens
from accordeur.models.embedding.text_embedder import read_tokenizer

VOCABULARY = "vocab.txt"


@dataclass(frozen=True, slots=True)
class PairTokens:
    """From a pair of texts to tokens.

    Attributes:
        tokenizer: of the model.
        limit: tokens of a pair, special ones included.
        digest: of what decides them beside `tokenizer.json`.
    """

    tokenizer: Tokenizer
    limit: int
    digest: str


def read_pair_tokens(folder: Path) -> PairTokens:
    """Tokenizer and limit of a folder; the limit is sentence-transformers' (`CrossEncoder`).

    Raises:
        ModelError: it has no tokenizer, or a file is damaged.
    """
    limit = max_tokens(folder, {})
    if (folder / "tokenizer.json").is_file() or not (folder / VOCABULARY).is_file():
        return PairTokens(read_tokenizer(folder), limit, digest([limit]))
    lower = _lower(folder / "tokenizer_config.json")
    words = (folder / VOCABULARY).read_bytes()
    try:
        made = _word_pieces(folder / VOCABULARY, lower)
    except Exception as error:  # tokenizers raises no more specific class
        raise ModelError(f"`{folder / VOCABULARY}` is no vocabulary: {error}") from error
    return PairTokens(made, limit, digest([limit, lower, hashlib.sha256(words).hexdigest()]))


def _word_pieces(vocabulary: Path, lower: bool) -> Tokenizer:
    """BERT's tokenizer over a vocabulary."""
    made = Tokenizer(WordPiece.from_file(str(vocabulary), unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=lower)
    made.pre_tokenizer = BertPreTokenizer()
    ends = [(sign, made.token_to_id(sign)) for sign in ("[CLS]", "[SEP]")]
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return made


def _lower(path: Path) -> bool:
    """Whether texts are made lower case; BERT's own default where nothing is said."""
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return bool(said.get("do_lower_case", True))
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"`{path}` is damaged.", hint="fetch the model again") from error

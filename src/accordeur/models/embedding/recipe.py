"""What a sentence-transformers folder says of its model: how long a text may be, and how the states
of its tokens become one vector.

`modules.json` lists the steps. We know three: Transformer, Pooling (mean of all tokens, or the
first one's state) and Normalize. Vectors are scaled to length 1 whether Normalize is there or not,
since a search by cosine does so anyway; a model that is made for dot products of other lengths is
refused, and so is any other step, by name: leaving it out would give vectors that look right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from accordeur.core.errors import ModelError

Pooling = Literal["mean", "cls"]

TOKENS = 256
"""Longest text of a folder that does not say, as of all-MiniLM-L6-v2."""

_KNOWN = ("Transformer", "Pooling", "Normalize")
_OLD_POOLING = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_POSITIONS_AFTER_PADDING = ("camembert", "mpnet", "roberta", "xlm-roberta")
"""Networks whose first positions, up to that of the padding token, belong to no text."""

_NO_LIMIT = 10**9
"""What a tokenizer without a limit has in its place is larger."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """From a text to tokens, and from their states to a vector.

    Attributes:
        max_tokens: of a text, special ones included; what is past them is not read.
        pooling: mean over all tokens, special ones included, or the first one's state.
        lower: texts are made lower case before the tokenizer sees them.
        prompt: stands before every text.
    """

    max_tokens: int = TOKENS
    pooling: Pooling = "mean"
    lower: bool = False
    prompt: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_recipe(folder: Path) -> Recipe:
    """The recipe in a folder; the default one, as far as there are positions for it, where there is
    no `modules.json`.

    Raises:
        ModelError: a step, a pooling or a similarity that we do not know, or a damaged file.
    """
    if not (folder / "modules.json").is_file():
        return Recipe(min([TOKENS, *_positions(folder)]))
    modules = _json(folder / "modules.json")
    try:
        kinds = {str(one["type"]).rpartition(".")[2]: str(one["path"]) for one in modules}
    except (TypeError, KeyError) as error:
        raise _damaged(folder / "modules.json") from error
    unknown = [kind for kind in kinds if kind not in _KNOWN]
    if unknown or list(kinds)[:1] != ["Transformer"] or len(kinds) != len(modules):
        raise ModelError(
            f"`{folder}` is made of steps that are not known here: {', '.join(kinds)}.",
            hint=f"models of {', '.join(_KNOWN)} can be used, or an endpoint that serves this one",
        )
    inner = folder / kinds["Transformer"]
    settings = _object(inner / "sentence_bert_config.json")
    whole = _object(folder / "config_sentence_transformers.json")
    if whole.get("similarity_fn_name") not in (None, "cosine") and "Normalize" not in kinds:
        raise ModelError(
            f"`{folder}` is made for the similarity `{whole['similarity_fn_name']}`; a search here"
            " is by cosine.",
            hint="use a model whose vectors have length 1",
        )
    prompts, chosen = whole.get("prompts"), whole.get("default_prompt_name")
    prompt = prompts.get(chosen, "") if isinstance(prompts, dict) and chosen else ""
    return Recipe(
        max_tokens(inner, settings),
        _pooling(folder / kinds["Pooling"] / "config.json") if "Pooling" in kinds else "mean",
        bool(settings.get("do_lower_case", False)),
        str(prompt),
    )


def max_tokens(folder: Path, settings: Mapping[str, Any]) -> int:
    """Longest text, as sentence-transformers: what is set, else what tokenizer and positions allow.

    Args:
        folder: of the network.
        settings: may hold `max_seq_length`.

    Raises:
        ModelError: a file is damaged.
    """
    positions = _positions(folder)
    for limit in (
        settings.get("max_seq_length"),
        _object(folder / "tokenizer_config.json").get("model_max_length"),
    ):
        if isinstance(limit, int) and 2 < limit < _NO_LIMIT:
            return min([limit, *positions])
    return min(positions, default=TOKENS)


def _positions(folder: Path) -> list[int]:
    """Tokens for which the network has positions; nothing where it does not say."""
    config = _object(folder / "config.json")
    most, padding = config.get("max_position_embeddings"), config.get("pad_token_id")
    if not isinstance(most, int):
        return []
    after_padding = config.get("model_type") in _POSITIONS_AFTER_PADDING
    return [most - (padding + 1 if after_padding and isinstance(padding, int) else 0)]


def _pooling(path: Path) -> Pooling:
    settings = _object(path)
    named = settings.get("pooling_mode")
    old = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value]
    modes = [str(named)] if named else [_OLD_POOLING.get(name, name) for name in old]
    if modes == ["mean"]:
        return "mean"
    if modes == ["cls"]:
        return "cls"
    raise ModelError(
        f"The pooling `{', '.join(modes) or 'none'}` in `{path}` is not known here.",
        hint="models with mean or cls pooling can be used",
    )


def _object(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is no file."""
    found = _json(path) if path.is_file() else {}
    if not isinstance(found, dict):
        raise _damaged(path)
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(f"`{path}` is damaged.", hint="fetch the model again")

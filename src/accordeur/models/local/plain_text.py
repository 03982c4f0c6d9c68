"""Text to tokens and back, where text stays text whatever it spells.

A row that holds `<|im_end|>` or `</s>` is a row about those letters: it must not end a turn or a
text. Tokenisers can be told not to look for their special tokens; those of SentencePiece may spell
one out of their vocabulary all the same, and that spelling is then broken.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import threading
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from accordeur.models.local.token_bytes import TokenBytes

_TAG = re.compile(r"<[^\s>]+>|\[[A-Z_/]+\]")
_WORD_START = re.compile("Prepend|Metaspace")

_READING = threading.Lock()
"""Whether a tokenizer reads control tokens is a setting of its own, which all threads see."""


KEPT_LETTERS = 512
"""Longer texts are not kept with their tokens: thousands of them would fill the memory."""


class PlainText:
    """The tokenizer of one model, for text that is only text.

    Args:
        tokenizer: of transformers, with a `backend_tokenizer`.
        virtual: ids of virtual tokens.
        words: a tokenizer that starts every text as a new word (SentencePiece) may do so, white
            space at the edges then being lost; else nothing is put before a text.

    Attributes:
        control: id -> spelling of the tokens that no text may become. A token that stands for
            letters the vocabulary lacks, and for nothing else, is none of them.
        backend: the tokenizer itself, which reads control tokens.
    """

    def __init__(self, tokenizer: Any, virtual: range = range(0), *, words: bool = False) -> None:
        self.backend: Tokenizer = tokenizer.backend_tokenizer
        named = {tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.pad_token_id}
        unknown = {tokenizer.unk_token_id} - named
        self.control = {
            at: token.content
            for at, token in self.backend.get_added_tokens_decoder().items()
            if (token.special or _TAG.fullmatch(token.content)) and at not in unknown
        }
        self._virtual = virtual
        self._bytes = TokenBytes(self.backend)
        steps = f"{self.backend.normalizer!r} {self.backend.pre_tokenizer!r}"
        starts_words = bool(_WORD_START.search(steps))
        self._trims = words and starts_words
        self._plain = _without_control(self.backend, self.control, starts_words and not words)
        self._encode = functools.lru_cache(maxsize=65_536)(self._encode_text)  # short texts

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of text that is only text, whatever it spells."""
        text = text.strip() if self._trims else text
        return self._encode(text) if len(text) <= KEPT_LETTERS else self._encode_text(text)

    def encode_control(self, text: str) -> tuple[int, ...]:
        """Tokens of a template's own text, in which control tokens are meant."""
        with _READING:
            return tuple(self.backend.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """Text of tokens; control tokens are shown only with `special`.

        Virtual tokens have no text; a run of them is shown by its number.
        """
        parts = []
        for soft, run in itertools.groupby(tokens, self._virtual.__contains__):
            ids = list(run)
            if soft:
                parts.append(f"\u27e8{len(ids)} soft tokens\u27e9")
            else:
                parts.append(str(self.backend.decode(ids, skip_special_tokens=not special)))
        return "".join(parts)

    def token_bytes(self, token: int) -> bytes:
        """What a token stands for; of a virtual one nothing."""
        return b"" if token in self._virtual else self._bytes(token)

    def spellings(self) -> list[bytes]:
        """What every token stands for, by id; nothing for those that no text may become."""
        count = self.backend.get_vocab_size()
        return [b"" if at in self.control else self.token_bytes(at) for at in range(count)]

    def _encode_text(self, text: str) -> tuple[int, ...]:
        tokens, places = self._as_text(text)
        found = [place for at, place in zip(tokens, places, strict=True) if at in self.control]
        if not found:
            return tokens
        if len(text) < 2:
            return tuple(at for at in tokens if at not in self.control)
        # The vocabulary itself spells a control token: break each where it begins.
        cuts = {0, len(text)}
        for start, end in found:
            cuts |= {start + 1} if end - start > 1 else {start, end}
        pairs = itertools.pairwise(sorted(cuts))
        return tuple(at for start, end in pairs for at in self._encode_text(text[start:end]))

    def _as_text(self, text: str) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
        """Tokens and the characters each stands for, special tokens not looked for."""
        if self._plain is not None:
            encoding = self._plain.encode(text, add_special_tokens=False)
        else:
            with _READING:
                self.backend.encode_special_tokens = True
                try:
                    encoding = self.backend.encode(text, add_special_tokens=False)
                finally:
                    self.backend.encode_special_tokens = False
        return tuple(encoding.ids), encoding.offsets


def _without_control(
    tokenizer: Tokenizer, control: dict[int, str], strip: bool
) -> Tokenizer | None:
    """The same tokenizer without control tokens; with `strip` no space is put before a text.

    `None` where the tokenizer itself can be told to read its special tokens as text, which is
    usual and saves building a second one.
    """
    added = tokenizer.get_added_tokens_decoder()
    if all(added[at].special for at in control) and not strip:
        return None
    plain = json.loads(tokenizer.to_str())
    plain["added_tokens"] = [
        token for token in plain["added_tokens"] if int(token["id"]) not in control
    ]
    plain["post_processor"] = None
    plain["truncation"] = None
    plain["padding"] = None
    if strip:
        for name in ("normalizer", "pre_tokenizer"):
            plain[name] = _without_leading_space(plain[name])
    return Tokenizer.from_str(json.dumps(plain))


def _without_leading_space(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    if step.get("type") == "Prepend":
        return None
    if step.get("type") == "Metaspace":
        return {**step, "prepend_scheme": "never"}
    for key in ("normalizers", "pretokenizers"):
        if key in step:
            inner = [_without_leading_space(part) for part in step[key]]
            return {**step, key: [part for part in inner if part is not None]}
    return step

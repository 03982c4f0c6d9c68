"""The bytes that a token stands for.

A character may take several tokens; decoded by itself, each of them is only a mark for something
that is no text. Its bytes put together are the character. Tokenizers that work on bytes write them
as letters (GPT-2, Radford et al. 2019, `bytes_to_unicode`), those with byte fallback as `<0xE2>`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import cached_property

from tokenizers import Tokenizer

_FALLBACK = re.compile("<0x([0-9A-F]{2})>")
_SPACE = "\u2581"
"""SentencePiece's letter for a space."""


class TokenBytes:
    """Bytes of the tokens of one tokenizer.

    Args:
        backend: the tokenizer.
    """

    def __init__(self, backend: Tokenizer) -> None:
        self._backend = backend
        decoder = repr(backend.decoder)
        self._letters = "ByteLevel" in decoder
        self._spaces = "Metaspace" in decoder or f'"{_SPACE}"' in decoder

    @cached_property
    def _added(self) -> dict[int, str]:
        added = self._backend.get_added_tokens_decoder()
        return {at: token.content for at, token in added.items()}

    def __call__(self, token: int) -> bytes:
        """Of a token; none for a virtual one."""
        if token in self._added:
            return self._added[token].encode()
        piece = self._backend.id_to_token(token)
        if piece is None:
            return b""
        if self._letters and all(letter in _BYTES for letter in piece):
            return bytes(_BYTES[letter] for letter in piece)
        if found := _FALLBACK.fullmatch(piece):
            return bytes([int(found[1], 16)])
        return (piece.replace(_SPACE, " ") if self._spaces else piece).encode()


def spelling(data: bytes) -> str:
    """A token's bytes as OpenAI shows them: text, or `bytes:` where they are a part of one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{one:02x}" for one in data)


def offsets(tokens: Sequence[bytes]) -> list[int]:
    """Where in their common text each token begins, in characters; a token that begins within a
    character is at that character."""
    reader = codecs.getincrementaldecoder("utf-8")("replace")
    found, at = [], 0
    for data in tokens:
        found.append(at)
        at += len(reader.decode(data))
    return found


def _byte_letters() -> dict[str, int]:
    """The letter of each byte: itself where it is printed, else the next letter from U+0100 on."""
    printed = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [at for at in range(0x100) if at not in printed]
    letters = {chr(at): at for at in printed}
    return letters | {chr(0x100 + place): at for place, at in enumerate(others)}


_BYTES = _byte_letters()

"""Model calls through the answer cache.

A call is known by everything that could change it (DESIGN section 8): the model's identity, the
fingerprint of parts that change the model itself, the exact rendered request, what is asked of it,
and the repeat index. Cached rows carry the seconds and tokens of their first run (P8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from accordeur.core.cache import AnswerCache
from accordeur.core.fingerprint import digest
from accordeur.core.model import Batch, ModelIdentity, Usage
from accordeur.core.rendering import Rendered

R = TypeVar("R")


def call_keys(
    identity: ModelIdentity,
    prompts: Sequence[Rendered],
    asked: Mapping[str, Any],
    *,
    parts: str = "",
    repeat: int = 0,
    anew: bool = False,
) -> list[str]:
    """The cache key of each prompt.

    Args:
        identity: of the model; name, digest, engine, dtype, batch policy and template count.
        prompts: rendered requests.
        asked: continuations to score, or sampling settings.
        parts: fingerprint of parts that change the model (weights, soft prompt).
        repeat: index of a repeated question; repeats never share an entry.
        anew: a prompt that stands here several times is sampled each time.
    """
    common = digest(
        {"model": identity.to_json(), "asked": dict(asked), "parts": parts, "repeat": repeat}
    )
    keys = [digest([common, _exactly(prompt)]) for prompt in prompts]
    if not anew:
        return keys
    seen: Counter[str] = Counter()
    numbered = []
    for key in keys:
        numbered.append(digest([key, seen[key]]) if seen[key] else key)
        seen[key] += 1
    return numbered


def _exactly(prompt: Rendered) -> list[Any]:
    """A rendering with its segment boundaries: they decide its tokens and what may be cut."""
    turns = [
        [
            message.role,
            message.demonstration,
            [
                [one.text, one.kind, one.soft_tokens, one.soft_first, one.trim]
                for one in message.segments
            ],
        ]
        for message in prompt.messages
    ]
    return [turns, prompt.prefill]


def through_cache(
    cache: AnswerCache | None,
    keys: Sequence[str],
    done: Collection[int],
    call: Callable[[Collection[int]], Iterator[Batch[R]]],
    encode: Callable[[R], dict[str, Any]],
    decode: Callable[[dict[str, Any]], R],
    *,
    overhead: float = 0.0,
) -> Iterator[Batch[tuple[R, float]]]:
    """Yield what is cached, then call for the rest and cache it; results carry their seconds.

    The seconds are those of the run that computed a result: its share of the batch, and `overhead`.

    The model still forms its batches from the whole list, so a cache that holds half of it changes
    no number (P9).
    """
    finished = set(done)
    if cache is not None:
        wanted = [index for index in range(len(keys)) if index not in finished]
        entries = cache.get_many([keys[index] for index in wanted])
        hits = [index for index in wanted if keys[index] in entries]
        if hits:
            found = [entries[keys[index]] for index in hits]
            yield Batch(
                tuple(hits),
                tuple((decode(entry["result"]), float(entry["seconds"])) for entry in found),
                sum(float(entry["seconds"]) for entry in found),
            )
            finished.update(hits)
    if len(finished) >= len(keys):
        return
    for batch in call(finished):
        share = batch.seconds / len(batch.indices) + overhead
        if cache is not None:
            encoded = zip(batch.indices, map(encode, batch.results), strict=True)
            cache.put_many(
                {
                    keys[index]: {"result": result, "seconds": share}
                    for index, result in encoded
                    if not result.get("error")  # an error is retried, never remembered
                }
            )
        fresh = [
            (index, result)
            for index, result in zip(batch.indices, batch.results, strict=True)
            if index not in finished
        ]
        if fresh:
            yield Batch(
                tuple(index for index, _ in fresh),
                tuple((result, share) for _, result in fresh),
                batch.seconds,
                batch.tokens,
            )


def usage_json(usage: Usage) -> dict[str, int]:
    """Token counts as plain data."""
    return {name: getattr(usage, name) for name in Usage.__slots__}

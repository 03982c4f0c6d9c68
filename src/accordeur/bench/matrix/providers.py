"""Models as they are written: `local/smollm2`, `openai:chat:NAME`, `echo`, a bundle's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from accordeur.bench.matrix.keys import as_list, check_keys, mapping, number, text, whole
from accordeur.bench.matrix.matrix import ECHO, Provider, Reading
from accordeur.core.errors import TaskError
from accordeur.core.model import Sampling
from accordeur.models.source import resolve
from accordeur.parts.decoding import UNMEASURED_LIMIT

_ALIASES = {"google": "gemini", "togetherai": "together", "llama.cpp": "llamacpp"}
_KINDS = {("openai", "chat"), ("anthropic", "messages"), ("ollama", "chat"), ("mistral", "chat")}
_OTHER_WIRES = ("completion", "responses", "embedding", "embeddings", "image", "assistant")
_PROGRAMS = ("file://", "python:", "exec:", "http://", "https://", "ws:", "webhook:", "package:")

_SAMPLING = ("temperature", "max_tokens", "max_completion_tokens", "top_p", "seed")
_CONFIG = (*_SAMPLING, "apiBaseUrl", "apiHost", "base_url")


def read_providers(value: Any, reading: Reading, *, base_url: str | None) -> tuple[Provider, ...]:
    """The models of a config, each with a label of its own.

    Args:
        base_url: of the command line; it comes before the config's.

    Raises:
        TaskError: one of them cannot be read, or there is none.
        ModelError: a name that means no model.
    """
    found = [one for raw in as_list(value) for one in _read(raw, reading, base_url)]
    if not found:
        raise TaskError("There is no model.", hint="models: [local/smollm2]")
    seen: dict[str, int] = {}
    named = []
    for one in found:
        seen[one.label] = seen.get(one.label, 0) + 1
        again = f" ({seen[one.label]})" if seen[one.label] > 1 else ""
        named.append(
            Provider(
                one.model, one.label + again, one.sampling, one.base_url, one.prompts, one.bundle
            )
        )
    return tuple(named)


def _read(raw: Any, reading: Reading, base_url: str | None) -> Iterator[Provider]:
    if isinstance(raw, str):
        yield _provider(raw, {}, reading, base_url)
        return
    data = mapping(raw, "a model")
    if "id" not in data and "model" not in data:
        if len(data) != 1:
            raise TaskError("A model has no name.", hint="- id: openai/NAME")
        name, options = next(iter(data.items()))  # promptfoo's map of name to options
        data = {"id": name, **mapping(options or {}, name)}
    yield _provider(text(data.get("id", data.get("model")), "id"), data, reading, base_url)


def _provider(
    name: str, data: Mapping[str, Any], reading: Reading, base_url: str | None
) -> Provider:
    read = ("id", "model", "label", "config", "prompts", *_SAMPLING, "base_url")
    check_keys(data, f"the model `{name}`", read)
    config = {**mapping(data.get("config") or {}, "config")}
    check_keys(config, f"`config` of `{name}`", _CONFIG)
    config |= {key: data[key] for key in (*_SAMPLING, "base_url") if key in data}
    model, bundle = model_name(name, reading.folder)
    url = base_url or config.get("apiBaseUrl") or config.get("base_url") or config.get("apiHost")
    if url and "{{" in str(url):
        raise TaskError(
            f"The address of `{name}` is a template.", hint="write it out, or give --base-url URL"
        )
    return Provider(
        model,
        str(data.get("label") or name),
        _sampling(config, name),
        str(url) if url else None,
        tuple(str(one) for one in as_list(data.get("prompts"))),
        bundle,
    )


def _sampling(config: Mapping[str, Any], name: str) -> Sampling:
    limit = config.get("max_tokens", config.get("max_completion_tokens", UNMEASURED_LIMIT))
    return Sampling(
        max_tokens=whole(limit, f"max_tokens of {name}"),
        temperature=number(config.get("temperature", 0), f"temperature of {name}", least=0, most=2),
        top_p=number(config.get("top_p", 1), f"top_p of {name}", least=1e-9, most=1),
        seed=whole(config.get("seed", 0), f"seed of {name}", least=0),
    )


def read_judge(named: Any, reading: Reading) -> str:
    """The model that judges, by its one name; its address is noted in `reading`.

    Args:
        named: a name, a mapping with `id` (or `model`) and `config`, or promptfoo's `{text: ...}`.

    Raises:
        TaskError: it is none of these.
        ModelError: a name that means no model.
    """
    if isinstance(named, Mapping) and "text" in named:
        named = named["text"]
    if isinstance(named, str):
        named = {"id": named}
    data = mapping(named, "the judge")
    check_keys(data, "the judge", ("id", "model", "base_url"), ("label", "config"))
    config = mapping(data.get("config") or {}, "config of the judge")
    check_keys(config, "config of the judge", _CONFIG)
    if any(key in config for key in _SAMPLING):
        reading.note("Judges are asked greedily, whatever `config` says of them.")
    model, bundle = model_name(
        text(data.get("id", data.get("model")), "id of the judge"), reading.folder
    )
    if bundle or model == ECHO:
        raise TaskError(f"`{model}` judges nothing.", hint="judge: openai/NAME")
    url = config.get("apiBaseUrl") or config.get("base_url") or data.get("base_url")
    if url:
        reading.addresses[model] = str(url)
    return model


def model_name(name: str, folder: Path) -> tuple[str, bool]:
    """A model's one name, and whether it is a bundle's folder.

    Raises:
        TaskError: promptfoo knows it, and it is not read here.
        ModelError: it means no model.
    """
    plain = name.strip()
    if plain == ECHO:
        return ECHO, False
    if plain.startswith(_PROGRAMS):
        raise TaskError(
            f"The provider `{plain}` is a program or an address of its own protocol.",
            hint="serve it behind an OpenAI-compatible endpoint: openai/NAME and --base-url URL",
        )
    for place in (folder / Path(plain).expanduser(), Path(plain).expanduser()):
        if (place / "bundle.json").is_file():
            return str(place.resolve()), True
        if place.is_dir() and any(sign in plain for sign in "./"):
            return resolve(str(place)), False
    parts = plain.split(":")
    if len(parts) > 2 and parts[1] in _OTHER_WIRES:
        raise TaskError(
            f"`{plain}` is not called over chat completions.", hint=f"use {parts[0]}/{parts[-1]}"
        )
    if len(parts) > 2 and (parts[0], parts[1]) in _KINDS:
        parts = [parts[0], ":".join(parts[2:])]
        plain = ":".join(parts)
    if ":" in plain and "/" not in parts[0]:
        vendor, _, rest = plain.partition(":")
        plain = f"{_ALIASES.get(vendor, vendor)}/{rest}"
    return resolve(plain), False

"""The one place that uses transformers: loading, chat templates, and its modules as a body.

Only safetensors are loaded and code that comes with a model is never run. transformers changes
often; what we need of it is kept to `from_pretrained`, `apply_chat_template`, the base model's
forward with a four-dimensional mask, and `DynamicCache`. What we need of T5's own modules stands in
`encoder_decoder`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from accordeur.core.errors import MissingDependency, ModelError
from accordeur.models.local.body import Body, Layout, Prefix, text_layout
from accordeur.models.local.embedding import Embedding
from accordeur.models.local.encoder_decoder import FAMILIES, EncoderDecoderBody, encoder_window
from accordeur.models.local.head import Head
from accordeur.models.local.llama import LlamaBody, supported

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

try:
    import transformers
    from safetensors import SafetensorError
    from transformers.utils import logging as transformers_logging
except ImportError as error:  # pragma: no cover - the extra is missing
    raise MissingDependency(
        "Running a local model needs `transformers`.", hint="pip install 'accordeur[local]'"
    ) from error

transformers_logging.disable_progress_bar()

_LOADING_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError)

_POOLED = ("bert", "camembert", "mpnet", "roberta", "xlm-roberta")
"""Text encoders whose own pooling layer, which nobody reads, can be left out."""

_ENCODERS = (*_POOLED, "deberta-v2", "distilbert", "electra", "modernbert")
"""Text encoders; other networks read no text, or read it in one direction only."""

VERSION: str = transformers.__version__


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model as transformers gives it.

    Attributes:
        model: the language model, in evaluation mode.
        config: its configuration.
        tokenizer: its tokenizer, with a `backend_tokenizer`.
        head: the output layer.
        context_window: positions it was made for; of an encoder-decoder, those of its encoder.
        stop: tokens that end a text, from the generation settings.
    """

    model: Any
    config: Any
    tokenizer: Any
    head: Head
    context_window: int
    stop: frozenset[int]

    @property
    def encoder_decoder(self) -> bool:
        """It has an encoder that reads the prompt and a decoder that answers."""
        return bool(getattr(self.config, "is_encoder_decoder", False))

    @property
    def embeddings(self) -> Any:
        """The table that prompts are looked up in; T5 may have another for its decoder."""
        if self.encoder_decoder:
            return self.model.encoder.embed_tokens
        return self.model.get_input_embeddings()


def load(place: str | Path, *, dtype: torch.dtype, device: torch.device) -> Loaded:
    """Load a language model from a folder or, where it can be reached, the hub.

    Raises:
        ModelError: it cannot be read, has no fast tokenizer, or is neither a causal transformer nor
            an encoder-decoder of a family we run.
    """
    found = _config(place)
    kind, attention = _kind(place, found)
    settings = _settings(place)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(place), **settings)
        model, report = kind.from_pretrained(
            str(place),
            dtype=dtype,
            use_safetensors=True,
            attn_implementation=attention,
            output_loading_info=True,
            **settings,
        )
    except _LOADING_ERRORS as error:
        reason = str(error).strip().splitlines()
        raise ModelError(
            f"`{place}` cannot be loaded as a language model: {reason[0] if reason else error}",
            hint="name a folder or `hf/ORG/NAME` with config.json, tokenizer.json and safetensors",
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"`{place}` lacks {len(missing)} weights, such as `{missing[0]}`.",
            hint="download or save the model again",
        )
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ModelError(f"`{place}` has no `tokenizer.json`.", hint="choose another model")
    model.to(device)
    model.eval()
    model.requires_grad_(False)
    config = model.config.get_text_config()
    if config.is_encoder_decoder:
        window = encoder_window(config, tokenizer)
    else:
        window = _window(config)
    return Loaded(model, config, tokenizer, head_of(model, config), window, _stop(model, tokenizer))


def save(loaded: Loaded, folder: Path) -> None:
    """Write weights (safetensors), configuration and tokenizer as a Hugging Face folder.

    Raises:
        OSError: the folder cannot be written.
    """
    loaded.model.save_pretrained(str(folder))
    loaded.tokenizer.save_pretrained(str(folder))


def _settings(place: str | Path) -> dict[str, Any]:
    """No code that comes with a model; nothing from the network for a folder."""
    settings: dict[str, Any] = {"trust_remote_code": False}
    return settings | {"local_files_only": True} if isinstance(place, Path) else settings


def _config(place: str | Path) -> Any:
    """The configuration of the part of a model that reads and writes text.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        whole = transformers.AutoConfig.from_pretrained(str(place), **_settings(place))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"`{place}` is no Hugging Face model: {str(error).splitlines()[0]}",
            hint="name a folder or `hf/ORG/NAME` with config.json, tokenizer.json and safetensors",
        ) from error
    return whole.get_text_config()


def _kind(place: str | Path, config: Any) -> tuple[Any, str | None]:
    """The class that loads a model, and the attention it is to use.

    The fused attention, but the plain one where scores are soft-capped (Gemma 2), and what
    transformers holds best for T5, whose position bias not every version can fuse.

    Raises:
        ModelError: an encoder-decoder of another family.
    """
    if not config.is_encoder_decoder:
        capped = getattr(config, "attn_logit_softcapping", None)
        return transformers.AutoModelForCausalLM, "eager" if capped else "sdpa"
    if config.model_type not in FAMILIES:
        raise ModelError(
            f"`{place}` is an encoder-decoder model of the family `{config.model_type}`, which is "
            "not run here.",
            hint="use a T5 or mT5 model such as `hf/google/flan-t5-small`, or a decoder-only one",
        )
    return transformers.AutoModelForSeq2SeqLM, None


def sizes(place: str | Path) -> tuple[int, int, int] | None:
    """Width, inner width of the feed-forward layers, and number of layers.

    `None` for an encoder-decoder, which computes in float32 unless told otherwise.

    Raises:
        ModelError: the configuration cannot be read.
    """
    config = _config(place)
    if config.is_encoder_decoder:
        return None
    width = int(config.hidden_size)
    inner = getattr(config, "intermediate_size", None) or 4 * width
    return width, int(inner), int(config.num_hidden_layers)


def head_of(model: Any, config: Any) -> Head:
    """The output layer of a language model."""
    layer = model.get_output_embeddings()
    scale = float(getattr(config, "logit_scale", None) or 1.0)
    scale /= float(getattr(config, "logits_scaling", None) or 1.0)
    cap = float(getattr(config, "final_logit_softcapping", None) or 0.0)
    return Head(layer.weight, getattr(layer, "bias", None), scale, cap)


def _window(config: Any) -> int:
    """The positions a model was made for; of a model with a sliding window, the window.

    Our masks let every position see all before it, so texts stay inside the sliding window, where
    the two agree.
    """
    window = int(getattr(config, "max_position_embeddings", None) or 2048)
    sliding = getattr(config, "sliding_window", None)
    if sliding and getattr(config, "use_sliding_window", True):
        window = min(window, int(sliding))
    return window


def _stop(model: Any, tokenizer: Any) -> frozenset[int]:
    named = getattr(model.generation_config, "eos_token_id", None)
    ids = named if isinstance(named, list) else [named]
    return frozenset(int(i) for i in (*ids, tokenizer.eos_token_id) if i is not None)


def empty_cache() -> Any:
    """A key/value cache that grows by concatenation, so gradients flow through what it holds."""
    return transformers.DynamicCache()


def render_chat(
    tokenizer: Any, messages: list[dict[str, str]], *, answer: bool, template: str | None
) -> str:
    """The chat template's text; with `answer` it ends with the assistant's header.

    Raises:
        ModelError: the template refuses these roles.
    """
    import jinja2

    try:
        text = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=answer, chat_template=template
        )
    except jinja2.TemplateError as error:
        roles = ", ".join(message["role"] for message in messages)
        raise ModelError(
            f"The model's chat template refuses the roles {roles}: {error}",
            hint="remove the system message, or choose another model",
        ) from error
    return str(text)


@dataclass(slots=True)
class _Decoding:
    """State of `ModulesBody` between steps."""

    cache: Any
    visible: Tensor  # bool [B, positions so far]
    positions: Tensor  # [B], of the next token


def own_body(loaded: Loaded) -> LlamaBody | None:
    """Our own forward pass over a loaded model's weights; `None` where it does not apply."""
    if not supported(loaded.config) or loaded.head.weight.device.type != "cpu":
        return None
    base = loaded.model.base_model
    rotary = base.rotary_emb
    return LlamaBody(
        dict(base.state_dict()), loaded.config, rotary.inv_freq, float(rotary.attention_scaling)
    )


def body_of(loaded: Loaded) -> Body:
    """What computes a loaded model's hidden states: our own forward pass where it applies."""
    if loaded.encoder_decoder:
        return EncoderDecoderBody(loaded.model, loaded.config)
    return own_body(loaded) or ModulesBody(loaded)


class ModulesBody:
    """The modules of transformers as a body: any causal transformer with a key/value cache."""

    def __init__(self, loaded: Loaded) -> None:
        self._base = loaded.model.base_model
        self._layers = int(loaded.config.num_hidden_layers)
        self._weight = loaded.head.weight
        table = self._base.get_input_embeddings()
        self._embed = Embedding(table, int(table.weight.shape[0]))

    @property
    def vocabulary(self) -> int:
        """V, rows of the embedding table; virtual tokens are numbered from here."""
        return self._embed.vocabulary

    def with_virtual(self, vectors: Tensor) -> ModulesBody:
        """The same network with virtual tokens, [n, E]; weights are shared."""
        body = copy.copy(self)
        body._embed = replace(self._embed, virtual=vectors.to(self._weight))
        return body

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._weight.dtype

    def _cache(self, prefix: Prefix | None, rows: int) -> Any:
        """A fresh cache holding the prefix for every row; the prefix itself is never changed."""
        cache = transformers.DynamicCache()
        if prefix is not None:
            for layer in range(self._layers):
                keys = prefix.keys[layer].expand(rows, -1, -1, -1)
                cache.update(keys, prefix.values[layer].expand(rows, -1, -1, -1), layer)
        return cache

    def _forward(self, tokens: Tensor, positions: Tensor, seen: Tensor, cache: Any) -> Tensor:
        bias = torch.zeros(seen.shape, dtype=self.dtype, device=self.device)
        bias.masked_fill_(~seen.to(self.device), torch.finfo(self.dtype).min)
        output = self._base(
            inputs_embeds=self._embed(tokens.to(self.device)),
            position_ids=positions.to(self.device),
            attention_mask=bias[:, None],
            past_key_values=cache,
            use_cache=True,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def extend(self, tokens: Sequence[int], past: Prefix | None) -> Prefix:
        """Keys and values of `past` followed by `tokens`."""
        layout = text_layout([len(tokens)])
        cache = self._cache(past, 1)
        self._run(torch.tensor([list(tokens)]), layout, past, cache)
        before = past.tokens if past is not None else ()
        keys = tuple(cache.layers[layer].keys[0] for layer in range(self._layers))
        values = tuple(cache.layers[layer].values[0] for layer in range(self._layers))
        return Prefix((*before, *tokens), keys, values)

    def _run(self, tokens: Tensor, layout: Layout, prefix: Prefix | None, cache: Any) -> Tensor:
        offset = prefix.length if prefix is not None else 0
        own = layout.visible()
        before = torch.ones(*own.shape[:2], offset, dtype=torch.bool)
        return self._forward(tokens, layout.positions(offset), torch.cat((before, own), 2), cache)

    def hidden(self, tokens: Tensor, layout: Layout, prefix: Prefix | None) -> Tensor:
        """Final hidden states of the last text column and all nodes, [B, 1 + nodes, E]."""
        cache = self._cache(prefix, len(tokens))
        return self._run(tokens, layout, prefix, cache)[:, layout.width - 1 :]

    def start(
        self, tokens: Tensor, layout: Layout, prefix: Prefix | None, room: int
    ) -> tuple[Tensor, _Decoding]:
        """Begin decoding; see `Body.start`."""
        cache = self._cache(prefix, len(tokens))
        hidden = self._run(tokens, layout, prefix, cache)[:, -1]
        offset = prefix.length if prefix is not None else 0
        before = torch.ones(len(tokens), offset, dtype=torch.bool)
        lengths = torch.tensor(layout.lengths) + offset
        return hidden, _Decoding(cache, torch.cat((before, layout.real()), 1), lengths)

    def step(self, state: _Decoding, tokens: Tensor) -> Tensor:
        """One more token for every row; hidden states [B, E]."""
        one = torch.ones(len(tokens), 1, dtype=torch.bool)
        state.visible = torch.cat((state.visible, one), dim=1)
        seen = state.visible[:, None]
        hidden = self._forward(tokens[:, None], state.positions[:, None], seen, state.cache)
        state.positions = state.positions + 1
        return hidden[:, -1]

    def keep(self, state: _Decoding, rows: Tensor) -> None:
        """Go on with these rows only."""
        state.cache.batch_select_indices(rows.to(self.device))
        state.visible, state.positions = state.visible[rows], state.positions[rows]


def load_encoder(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """A text encoder without its pooling layer, in evaluation mode.

    Raises:
        ModelError: the folder holds no such model.
    """
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
        if config.model_type not in _ENCODERS:
            raise ValueError(f"`{config.model_type}` is none of {', '.join(_ENCODERS)}")
        pooler = {"add_pooling_layer": False} if config.model_type in _POOLED else {}
        model = transformers.AutoModel.from_pretrained(
            str(folder),
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **pooler,
        )
    except _LOADING_ERRORS as error:
        raise ModelError(
            f"`{folder}` cannot be loaded as a text encoder: {str(error).splitlines()[0]}",
            hint="use `local/minilm`",
        ) from error
    model.eval()
    return model.requires_grad_(False)


def load_cross_encoder(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """A text encoder with a head that gives a pair of texts one score, in evaluation mode.

    Raises:
        ModelError: the folder holds no such model.
    """
    hint = "name a cross-encoder, such as hf/cross-encoder/ms-marco-MiniLM-L-6-v2"
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
        if config.model_type not in _ENCODERS:
            raise ValueError(f"`{config.model_type}` is none of {', '.join(_ENCODERS)}")
        if config.num_labels != 1:
            raise ValueError(f"it gives {config.num_labels} scores to a pair, not one")
        model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except _LOADING_ERRORS as error:
        raise ModelError(
            f"`{folder}` cannot be loaded as a reranker: {str(error).splitlines()[0]}", hint=hint
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"`{folder}` cannot be loaded as a reranker: the weight `{missing[0]}` is not there.",
            hint=hint,
        )
    model.eval()
    return model.requires_grad_(False)

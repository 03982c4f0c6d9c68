"""What training added to a model's weights, put into the modules that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from accordeur.core.errors import ModelError
from accordeur.core.model import Adaptation, Delta
from accordeur.models.local.low_rank import OTHER_BASE, check_shape


def change_weights(model: Any, adaptation: Adaptation) -> None:
    """Replace all weights, then add the low-rank updates, in place.

    Raises:
        ModelError: a module or weight is missing, or has another shape.
    """
    with torch.no_grad():
        if adaptation.weights:
            _replace(model, adaptation.weights)
        _add(model, adaptation.deltas)


def _replace(model: Any, data: bytes) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ModelError(f"The weights cannot be read: {error}.", hint=OTHER_BASE) from error
    own = dict(model.named_parameters())
    if tensors.keys() != own.keys():
        odd = sorted(tensors.keys() ^ own.keys())
        raise ModelError(
            f"The weights are not those of this model: `{odd[0]}` is on one side only.",
            hint=OTHER_BASE,
        )
    for name, tensor in tensors.items():
        if own[name].shape != tensor.shape:
            raise ModelError(
                f"The weight `{name}` has another shape than this model's.", hint=OTHER_BASE
            )
        own[name].copy_(tensor)


def _add(model: Any, deltas: Mapping[str, Delta]) -> None:
    for name, delta in deltas.items():
        try:
            weight: Tensor = model.get_submodule(name).weight
        except AttributeError as error:
            raise ModelError(
                f"The model has no module `{name}` that an adapter could change.", hint=OTHER_BASE
            ) from error
        check_shape(name, delta, *weight.shape)
        first, second = (torch.from_numpy(one).double() for one in (delta.a, delta.b))
        whole = weight.double() + (second @ first * delta.scale).to(weight.device)
        if delta.magnitude is not None:
            lengths = torch.from_numpy(delta.magnitude).double().to(weight.device)
            whole *= (lengths / whole.norm(dim=1))[:, None]
        weight.copy_(whole)

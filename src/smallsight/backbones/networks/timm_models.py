"""timm's networks: how they are built, and what timm publishes for them."""

import difflib
import hashlib
import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import timm
import torch
from timm.data import resolve_data_config
from torch import nn

from smallsight.backbones.networks.network import Layout, Network, channels_last, tokens
from smallsight.backbones.networks.published import Published
from smallsight.backbones.registry import LOCAL, TIMM, Preprocessing
from smallsight.runtime.errors import DownloadError, ParameterError, WeightsError


def make(architecture: str, classes: int | None = None) -> Network:
    """Make a classifier; its first weights come from torch's own random state.

    Raises
    ------
    ParameterError
        Where timm has no such network, or it gives no maps.
    """
    module = _created(architecture, classes)
    classifiers = module.pretrained_cfg.get("classifier") or ()
    unused = (classifiers,) if isinstance(classifiers, str) else tuple(classifiers)
    if not unused or not hasattr(module, "forward_features"):
        raise ParameterError("params.backbone.name", repr(TIMM + architecture), "a classifier")
    return Network(
        module=module,
        unused=unused,
        last_layer=unused[0],
        run=module.forward_features,
        layers=_layers(module),
        layout=_layout(module),
        norm=_norm(module),
    )


def _created(architecture: str, classes: int | None = None) -> Any:
    if ":" in architecture.removeprefix(LOCAL):
        due = f"a name that timm has itself, or {TIMM + LOCAL}<folder>"
        raise ParameterError("params.backbone.name", repr(TIMM + architecture), due)
    try:
        outputs: dict[str, Any] = {} if classes is None else {"num_classes": classes}
        return timm.create_model(architecture, **outputs)
    except Exception as error:  # a folder's configuration may hold anything
        reason = f"{TIMM + architecture!r}: {_reason(error)}"
        names = timm.list_models(f"{architecture.split('.')[0]}*")[:8]
        names = names or difflib.get_close_matches(architecture, timm.list_models(), n=8)
        known = "one of timm's networks" + (f", such as {', '.join(names)}" if names else "")
        raise ParameterError("params.backbone.name", reason, known) from None


def _reason(error: Exception) -> str:
    """Bring what timm says, on any number of lines, to a part of one line."""
    return textwrap.shorten(str(error) or type(error).__name__, 200, placeholder=" ...")


def _layers(module: Any) -> tuple[str, ...]:
    """Name the submodules that end timm's own stages; some networks compute a few in between."""
    known = dict(module.named_modules())
    named = [entry["module"] for entry in getattr(module, "feature_info", ())]
    return tuple(name for name in named if name and name in known)


def _layout(module: Any) -> Layout:
    """Return the layout of whatever a network returns: tokens, channels last, or channels first."""
    others = getattr(module, "num_prefix_tokens", 0)
    is_last = getattr(module, "output_fmt", "") == "NHWC"

    def layout(output: torch.Tensor) -> torch.Tensor:
        if output.ndim == 3:
            # In some networks, tokens of no place join the others late.
            places = output.shape[1] - others
            return tokens(output, others=others if math.isqrt(places) ** 2 == places else 0)
        return channels_last(output) if is_last else output

    return layout


def _norm(module: Any) -> nn.LayerNorm | None:
    """Find the normalisation of pooled features, not that of a head's own hidden layer."""
    norms = (getattr(module, "fc_norm", None), getattr(getattr(module, "head", None), "norm", None))
    for norm in norms:
        if isinstance(norm, nn.LayerNorm) and norm.normalized_shape == (module.num_features,):
            return norm
    return None


def preprocessing(architecture: str) -> Preprocessing:
    """Return what timm's pretrained configuration of a network says."""
    with torch.device("meta"):
        module = _created(architecture)
    found = resolve_data_config(pretrained_cfg=module.pretrained_cfg)
    interpolation = found["interpolation"]
    return Preprocessing(
        found["input_size"][-1],
        tuple(found["mean"]),
        tuple(found["std"]),
        interpolation if interpolation == "bilinear" else "bicubic",
    )


def published(architecture: str) -> Published:
    """Load what timm publishes for a network, or what lies in the folder that it names.

    Raises
    ------
    DownloadError
        Where they are not in the hub's cache and the hub gives no answer, or there are none.
    WeightsError
        Where the folder has none, or they do not fit.
    """
    folder = architecture.removeprefix(LOCAL)
    is_local = folder != architecture
    try:
        module: Any = timm.create_model(architecture, pretrained=True)
    except Exception as error:  # whatever the hub's client, the file or the network raises
        if is_local:
            due = "weights of the network in its config.json"
            raise WeightsError(folder, _reason(error), due) from None
        ways = f"a folder of timm's, as {TIMM + LOCAL}<folder>, or a checkpoint"
        due = f"published weights; without a network: {ways}"
        raise DownloadError(f"timm, {architecture}", _reason(error), due) from None
    name = Path(folder).name if is_local else module.pretrained_cfg.get("hf_hub_id") or architecture
    state = module.state_dict()
    return Published(state, f"timm {timm.__version__}, {name}", _sha256(state))


def _sha256(state: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of the file that timm writes of a state, in hexadecimal digits."""
    # Copies: safetensors refuses tensors that share memory, and those of another order.
    copies = {
        key: value.clone(memory_format=torch.contiguous_format) for key, value in state.items()
    }
    return hashlib.sha256(safetensors.torch.save(copies)).hexdigest()

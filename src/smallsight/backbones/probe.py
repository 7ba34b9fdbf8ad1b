"""What a network makes of an input, found out by showing it a black picture."""

import torch

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST, BackboneFacts
from smallsight.backbones.networks.weight_sources import LoadedWeights
from smallsight.backbones.readouts import PARTS, available
from smallsight.backbones.registry import find_backbone
from smallsight.runtime.errors import ParameterError


def find_facts(settings: params.Backbone, loaded: LoadedWeights) -> BackboneFacts:
    """Find out what later stages need to know of the network.

    Raises
    ------
    ParameterError
        Where the network does not take inputs of the chosen size, or its layers give no maps.
    """
    record = find_backbone(settings.name)
    size = loaded.preprocessing.input_size
    if settings.input_size != "auto":
        size = settings.input_size
    picture = torch.zeros((1, size, size, 3), dtype=torch.uint8)
    whole = torch.tensor([[0.0, 0.0, 0.0, size, size]])
    backbone = Backbone(loaded.weights)
    try:
        with torch.inference_mode():
            cells = {name: _cells(maps) for name, maps in backbone.maps(picture).items()}
            parts = backbone.read_out(picture, whole)
    except Exception as error:  # whatever a network raises of what it does not take
        own = loaded.preprocessing.input_size
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if size == own:
            due = "a network that returns square maps of a square picture"
            raise ParameterError(
                "params.backbone.name", f"{record.name!r}: {reason}", due
            ) from None
        raise ParameterError(
            "params.backbone.input_size", f"{size}: {reason}", f"what {record.label} takes: {own}"
        ) from None
    del parts[LAST]
    return BackboneFacts(
        name=record.name,
        label=record.label,
        weights=settings.weights,
        source=loaded.source,
        sha256=loaded.sha256,
        notes=loaded.notes,
        input_size=size,
        interpolation=loaded.preprocessing.interpolation,
        mean=loaded.weights.mean,
        std=loaded.weights.std,
        is_dilated=settings.dilated,
        cells=cells,
        readouts={
            readout: sum(parts[name].shape[1] for name in PARTS[readout])
            for readout in available(list(parts))
        },
        last_layer=backbone.last_layer,
    )


def _cells(maps: torch.Tensor) -> int:
    rows, columns = maps.shape[2:]
    if rows != columns:
        raise ValueError(f"a layer of {rows} rows and {columns} columns")
    return columns

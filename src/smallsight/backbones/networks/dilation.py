"""A dilated last stage: cells half as wide, from the same weights."""

from torch import nn

from smallsight.runtime.errors import ParameterError


def dilate(module: nn.Module, architecture: str) -> None:
    """Take the stride out of a ResNet's last stage, and widen the filters behind it instead.

    Every second cell of the new maps, along both axes from the first on, equals the cell of the old
    ones: filters behind the stride skip the cells in between (Yu et al., Dilated Residual Networks,
    CVPR 2017).

    Raises
    ------
    ParameterError
        Where the network is no ResNet of torchvision's.
    """
    from torchvision.models import ResNet

    if not isinstance(module, ResNet):
        raise ParameterError(
            "params.backbone.dilated", f"true, with {architecture}", "a ResNet of torchvision's"
        )
    is_behind_stride = False
    for block in module.layer4:
        for part in block.modules():
            if not isinstance(part, nn.Conv2d):
                continue
            if part.stride == (2, 2):
                part.stride = (1, 1)
                is_behind_stride = True
            elif is_behind_stride and part.kernel_size != (1, 1):
                part.dilation, part.padding = (2, 2), (2, 2)

"""The device that networks run on."""

import torch

from smallsight.runtime.errors import ParameterError


def pick_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `cuda:N` into a device; `auto` is CUDA where there is one.

    From then on torch computes with one thread: sums over several are rounded otherwise, so that
    results would depend on how many cores there are.

    Raises
    ------
    ParameterError
        Where CUDA is asked for and there is none.
    """
    torch.set_num_threads(1)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ParameterError("params.device", repr(name), "a device that this machine has, or auto")
    return device

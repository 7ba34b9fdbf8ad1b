"""Whether there may be a GPU, found out without torch, which takes seconds to import."""

import ctypes

DRIVERS = ("libcuda.so.1", "nvcuda.dll")
"""CUDA's driver, which every machine with a GPU of NVIDIA's has."""


def may_be_cuda(device: str) -> bool:
    """Return whether a device, as the parameter has it, may be a GPU; torch knows for sure."""
    if device != "auto":
        return device.startswith("cuda")
    return any(map(_can_be_loaded, DRIVERS))


def _can_be_loaded(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True

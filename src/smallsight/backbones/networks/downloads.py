"""Files of weights from an address, kept in torch's cache and checked."""

import pickle
from pathlib import Path

import torch
from torch.hub import HASH_REGEX
from torchvision.models import WeightsEnum

from smallsight.backbones.networks.published import Published
from smallsight.runtime.download import download
from smallsight.runtime.errors import DownloadError
from smallsight.runtime.files import sha256

LARGEST = 2**32
"""Bytes of a file of weights."""


def download_state(url: str) -> tuple[dict[str, torch.Tensor], str]:
    """Download a state, unless torch has it already, and check it.

    Parameters
    ----------
    url
        Its last part holds the digits with which the SHA-256 of the file begins, as the names of
        all files of torchvision's do.

    Returns
    -------
    state
        By name.
    sha256
        Of the file, in hexadecimal digits.

    Raises
    ------
    DownloadError
        Where the address gives no whole answer, or the file is another one.
    """
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    named = HASH_REGEX.search(cached.name)
    if named is None or not named[1]:
        raise DownloadError(url, "an address without a hash", "one that holds the file's SHA-256")

    def check(path: Path) -> str:
        found = sha256(path)
        if not found.startswith(named[1]):
            raise DownloadError(path, f"SHA-256 {found}", f"{named[1]}..., the file of {url}")
        return found

    if not cached.is_file():
        try:
            download(url, cached, check, at_most=LARGEST, is_large=True)
        except DownloadError as error:
            due = f"{error.expected}; without a network: the file at {cached}"
            raise DownloadError(url, error.found, due) from None
    # The cache may hold anything under this name.
    found = check(cached)
    try:
        return torch.load(cached, map_location="cpu", weights_only=True), found
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DownloadError(url, reason, "the weights named in the address") from None


def download_entry(entry: WeightsEnum) -> Published:
    """Download the weights that an entry of torchvision's names, as `download_state` does."""
    state, digest = download_state(entry.url)
    return Published(state, f"torchvision, {entry}", digest)

"""Where annotations and pictures come from: each source answers these two questions."""

from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from smallsight import params
from smallsight.datasets.coco_web import CocoWeb
from smallsight.datasets.local import Local
from smallsight.datasets.phantom_scenes import Phantom


class Source(Protocol):
    """A place with annotations and pictures."""

    @property
    def where(self) -> str:
        """What errors call the source."""

    def annotations(self) -> dict[str, Any]:
        """All annotations, as a COCO tree that is yet to be checked."""

    def fetch(self, images: pd.DataFrame, folder: str | Path) -> None:
        """Make a folder hold just these pictures, each checked for decoding and size.

        Where it fails, what was in the folder stays as it was.

        Parameters
        ----------
        images
            Rows of `smallsight.coco.Dataset.images`.
        folder
            Made where it does not exist.
        """


def make_source(data: params.Data, *, seed: int) -> Source:
    """Give the source that the parameters name; `seed` is for generated pictures."""
    if data.source == "phantom":
        return Phantom(data.phantom, seed=seed)
    if data.source == "local":
        return Local(data.local)
    return CocoWeb(data.coco)

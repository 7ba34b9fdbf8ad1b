"""The sources of annotations and pictures, by the name that the parameters choose."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from smallsight import params
from smallsight.datasets.coco_web import CocoData, CocoWeb
from smallsight.datasets.collecting import USUAL, PictureFacts, Reading
from smallsight.datasets.local import Local, LocalData
from smallsight.datasets.phantom_scenes import Phantom, PhantomData
from smallsight.datasets.picture_folder import PictureFolder
from smallsight.datasets.tidying import tidy
from smallsight.params import Section
from smallsight.runtime.errors import ParameterError


class Source(Protocol):
    """A place with annotations and pictures."""

    @property
    def where(self) -> str:
        """What errors call the source."""

    @property
    def folder(self) -> PictureFolder | None:
        """Where the pictures lie; None where that cannot be looked at before they are fetched."""

    def annotations(self) -> dict[str, Any]:
        """Return all annotations as a COCO tree, for `tidying.tidy` and then `coco.parse`."""

    def fetch(
        self, images: pd.DataFrame, folder: str | Path, reading: Reading = USUAL
    ) -> PictureFacts:
        """Fill a folder with these pictures and no others, each checked for decoding and size.

        After an error, what was in the folder before is still there.

        Parameters
        ----------
        images
            Rows of `coco.Dataset.images`.
        folder
            It is made where it does not exist.
        reading
            How files are read, as the parameters say.
        """


@dataclass(frozen=True)
class SourceRecord:
    """What the registry holds of a source.

    Attributes
    ----------
    section
        Its group of parameters, which stands under its name.
    make
        Makes the source of these parameters, all of the data's, and the study's seed.
    """

    section: type[Section]
    make: Callable[[Any, params.Data, int], Source]


SOURCES = {
    "phantom": SourceRecord(PhantomData, lambda settings, _, seed: Phantom(settings, seed)),
    "local": SourceRecord(
        LocalData, lambda settings, data, _: Local(settings, data.orientation != "stored")
    ),
    "coco": SourceRecord(CocoData, lambda settings, *_: CocoWeb(settings)),
}
"""Every source by name."""


def make_source(data: params.Data, *, seed: int) -> Source:
    """Make the source that the parameters name.

    Parameters
    ----------
    seed
        The study's; generated pictures depend on it.

    Raises
    ------
    ParameterError
        If there is no such source, or if its group of parameters is missing or malformed.

    Examples
    --------
    >>> data = params.Data(
    ...     source="local",
    ...     categories=("car", "bus"),
    ...     instances="none.csv",
    ...     max_bad_share=0.01,
    ...     orientation="auto",
    ...     max_pixels=10**8,
    ...     local={"format": "coco", "annotations": "mine/instances.json", "images": "mine"},
    ... )
    >>> make_source(data, seed=0).where
    'mine/instances.json'
    """
    if data.source not in SOURCES:
        raise ParameterError(
            "params.data.source", repr(data.source), f"one of {', '.join(SOURCES)}"
        )
    record = SOURCES[data.source]
    return record.make(_group(data, data.source, record), data, seed)


def read_tidied(source: Source, data: params.Data) -> dict[str, Any]:
    """Read a source's annotations as a COCO tree, what cannot be used left out.

    Raises
    ------
    AnnotationError
        As `tidying.tidy` does.
    """
    return tidy(
        source.annotations(),
        data.categories,
        where=source.where,
        max_bad_share=data.max_bad_share,
        folder=source.folder,
    )


def check_groups(data: params.Data) -> None:
    """Check the groups of all sources, not only that of the chosen one.

    Raises
    ------
    ParameterError
        For the first group that belongs to no source, is missing, or is malformed.
    """
    for name in data.groups:
        if name not in SOURCES:
            known = ", ".join([*type(data).model_fields, *SOURCES])
            raise ParameterError(f"params.data.{name}", "unknown parameter", f"one of {known}")
    for name, record in SOURCES.items():
        _group(data, name, record)


def _group(data: params.Data, name: str, record: SourceRecord) -> Section:
    where = f"params.data.{name}"
    if name not in data.groups:
        raise ParameterError(where, "nothing", "a value")
    return params.validate(record.section, data.groups[name], where=where)

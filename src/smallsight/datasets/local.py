"""A dataset on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from smallsight.datasets.collecting import USUAL, PictureFacts, Reading, collect_pictures
from smallsight.datasets.formats.registry import FORMATS
from smallsight.datasets.picture_folder import PictureFolder
from smallsight.params import Section
from smallsight.runtime import files
from smallsight.runtime.errors import AnnotationError, ParameterError


class LocalData(Section):
    """A dataset on disk; `formats.registry` says what its paths name in each format."""

    format: Literal["coco", "yolo", "voc", "fiftyone", "folders"]
    annotations: str
    images: str


@dataclass(frozen=True)
class Local:
    """Annotations and a folder of pictures; neither is ever written to.

    Where annotations do not tell a picture's size, it is that of the picture turned as EXIF says,
    if `is_upright`, or that of the stored pixels.
    """

    settings: LocalData
    is_upright: bool = True

    @property
    def where(self) -> str:
        """The annotations' file or folder."""
        return self.settings.annotations

    @property
    def folder(self) -> PictureFolder:
        """The folder of pictures.

        Raises
        ------
        AnnotationError
            If there is no such folder.
        """
        if not Path(self.settings.images).is_dir():
            raise AnnotationError("data.local.images", repr(self.settings.images), "a folder")
        return PictureFolder(Path(self.settings.images), self.is_upright)

    def annotations(self) -> dict[str, Any]:
        """Return all annotations as they stand there.

        Raises
        ------
        AnnotationError
            If they are not as the format has them.
        """
        settings = self.settings
        annotations, images = Path(settings.annotations), Path(settings.images)
        return FORMATS[settings.format].read(annotations, images, self.is_upright)

    def fetch(
        self, images: pd.DataFrame, folder: str | Path, reading: Reading = USUAL
    ) -> PictureFacts:
        """Replace a folder by these pictures, as the study uses them.

        Tools that label pictures show them upright, as browsers do: where nothing else tells, their
        boxes are taken to be annotated so.

        Raises
        ------
        PictureError
            If pictures are missing, damaged, or of another size than the annotations say.
        ParameterError
            If one of the two folders, `folder` and that of the pictures, is or contains the other.
        """
        source, target = Path(self.settings.images).resolve(), Path(folder).resolve()
        if source.is_relative_to(target) or target.is_relative_to(source):
            raise ParameterError(
                "data.local.images", repr(self.settings.images), f"a folder apart from {folder}"
            )
        with files.new_folder(folder) as new:
            return collect_pictures(
                images,
                origin=self.settings.images,
                source=Path(self.settings.images),
                target=new,
                reading=reading,
                convention="upright",
            )

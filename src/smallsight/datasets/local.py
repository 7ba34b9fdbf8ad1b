"""A dataset on disk."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from smallsight.datasets.formats.registry import FORMATS
from smallsight.imaging import pictures
from smallsight.params import Section
from smallsight.runtime import files, parallel
from smallsight.runtime.errors import ParameterError, PictureError


class LocalData(Section):
    """A dataset on disk; `formats.registry` says what its paths name in each format."""

    format: Literal["coco", "yolo", "voc", "fiftyone", "folders"]
    annotations: str
    images: str


@dataclass(frozen=True)
class Local:
    """Annotations and a folder of pictures; neither is ever written to."""

    settings: LocalData

    @property
    def where(self) -> str:
        """The annotations' file or folder."""
        return self.settings.annotations

    def annotations(self) -> dict[str, Any]:
        """Return all annotations as they stand there.

        Raises
        ------
        AnnotationError
            If they are not as the format has them.
        """
        settings = self.settings
        return FORMATS[settings.format].read(Path(settings.annotations), Path(settings.images))

    def fetch(self, images: pd.DataFrame, folder: str | Path) -> None:
        """Replace a folder by copies of these pictures.

        Raises
        ------
        PictureError
            If a picture is missing, truncated, or of another size than the annotations say.
        ParameterError
            If one of the two folders, `folder` and that of the pictures, is or contains the other.
        """
        source, target = Path(self.settings.images).resolve(), Path(folder).resolve()
        if source.is_relative_to(target) or target.is_relative_to(source):
            raise ParameterError(
                "data.local.images", repr(self.settings.images), f"a folder apart from {folder}"
            )
        with files.new_folder(folder) as new:
            copy = partial(_copy, source=Path(self.settings.images), target=new)
            items = list(images.itertuples(index=False))
            parallel.map_items(copy, items, description="copying pictures", prefer="threads")


def _copy(image: Any, *, source: Path, target: Path) -> None:
    original, path = source / image.file_name, target / image.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(original, path)
    except OSError as error:
        raise PictureError(original, error.strerror or str(error), "a readable picture") from None
    pictures.verify_picture(path, width=image.width, height=image.height, where=original)

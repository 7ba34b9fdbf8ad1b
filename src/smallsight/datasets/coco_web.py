"""COCO 2017, downloaded from its own addresses or from a server with the same paths."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import pandas as pd
import platformdirs
from pydantic import Field

from smallsight.datasets import coco
from smallsight.datasets.collecting import USUAL, PictureFacts, Reading, collect_pictures
from smallsight.imaging import decoding
from smallsight.imaging.decoding import LargePictureError
from smallsight.params import Section
from smallsight.runtime import files, large_json, parallel
from smallsight.runtime.download import LastingDownloadError, download
from smallsight.runtime.errors import DownloadError, PictureError

ARCHIVE = "annotations_trainval2017.zip"
OFFLINE = "without a network: data.source local, with COCO's files on disk (docs/formats.md)"

LARGEST_ARCHIVE = 2**30
LARGEST_ANNOTATIONS = 2**30
LARGEST_PICTURE = 2**26
"""Bytes; COCO's own are 253 million, 470 million, and at most one million."""

AT_ONCE = 8
"""Pictures that are asked for at the same time, at most."""

ORIGIN = ".origin"
"""File in a folder of downloaded pictures that says where they are from."""


class CocoData(Section):
    """COCO from its own addresses, or from a server laid out alike."""

    split: Literal["val2017", "train2017"]
    base_url: str
    annotations_md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    redirects: tuple[Annotated[str, Field(pattern="^https?://[^/]+$")], ...]


@dataclass(frozen=True)
class CocoWeb:
    """One split of COCO 2017. The archive of annotations is kept in the user's cache folder."""

    settings: CocoData

    @property
    def where(self) -> str:
        """The archive's address, and the file in it."""
        return f"{self._url('annotations', ARCHIVE)}: {self._member}"

    @property
    def _member(self) -> str:
        return f"annotations/instances_{self.settings.split}.json"

    def _url(self, *parts: str) -> str:
        return "/".join([self.settings.base_url.rstrip("/"), *map(quote, parts)])

    @property
    def folder(self) -> None:
        """The pictures are downloaded when they are fetched."""

    def annotations(self) -> dict[str, Any]:
        """Return all annotations of the split, and download them if the cache has none.

        Raises
        ------
        DownloadError
            If the archive cannot be downloaded, or has another MD5 than the published one.
        """
        url, due = self._url("annotations", ARCHIVE), self.settings.annotations_md5
        archive = platformdirs.user_cache_path("smallsight") / ARCHIVE

        def check(path: Path) -> None:
            found = files.md5(path)
            if found != due:
                raise DownloadError(url, f"MD5 {found}", f"MD5 {due}")

        if not archive.is_file() or files.md5(archive) != due:
            with self._offline():
                download(
                    url,
                    archive,
                    check,
                    at_most=LARGEST_ARCHIVE,
                    redirects=self.settings.redirects,
                    is_large=True,
                )
        try:
            with files.reading_archive(), zipfile.ZipFile(archive) as members:
                large = members.getinfo(self._member).file_size
                if large > LARGEST_ANNOTATIONS:
                    limit = f"at most {LARGEST_ANNOTATIONS:,} bytes of {self._member}"
                    raise DownloadError(url, f"{large:,} bytes", limit)
                with members.open(self._member) as member:
                    content = large_json.unpack(member)
        except (KeyError, zipfile.BadZipFile) as error:
            raise DownloadError(url, str(error), f"a ZIP file with {self._member}") from None
        return coco.as_tree(large_json.loads(content, where=self.where), where=self.where)

    @contextmanager
    def _offline(self) -> Iterator[None]:
        """Say of a download that fails how the study runs without."""
        try:
            yield
        except DownloadError as error:
            due = f"{error.expected}; {OFFLINE}"
            raise DownloadError(error.where, error.found, due) from None

    def fetch(
        self, images: pd.DataFrame, folder: str | Path, reading: Reading = USUAL
    ) -> PictureFacts:
        """Download these pictures into a folder, except those of this source that are whole in it.

        A folder of another source is replaced, once all pictures are there. After an error, the
        downloaded pictures stay, so that the next run continues from there.

        Raises
        ------
        DownloadError
            If the server does not answer; or for all pictures that it lacks, that are damaged, or
            that have another size than the annotations say, in one line.
        """
        folder = Path(folder)
        place = folder
        if not self._is_own(folder):
            place = folder.with_name(f".{folder.name}.download")
            if not self._is_own(place):
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir(parents=True, exist_ok=True)
                files.write_text(self._origin, place / ORIGIN)
        urls = [self._url(self.settings.split, name) for name in images["file_name"]]
        items = list(zip(urls, images.itertuples(index=False), strict=True))
        obtain = partial(
            _obtain,
            folder=place,
            max_pixels=reading.max_pixels,
            redirects=self.settings.redirects,
        )
        with self._offline(), parallel.here():
            found = parallel.map_items(
                obtain, items, description="downloading pictures", prefer="threads", at_most=AT_ONCE
            )
        failures = [one for one in found if one is not None]
        if len(failures) == 1:
            raise failures[0]
        if failures:
            example = f"{failures[0].where}: {failures[0].found}"
            count = f"{len(failures)} of {len(items)} pictures cannot be had, such as {example}"
            raise DownloadError(self._url(self.settings.split), count, "every picture, whole")
        facts = collect_pictures(
            images,
            origin=self._url(self.settings.split),
            source=place,
            target=place,
            reading=reading,
            convention="stored",
        )
        _keep_only(place, {ORIGIN, *images["file_name"]})
        if place != folder:
            files.replace_folder(folder, place)
        return facts

    @property
    def _origin(self) -> str:
        """What a folder of downloaded pictures keeps of their source."""
        return self._url(self.settings.split) + "\n"

    def _is_own(self, folder: Path) -> bool:
        """Return whether a folder holds pictures of this source."""
        path = folder / ORIGIN
        return path.is_file() and path.read_text(encoding="utf-8") == self._origin


def _obtain(
    item: tuple[str, Any], *, folder: Path, max_pixels: int, redirects: tuple[str, ...]
) -> DownloadError | None:
    """Obtain one picture; return what is wrong with it alone."""
    url, image = item
    path = folder / image.file_name
    verify = partial(_verify, size=(image.width, image.height), max_pixels=max_pixels)
    try:
        if not verify(path).is_made_here:
            return None
    except PictureError:
        pass

    def check(path: Path) -> None:
        try:
            verify(path)
        except LargePictureError as error:
            raise DownloadError(url, error.found, error.expected) from None

    try:
        download(url, path, check, at_most=LARGEST_PICTURE, redirects=redirects)
    except LastingDownloadError as error:
        return error
    return None


def _verify(path: Path, *, size: tuple[int, int], max_pixels: int) -> decoding.Header:
    """Check that a picture decodes wholly, and has the annotated size one way up or the other."""
    header = decoding.read_header(path, max_pixels=max_pixels)
    decoding.decode(path, max_pixels=max_pixels)
    if size != header.upright:
        decoding.check_size(header.stored, size, where=path)
    return header


def _keep_only(folder: Path, names: set[str]) -> None:
    """Remove every other file, and the folders that this empties."""
    kept = {folder / name for name in names}
    # In reverse order, a folder comes after everything in it.
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()

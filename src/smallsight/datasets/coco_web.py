"""COCO 2017, downloaded from its own addresses or from a server with the same paths."""

import logging
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import pandas as pd
import pooch
import requests
from pydantic import Field

from smallsight.datasets import coco
from smallsight.datasets.collecting import USUAL, PictureFacts, Reading, collect_pictures
from smallsight.imaging import decoding
from smallsight.imaging.decoding import LargePictureError
from smallsight.params import Section
from smallsight.runtime import files, large_json, parallel
from smallsight.runtime.errors import DownloadError, PictureError

ARCHIVE = "annotations_trainval2017.zip"
TIMEOUT = 30
"""Seconds without an answer, or without a further byte, after which a request fails."""

WAITS = (1, 4)
"""Seconds before each further attempt."""

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which a further attempt may succeed."""

ORIGIN = ".origin"
"""File in a folder of downloaded pictures that says where they are from."""

pooch.get_logger().setLevel(logging.ERROR)


class LastingDownloadError(DownloadError):
    """The server answers, but this file cannot be had from it: others may."""


class CocoData(Section):
    """COCO from its own addresses, or from a server laid out alike."""

    split: Literal["val2017", "train2017"]
    base_url: str
    annotations_md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


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
        url, md5 = self._url("annotations", ARCHIVE), self.settings.annotations_md5

        def download(url: str, output_file: str, _: object) -> None:
            _download(url, Path(output_file), chunk_size=2**20, progressbar=sys.stderr.isatty())
            found = pooch.file_hash(output_file, alg="md5")
            if found != md5:
                raise DownloadError(url, f"MD5 {found}", f"MD5 {md5}")

        def retrieve() -> str:
            cache = pooch.os_cache("smallsight")
            return pooch.retrieve(url, f"md5:{md5}", ARCHIVE, cache, downloader=download)

        archive = _persist(retrieve, url)
        try:
            with zipfile.ZipFile(archive) as members, members.open(self._member) as member:
                content = large_json.unpack(member)
        except (KeyError, zipfile.BadZipFile) as error:
            raise DownloadError(url, str(error), f"a ZIP file with {self._member}") from None
        return coco.as_tree(large_json.loads(content, where=self.where), where=self.where)

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
        obtain = partial(_obtain, folder=place, max_pixels=reading.max_pixels)
        found = parallel.map_items(
            obtain, items, description="downloading pictures", prefer="threads"
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


def _obtain(item: tuple[str, Any], *, folder: Path, max_pixels: int) -> DownloadError | None:
    """Obtain one picture; return what is wrong with it alone."""
    url, image = item
    path = folder / image.file_name
    verify = partial(_verify, size=(image.width, image.height), max_pixels=max_pixels)
    try:
        if not verify(path).is_made_here:
            return None
    except PictureError:
        pass

    def attempt() -> None:
        with files.new_file(path) as new:
            _download(url, new)
            verify(new)

    try:
        _persist(attempt, url)
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


def _download(url: str, path: Path, *, chunk_size: int = 2**16, progressbar: bool = False) -> None:
    get = pooch.HTTPDownloader(progressbar, chunk_size=chunk_size, timeout=TIMEOUT)
    get(url, str(path), None)


def _persist(attempt: Callable[[], Any], url: str) -> Any:
    """Repeat an attempt after errors that may pass, then raise the last one in one line."""
    failure: DownloadError
    for wait in (*WAITS, None):
        try:
            return attempt()
        except PictureError as error:
            failure = LastingDownloadError(url, error.found, error.expected)
            passing = not isinstance(error, LargePictureError)
        except requests.RequestException as error:
            if error.response is not None:
                status, found = error.response.status_code, error.response.reason
                passing = status in PASSING_STATUSES
                kind = DownloadError if passing else LastingDownloadError
                failure = kind(url, f"{status} {found}", "200 OK")
            else:
                failure = DownloadError(url, _reason(error), "the whole file")
                # A malformed address also raises a ValueError.
                passing = not isinstance(error, ValueError)
        if wait is None or not passing:
            raise failure
        time.sleep(wait)
    raise AssertionError("unreachable")


def _reason(error: BaseException) -> str:
    """Return the operating system's own words, below the exceptions that wrap them."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


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

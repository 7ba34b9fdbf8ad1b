"""COCO 2017 from its own addresses, or from a server laid out alike."""

import logging
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pooch
import requests

from smallsight import params
from smallsight.datasets import coco
from smallsight.imaging import pictures
from smallsight.runtime import files, parallel
from smallsight.runtime.errors import DownloadError, PictureError

ARCHIVE = "annotations_trainval2017.zip"


TIMEOUT = 30
"""Seconds without an answer, or without a further byte, after which a request has failed."""


WAITS = (1, 4)
"""Seconds before each further attempt."""


PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that a further attempt may not meet again."""


pooch.get_logger().setLevel(logging.ERROR)


@dataclass(frozen=True)
class CocoWeb:
    """One split of COCO 2017; the annotations' archive is kept in the user's cache folder."""

    settings: params.CocoData

    @property
    def where(self) -> str:
        """The archive's address, and the file in it."""
        return f"{self._url('annotations', ARCHIVE)}: {self._member}"

    @property
    def _member(self) -> str:
        return f"annotations/instances_{self.settings.split}.json"

    def _url(self, *parts: str) -> str:
        return "/".join([self.settings.base_url.rstrip("/"), *map(quote, parts)])

    def annotations(self) -> dict[str, Any]:
        """All annotations of the split, downloaded if they were not before.

        Raises
        ------
        DownloadError
            Where the archive does not come, or has not the published MD5.
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
            with zipfile.ZipFile(archive) as content:
                member = content.read(self._member)
        except (KeyError, zipfile.BadZipFile) as error:
            raise DownloadError(url, str(error), f"a ZIP file with {self._member}") from None
        return coco.loads(member, where=self.where)

    def fetch(self, images: pd.DataFrame, folder: str | Path) -> None:
        """Download these pictures into a folder; those whole in it already are kept.

        Where it fails, the pictures that came stay, so that the next run goes on from there.

        Raises
        ------
        DownloadError
            Where a picture does not come, is truncated, or of another size than announced.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        urls = [self._url(self.settings.split, name) for name in images["file_name"]]
        items = list(zip(urls, images.itertuples(index=False), strict=True))
        obtain = partial(_obtain, folder=folder)
        parallel.map_items(obtain, items, description="downloading pictures", prefer="threads")
        _keep_only(folder, set(images["file_name"]))


def _obtain(item: tuple[str, Any], *, folder: Path) -> None:
    url, image = item
    path = folder / image.file_name
    verify = partial(pictures.verify_picture, width=image.width, height=image.height)
    try:
        verify(path)
    except PictureError:
        pass
    else:
        return

    def attempt() -> None:
        with files.new_file(path) as new:
            _download(url, new)
            verify(new)

    _persist(attempt, url)


def _download(url: str, path: Path, *, chunk_size: int = 2**16, progressbar: bool = False) -> None:
    get = pooch.HTTPDownloader(progressbar, chunk_size=chunk_size, timeout=TIMEOUT)
    get(url, str(path), None)


def _persist(attempt: Callable[[], Any], url: str) -> Any:
    """Try again after what may pass, then say in one line what came."""
    for wait in (*WAITS, None):
        try:
            return attempt()
        except PictureError as error:
            failure, passing = DownloadError(url, error.found, error.expected), True
        except requests.RequestException as error:
            if error.response is not None:
                status, found = error.response.status_code, error.response.reason
                failure = DownloadError(url, f"{status} {found}", "200 OK")
                passing = status in PASSING_STATUSES
            else:
                failure = DownloadError(url, _reason(error), "the whole file")
                # What is wrong with the address itself is a ValueError too.
                passing = not isinstance(error, ValueError)
        if wait is None or not passing:
            raise failure
        time.sleep(wait)
    raise AssertionError("unreachable")


def _reason(error: BaseException) -> str:
    """Find the operating system's own words under the layers around them."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _keep_only(folder: Path, names: set[str]) -> None:
    """Remove every file but these, and the folders that this empties."""
    kept = {folder / name for name in names}
    # Deepest first: a folder comes after all that is in it.
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()

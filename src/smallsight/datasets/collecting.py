"""Pictures of a source brought into a folder as the study uses them, and what was done to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from PIL.PngImagePlugin import PngInfo

from smallsight.datasets.orientation import Doubt, Way, decide_ways
from smallsight.imaging import decoding
from smallsight.imaging.conversion import RULES
from smallsight.runtime import files, parallel
from smallsight.runtime.errors import PictureError

KINDS: dict[type[PictureError], str] = {
    decoding.MissingPictureError: "missing",
    decoding.DamagedPictureError: "not readable",
    decoding.LargePictureError: "too large",
    decoding.SizeError: "of another size than the annotations say",
}
"""What may be wrong with pictures, in the order in which it is told."""


@dataclass(frozen=True)
class Reading:
    """How files of pictures are read, as the parameters under `data` say.

    Attributes
    ----------
    orientation
        Which way up: `upright` as EXIF says, as it is `stored`, or found out for each picture.
    max_pixels
        Pictures of more pixels are refused.
    """

    orientation: Literal["auto", "upright", "stored"] = "auto"
    max_pixels: int = decoding.MAX_PIXELS


USUAL = Reading()
"""As the parameters say where nobody changed them."""


@dataclass(frozen=True)
class PictureFacts:
    """What became of pictures on their way into the study.

    Attributes
    ----------
    origin
        Where they are from: an address, a folder or a generator.
    changed
        Names by what was done to them, of `conversion.RULES`.
    doubt
        Pictures whose orientation is not certain.
    """

    origin: str
    changed: dict[str, list[str]] = field(default_factory=dict)
    doubt: Doubt = field(default_factory=Doubt)

    def as_tree(self) -> dict[str, Any]:
        """Return what JSON holds of them."""
        changed = {
            kind: {"count": len(names), "example": names[0], "rule": RULES[kind]}
            for kind, names in self.changed.items()
        }
        return {"source": self.origin, "changed": changed, "in_doubt": self.doubt.as_tree()}

    def describe(self) -> str:
        """Say in one line what a user should know; empty where nothing was done.

        Examples
        --------
        >>> PictureFacts("mine", {"composited": ["a.png", "b.png"]}).describe()
        '2 laid on white where transparent, such as a.png'
        """
        said = [
            f"{len(names)} {RULES[kind]}, such as {names[0]}"
            for kind, names in self.changed.items()
        ]
        if self.doubt.names:
            said.append(
                f"{len(self.doubt.names)} whose orientation is in doubt, taken {self.doubt.way} "
                f"({self.doubt.reason}; `data.orientation` decides), such as {self.doubt.names[0]}"
            )
        return "; ".join(said)


@dataclass(frozen=True)
class _Item:
    """One picture: its name and annotated size, where it is, and where it has to be."""

    name: str
    size: tuple[int, int]
    origin: Path
    place: Path


def collect_pictures(
    images: pd.DataFrame,
    *,
    origin: str,
    source: Path,
    target: Path,
    reading: Reading,
    convention: Way,
) -> PictureFacts:
    """Bring pictures from one folder into another one, or change them in the same one.

    A picture that is used as it is stored is copied, byte for byte. Of another one, the result is
    written losslessly, as PNG, under its own name, so that nobody else needs to know the rules.

    Parameters
    ----------
    images
        Rows of `coco.Dataset.images`.
    origin
        What the pictures' source is called.
    convention
        Which way up boxes usually are annotated where the pictures come from.

    Raises
    ------
    PictureError
        For all pictures that are missing, damaged, too large or of another size, in one line.
    """
    names, widths, heights = (images[key].to_list() for key in ("file_name", "width", "height"))
    items = [
        _Item(name, (width, height), source / name, target / name)
        for name, width, height in zip(names, widths, heights, strict=True)
    ]
    ways, doubt = _ways(items, reading, convention)
    bring = partial(_bring, ways=ways, max_pixels=reading.max_pixels)
    brought = parallel.map_items(bring, items, description="reading pictures", prefer="threads")
    raise_together([one for one in brought if isinstance(one, PictureError)], len(items), origin)
    changed = {
        kind: sorted(
            item.name
            for item, done in zip(items, brought, strict=True)
            if isinstance(done, list) and kind in done
        )
        for kind in RULES
    }
    return PictureFacts(origin, {kind: names for kind, names in changed.items() if names}, doubt)


def _ways(
    items: Sequence[_Item], reading: Reading, convention: Way
) -> tuple[dict[str, Way], Doubt]:
    if reading.orientation != "auto":
        return dict.fromkeys((item.name for item in items), reading.orientation), Doubt()
    look = partial(_header, max_pixels=reading.max_pixels)
    found = parallel.map_items(look, items, description="looking at pictures", prefer="threads")
    headers = {
        item.name: header for item, header in zip(items, found, strict=True) if header is not None
    }
    return decide_ways(headers, {item.name: item.size for item in items}, convention=convention)


def _header(item: _Item, *, max_pixels: int) -> decoding.Header | None:
    """Return what a file says of itself; None where it says nothing, which comes out later."""
    try:
        return decoding.read_header(item.origin, max_pixels=max_pixels)
    except PictureError:
        return None


def _bring(item: _Item, *, ways: dict[str, Way], max_pixels: int) -> list[str] | PictureError:
    """Bring one picture; return what was done to it, or what is wrong with it."""
    way = ways.get(item.name, "stored")
    try:
        decoded = decoding.decode(item.origin, is_upright=way == "upright", max_pixels=max_pixels)
        note = ", turned upright" if "turned" in decoded.done else ""
        decoding.check_size(decoded.picture.size, item.size, where=item.origin, note=note)
        item.place.parent.mkdir(parents=True, exist_ok=True)
        if not decoded.is_plain:
            about = PngInfo()
            about.add_text(decoding.MADE_HERE, "; ".join(RULES[kind] for kind in decoded.done))
            with files.new_file(item.place) as new:
                decoded.picture.save(new, format="PNG", pnginfo=about)
        elif item.origin != item.place:
            with decoding.reading(item.origin):
                content = item.origin.read_bytes()
            item.place.write_bytes(content)
    except PictureError as error:
        return error
    return decoded.done


def raise_together(failures: Iterable[PictureError], total: int, where: str) -> None:
    """Tell of all bad pictures at once; of a single one as it is.

    Raises
    ------
    PictureError
        Where there is any: how many of which kind, with an example of each.
    """
    failures = list(failures)
    if len(failures) == 1:
        raise failures[0]
    said = []
    for kind, words in KINDS.items():
        alike = [one for one in failures if isinstance(one, kind)]
        if alike:
            example = f"{alike[0].where} ({alike[0].found})"
            said.append(f"{len(alike)} of {total} pictures {words}, such as {example}")
    if said:
        due = "every picture that was drawn, whole and of the size that the annotations say"
        if any(isinstance(one, decoding.LargePictureError) for one in failures):
            due += "; `data.max_pixels` sets how many pixels one may have"
        raise PictureError(where, "; ".join(said), due)

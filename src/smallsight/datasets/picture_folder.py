"""A folder of pictures: which file an entry of annotations means."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote


@dataclass(frozen=True)
class PictureFolder:
    """A folder of pictures and of folders of them.

    Attributes
    ----------
    path
        Where it is.
    is_upright
        Whether its pictures are turned as EXIF says.
    """

    path: Path
    is_upright: bool = True

    @cached_property
    def names(self) -> frozenset[str]:
        """Paths of all files below the folder, relative to it, with slashes."""
        root = str(self.path)
        found: list[str] = []
        # Real paths of the folders above each one: a link to one of them would lead round for ever.
        above: dict[Path, frozenset[Path]] = {self.path: frozenset()}
        for folder, folders, names in os.walk(root, followlinks=True):
            known = above.pop(Path(folder))
            place = Path(folder).resolve()
            if place in known:
                folders.clear()
                continue
            above |= {Path(folder, name): known | {place} for name in folders}
            found += (Path(folder, name).relative_to(root).as_posix() for name in names)
        return frozenset(found)

    @cached_property
    def _alike(self) -> dict[str, list[str]]:
        """Names of files by what is left of them without case and composition of letters."""
        found = defaultdict(list)
        for name in self.names:
            found[_plain(name)].append(name)
        return found

    def find(self, name: str) -> str | None:
        """Return the file that a name means, relative to the folder; None where there is none.

        A name may have backslashes, be an absolute path inside the folder, begin with the folder's
        own name, be escaped as in an address, or differ from the file's in case or in how accents
        are composed. The file of exactly this name comes first.
        """
        for candidate in self._candidates(name):
            if candidate in self.names:
                return candidate
        for candidate in self._candidates(name):
            alike = self._alike.get(_plain(candidate), [])
            if len(alike) == 1:
                return alike[0]
        return None

    def _candidates(self, name: str) -> Iterator[str]:
        yield name
        for path in (name, name.replace("\\", "/"), unquote(name)):
            plain = str(PurePosixPath(path))
            yield plain
            for root in (self.path, self.path.absolute(), self.path.resolve()):
                if plain.startswith(f"{root.as_posix()}/"):
                    yield plain[len(root.as_posix()) + 1 :]
            own = f"{self.path.resolve().name}/"
            if plain.startswith(own):
                yield plain[len(own) :]


def stays_inside(name: str) -> bool:
    """Return whether a name is a printable relative path that leads to no other folder."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    return (
        bool(posix.name)
        and name.isprintable()
        and not posix.is_absolute()
        and not windows.anchor
        and ".." not in windows.parts
    )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()

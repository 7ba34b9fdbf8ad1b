"""Unpack the archives of rendered pictures into the folder `pictures`."""

from pathlib import Path

from smallsight.conditions.rendered.store import unpack
from smallsight.runtime import script

CONDITIONS = Path("data/conditions")
PICTURES = Path("pictures")


def main() -> str:
    """Replace the folder by what the archives hold."""
    count = unpack(CONDITIONS, PICTURES)
    if not count:
        return f"no archive in {CONDITIONS}: its pictures are files"
    return f"{count} archives of {CONDITIONS} unpacked into {PICTURES}"


if __name__ == "__main__":
    script.run(main)

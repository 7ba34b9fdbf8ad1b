"""Check that dvc.lock belongs to the commit: what it records of tracked files is what Git has."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from smallsight.runtime.yaml_files import parse_yaml

LOCK, PARAMETERS = "dvc.lock", "params.yaml"


def main(revision: str = "HEAD") -> None:
    """Exit with 1 and a line for each recorded file, folder or parameter that has changed since."""
    files = _files(revision)
    stages = parse_yaml(files[LOCK])["stages"]
    parameters = parse_yaml(files[PARAMETERS])
    complaints = [
        f"{LOCK}: stage {name}: {complaint}"
        for name, stage in stages.items()
        for complaint in (*_changed_files(stage, files), *_changed_parameters(stage, parameters))
    ]
    if complaints:
        expected = "those of this commit: run the study with this very tree, commit its lock file"
        sys.exit("\n".join([*complaints, f"expected {expected}"]))
    print(f"{LOCK} belongs to {revision}: {len(stages)} stages")


def _files(revision: str) -> dict[str, bytes]:
    """Read every tracked file of a commit, by its path."""
    archive = subprocess.run(["git", "archive", revision], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {
            member.name: content.read()
            for member in tar
            if member.isfile() and (content := tar.extractfile(member))
        }


def _changed_files(stage: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    for dependency in stage.get("deps", ()):
        path = dependency["path"]
        found = _file_digest(path, files) or _folder_digest(path, files)
        # What Git does not track, another stage wrote, or it is a user's own data.
        if found and found != dependency["md5"]:
            yield f"{path} has MD5 {found}, recorded is {dependency['md5']}"


def _file_digest(path: str, files: Mapping[str, bytes]) -> str:
    return hashlib.md5(files[path]).hexdigest() if path in files else ""


def _folder_digest(path: str, files: Mapping[str, bytes]) -> str:
    """Compute a folder's hash as DVC does: that of the list of its files and their hashes."""
    inside = [name for name in files if name.startswith(f"{path}/")]
    if not inside:
        return ""
    digests = {name.removeprefix(f"{path}/"): _file_digest(name, files) for name in inside}
    return hashlib.md5(list_folder(digests)).hexdigest() + ".dir"


def list_folder(digests: Mapping[str, str | None]) -> bytes:
    """Write the list of a folder's files as DVC does, letter by letter of their paths.

    Parameters
    ----------
    digests
        MD5 by path inside of the folder.
    """
    entries = [{"md5": digests[name], "relpath": name} for name in sorted(digests)]
    return json.dumps(entries).encode()


def _changed_parameters(stage: Mapping[str, Any], tree: Mapping[str, Any]) -> Iterator[str]:
    for key, recorded in stage.get("params", {}).get(PARAMETERS, {}).items():
        found: Any = tree
        for name in key.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        if found != recorded:
            yield f"{key} is {found!r} in {PARAMETERS}, recorded is {recorded!r}"


if __name__ == "__main__":
    main(*sys.argv[1:])

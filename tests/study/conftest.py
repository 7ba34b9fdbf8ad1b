"""Folders that several whole studies have alike."""

import shutil

import pytest

from builders.stages import run


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    """Run stages for the first study of a key; give all others the folder that they wrote."""
    kept = {}

    def share(folder, key, *stages):
        if key in kept:
            shutil.copytree(kept[key], folder, dirs_exist_ok=True)
            return
        for stage in stages:
            run(*stage)
        kept[key] = shutil.copytree(folder, tmp_path_factory.mktemp("kept") / "data")

    return share

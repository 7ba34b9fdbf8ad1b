"""Folders that several whole studies have alike, and a pipeline whose stages cost nothing."""

import shutil

import pytest

from builders.cheap_pipeline import CheapPipeline
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


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cheap pipeline that has run, and whose outputs by x are known."""
    made = CheapPipeline(tmp_path_factory.mktemp("made") / "project")
    made.run_and_commit()
    return made


@pytest.fixture
def project(made, tmp_path):
    """A copy of that pipeline, to be damaged or run."""
    return made.copy(tmp_path / "project")

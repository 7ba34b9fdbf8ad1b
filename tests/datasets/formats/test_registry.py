from pathlib import Path
from typing import get_args

import pytest

from smallsight.datasets.formats.registry import FORMATS
from smallsight.datasets.local import Local, LocalData
from smallsight.runtime.errors import AnnotationError

ROOT = Path(__file__).parents[3]


def test_the_parameter_names_every_format():
    assert get_args(LocalData.model_fields["format"].annotation) == tuple(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_documented(name):
    page = (ROOT / "docs/formats.md").read_text()
    assert f"| `{name}` |" in page


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_what_is_not_there(name, tmp_path):
    missing = str(tmp_path / "missing")
    with pytest.raises(AnnotationError, match="missing"):
        Local(LocalData(format=name, annotations=missing, images=missing)).annotations()

import pytest
from PIL import Image

from smallsight.imaging.jpeg import jpeg


@pytest.mark.parametrize("options", [{"quality": 95, "subsampling": "4:4:4"}, {"quality": 75}])
def test_bytes_are_those_that_pillow_writes_itself(noise, tmp_path, options):
    picture = Image.fromarray(noise(150, 201))
    picture.save(tmp_path / "a.jpg", **options)
    assert jpeg(picture, **options) == (tmp_path / "a.jpg").read_bytes()

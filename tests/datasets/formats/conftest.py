import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def one_worker(monkeypatch):
    """Threads are a matter of `runtime.parallel`'s own tests."""
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")


@pytest.fixture
def blank(tmp_path):
    """Write an empty picture; its orientation is that of EXIF."""

    def blank(name, *, size=(200, 100), orientation=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if orientation:
            exif[0x0112] = orientation
        Image.new("RGB", size).save(path, exif=exif)
        return path

    return blank


@pytest.fixture
def write(tmp_path):
    """Write a text file."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write

"""The notebook of Python's way in: short, without outputs, and it runs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples/python/analyse.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_is_short_and_holds_no_results(notebook):
    nbformat.validate(notebook)
    assert len(notebook.cells) == 10
    for cell in notebook.cells:
        assert cell.source.strip()
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.page
def test_the_notebook_runs_and_shows_what_it_says(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    done = client.execute()
    shown = [
        output.data
        for cell in done.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    objects, picture, predictions, effects, left_out, files = shown
    assert "category_name" in objects["text/plain"]
    assert "image/png" in picture
    assert "p_person" in predictions["text/plain"]
    for word in ("motion_blur", "downscale", "small-large", "lower"):
        assert word in effects["text/plain"]
    assert "it needs the classifier itself" in left_out["text/plain"]
    assert files["text/plain"] == "['report.html', 'report.pdf']"

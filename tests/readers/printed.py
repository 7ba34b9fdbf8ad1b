"""What a PDF's pages hold, read back from the text that they draw."""

import dataclasses

import matplotlib as mpl
import numpy as np
from PIL import ImageFont
from pypdf import PdfReader

POINTS = 72 / 25.4
"""Points in a millimetre."""

TYPEFACE = ImageFont.truetype(f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 100)

SHEETS = [
    "In short",
    "What to do",
    "Accuracy by size and condition",
    "Doses, shifts and pixels",
    "Claims of the original study",
    "Conditions, on the same objects",
    "Small objects, recognised and failed",
    "Attention: where the network looked, measured",
    "Failures, and what would rescue them",
    "Method and limits",
    "Provenance",
]
"""Sheets of a study of heads, in order."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of text: its size, and where it stands from the page's lower left, in points."""

    text: str
    size: float
    x: float
    y: float

    @property
    def right(self):
        """Where it ends at the least: in the narrower of the page's typefaces."""
        return self.x + TYPEFACE.getlength(self.text) * self.size / TYPEFACE.size


def runs_of(page):
    """Return the runs of text of a page, those of figures among them."""
    found = []

    def visit(text, page_matrix, text_matrix, font, size):
        if text.strip():
            placed = _affine(text_matrix) @ _affine(page_matrix)
            height = size * np.hypot(*placed[1, :2])
            found.append(Run(text.strip(), float(height), *map(float, placed[2, :2])))

    page.extract_text(visitor_text=visit)
    return found


def _affine(numbers):
    """Write the six numbers of an affine map as a matrix that points, as rows, go through."""
    return np.column_stack([np.reshape(numbers, (3, 2)), (0, 0, 1)])


def fill_of(page, *, margin=17 * POINTS):
    """Return the share of a page's area for text that is taken, from its top."""
    height = float(page.mediabox.height)
    inside = [run.y for run in runs_of(page) if margin <= run.y <= height - margin]
    return (height - margin - min(inside)) / (height - 2 * margin)


def pages_of(path):
    return list(PdfReader(path).pages)


def check_paper(path, *, most=12):
    """Check that a PDF is short, that no letter is small, and that no page is half empty."""
    pages = pages_of(path)
    assert len(pages) <= most
    for number, page in enumerate(pages, start=1):
        least = min(runs_of(page), key=lambda run: run.size)
        assert least.size >= 7.99, f"page {number}: {least}"
        if page is not pages[-1]:
            assert fill_of(page) >= 0.5, f"page {number}"
        right = float(page.mediabox.width) - 16 * POINTS
        outside = [run for run in runs_of(page) if not 0 < run.x <= run.right <= right + 1]
        assert not outside, f"page {number}: {outside}"

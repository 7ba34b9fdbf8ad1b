"""Compares two experiments: writes `reports/compare.html` and `reports/compare.pdf`."""

import sys
from pathlib import Path

from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.inputs import Files, read_side
from smallsight.comparison.page import MOST_ON_PAPER, MOST_ON_SCREEN, build
from smallsight.comparison.revisions import WORKSPACE, open_revision
from smallsight.report import letters, typeset
from smallsight.runtime import files, script

FILES = Files(
    parameters="params.yaml",
    pipeline="dvc.yaml",
    sample="data/samples_step1_person_limited.csv",
    predictions="data/predictions.parquet",
    rungs="data/rungs.parquet",
    failures="data/analysis/failures.csv",
    conditions="data/conditions",
    views="data/conditions/orig_full/views.csv",
    pictures="data/conditions/orig_full/default",
    windows="data/conditions/orig_full/object/default",
)
PAGE, PAPER = Path("reports/compare.html"), Path("reports/compare.pdf")


def main(a: str, b: str) -> str:
    """Compare two revisions; each may be `workspace`, the files on disk."""
    first, second = (read_side(open_revision(Path(), name), FILES) for name in (a, b))
    comparison = compare_studies(first, second)
    page = build(comparison, most=MOST_ON_SCREEN)
    printed = build(comparison, most=MOST_ON_PAPER)
    if note := letters.note(page):
        print(f"compare: {note}", flush=True)
    with files.new_file(PAPER) as partial:
        pages = typeset.write_pdf(printed, partial)
        files.write_text(letters.embedded(page), PAGE)
    counts = comparison.headline.counts.set_index("size_group").loc["all"]
    size = PAGE.stat().st_size / 1e6
    return (
        f"{counts['n']} objects, {counts['positive_flips']} positive and "
        f"{counts['negative_flips']} negative flips; "
        f"{PAGE} ({size:.1f} MB), {PAPER} ({pages} pages)"
    )


if __name__ == "__main__":
    # Without a second revision the first is compared with what is on disk.
    script.run(main, *[*sys.argv[1:], WORKSPACE][: max(2, len(sys.argv) - 1)])

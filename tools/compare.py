"""Compare two experiments: `reports/compare.html` and `reports/compare.pdf`."""

import sys
from pathlib import Path

from smallsight import compare_inputs, compare_page, files, stage, typeset
from smallsight.compare_study import compare
from smallsight.revisions import WORKSPACE, open_revision

FILES = compare_inputs.Files(
    parameters="params.yaml",
    pipeline="dvc.yaml",
    sample="data/samples_step1_person_limited.csv",
    predictions="data/predictions.parquet",
    failures="data/analysis/failures.csv",
    views="data/conditions/orig_full/views.csv",
    pictures="data/conditions/orig_full/default",
)
PAGE, PAPER = Path("reports/compare.html"), Path("reports/compare.pdf")


def main(a: str, b: str) -> str:
    """Compare two revisions; any of them may be `workspace`, the files on disk."""
    revisions = [open_revision(Path(), name) for name in (a, b)]
    found = compare(*(compare_inputs.read(one, FILES) for one in revisions))
    page = compare_page.build(found, most=compare_page.MOST_ON_SCREEN)
    printed = compare_page.build(found, most=compare_page.MOST_ON_PAPER)
    with files.new_file(PAPER) as partial:
        pages = typeset.write_pdf(printed, partial)
        files.write_text(page, PAGE)
    counts = found.counts.set_index("size_group").loc["all"]
    size = PAGE.stat().st_size / 1e6
    return (
        f"{counts['n']} objects, {counts['fixed']} fixed, {counts['broken']} newly broken; "
        f"{PAGE} ({size:.1f} MB), {PAPER} ({pages} pages)"
    )


if __name__ == "__main__":
    # Without a second revision the first is compared with what is on disk.
    stage.run(main, *[*sys.argv[1:], WORKSPACE][: max(2, len(sys.argv) - 1)])

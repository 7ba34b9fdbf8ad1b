"""Draw the report: `reports/report.html` and `reports/report.pdf`."""

from pathlib import Path

from smallsight import params
from smallsight.report import page, typeset
from smallsight.report.inputs import Inputs
from smallsight.runtime import files, script

INPUTS = Inputs(
    sample=Path("data/samples_step1_person_limited.csv"),
    sampling=Path("data/sampling.json"),
    conditions=Path("data/results_conditions.csv"),
    accuracy=Path("data/analysis/accuracy.csv"),
    effects=Path("data/analysis/effects.csv"),
    thresholds=Path("data/analysis/thresholds.csv"),
    bins=Path("data/analysis/bins.csv"),
    severity=Path("data/analysis/severity.csv"),
    claims=Path("data/analysis/claims.csv"),
    ledger=Path("data/analysis/ledger.csv"),
    agreement=Path("data/analysis/agreement.csv"),
    background=Path("data/analysis/background.csv"),
    neighbours=Path("data/analysis/neighbours.csv"),
    answers=Path("data/analysis/answers.csv"),
    failures=Path("data/analysis/failures.csv"),
    failure_causes=Path("data/analysis/failure_causes.csv"),
    rescues=Path("data/analysis/rescues.csv"),
    confusion=Path("data/analysis/confusion.csv"),
    categories=Path("data/analysis/categories.csv"),
    attention=Path("data/analysis/attention.csv"),
    attention_controls=Path("data/analysis/attention_controls.csv"),
    attention_outcomes=Path("data/analysis/attention_outcomes.csv"),
    faithfulness=Path("data/analysis/faithfulness.csv"),
    curve=Path("data/training_curve.csv"),
    training=Path("data/training.json"),
    metrics=Path("reports/metrics.json"),
    gallery=Path("data/gradcam/gallery.csv"),
    strips=Path("data/gradcam/strips.csv"),
    maps=Path("data/gradcam/maps.csv"),
    cams=Path("data/gradcam/maps.npz"),
    about=Path("data/gradcam/about.json"),
)


def main() -> str:
    made = page.build(INPUTS, params.load())
    files.write_text(made.screen(), "reports/report.html")
    with files.new_file("reports/report.pdf") as partial:
        count = typeset.write_pdf(made.printed(), partial)
    files.write_text(made.summary(), "reports/summary.md")
    size = Path("reports/report.html").stat().st_size / 1e6
    return f"report.html ({size:.1f} MB), report.pdf ({count} pages), summary.md"


if __name__ == "__main__":
    script.run(main)

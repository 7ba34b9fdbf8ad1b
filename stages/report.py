"""Draw the report: `reports/report.html` and `reports/report.pdf`."""

from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.report import page, typeset
from smallsight.report.inputs import Inputs
from smallsight.runtime import files, script

INPUTS = Inputs(
    sample=Path("data/samples_step1_person_limited.csv"),
    sampling=Path("data/sampling.json"),
    categories=Path("data/categories.json"),
    pictures=Path("data/pictures.json"),
    backbone=Path("data/backbone.json"),
    classifier=Path("data/classifier.json"),
    preprocessings=Path("data/preprocessing.csv"),
    engine=Path("data/engine.json"),
    conditions=Path("data/conditions"),
    results=Path("data/results_conditions.csv"),
    remedies=Path("data/remedies.json"),
    remedy_times=Path("data/remedies_times.csv"),
    analysis=Path("data/analysis"),
    curve=Path("data/training_curve.csv"),
    training=Path("data/training.json"),
    metrics=Path("reports/metrics.json"),
    gallery=Path("data/gradcam/gallery.csv"),
    strips=Path("data/gradcam/strips.csv"),
    maps=Path("data/gradcam/maps.csv"),
    map_values=Path("data/gradcam/maps.npz"),
    about=Path("data/gradcam/about.json"),
)


def main() -> str:
    made = page.build(INPUTS, params.load())
    if note := made.note():
        print(f"report: {note}", flush=True)
    files.write_text(made.screen(), "reports/report.html")
    with files.new_file("reports/report.pdf") as partial:
        count = typeset.write_pdf(made.printed(), partial, sheets=made.anchors)
    files.write_text(made.summary(), "reports/summary.md")
    size = Path("reports/report.html").stat().st_size / 1e6
    return f"report.html ({size:.1f} MB), report.pdf ({count} pages), summary.md"


if __name__ == "__main__":
    script.run(main)

"""Writes the study as a FiftyOne dataset, and lists a view's objects as a sample.

`write NAME` keeps it in FiftyOne's database, `export FOLDER` writes a folder that
`fiftyone.Dataset.from_dir` reads, `read NAME` or `read NAME/VIEW` or `read FOLDER` writes
`instances.csv`, which `data.instances` takes.
"""

import sys
from pathlib import Path

from smallsight.api.fiftyone_datasets import export_dataset, read_instances, write_dataset
from smallsight.api.study_objects import Files, read_study_objects
from smallsight.runtime import files, script
from smallsight.runtime.errors import SmallsightError

FILES = Files(
    sample=Path("data/samples_step1_person_limited.csv"),
    predictions=Path("data/predictions.parquet"),
    answers=Path("data/analysis/answers.csv"),
    failures=Path("data/analysis/failures.csv"),
    maps=Path("data/gradcam/maps.csv"),
    map_values=Path("data/gradcam/maps.npz"),
)
INSTANCES = Path("instances.csv")


def main(action: str, name: str) -> str:
    """Write, export or read."""
    if action == "read":
        source, _, view = (name, "", "") if Path(name).is_dir() else name.partition("/")
        instances = read_instances(source, view)
        files.write_table(instances, INSTANCES)
        return (
            f"{len(instances)} objects of {instances['image_id'].nunique()} pictures: {INSTANCES}"
        )
    if action not in ("write", "export"):
        raise SmallsightError("action", repr(action), "write, export or read")
    study = read_study_objects(FILES)
    write = {"write": write_dataset, "export": export_dataset}[action]
    objects = sum(len(picture.objects) for picture in study.pictures)
    return f"{write(study, name)} pictures, {objects} objects, {len(study.fields)} conditions"


if __name__ == "__main__":
    script.run(main, *sys.argv[1:])

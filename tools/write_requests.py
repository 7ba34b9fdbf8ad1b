"""Render, and write `requests.csv`: every picture that a table of predictions has to answer."""

import subprocess
import sys
from pathlib import Path

from smallsight import params
from smallsight.classifiers.answers import ANSWERS
from smallsight.classifiers.facts import is_shown, read_classifier_facts
from smallsight.classifiers.requests import list_requests
from smallsight.conditions.rendered.names import read_all_facts
from smallsight.conditions.rendered.store import archive_of, unpack
from smallsight.runtime import files, script
from smallsight.runtime.errors import ParameterError, SmallsightError

CLASSIFIER = "data/classifier.json"
CONDITIONS = Path("data/conditions")
REQUESTS = Path("requests.csv")
PICTURES = Path("pictures")


def main() -> str:
    """Write `requests.csv`, after everything that it lists."""
    parameters = params.load()
    settings = parameters.classifier
    if settings.source not in ("predictions", "command"):
        expected = "predictions or command: all others are asked by the study itself"
        raise ParameterError("params.classifier.source", settings.source, expected)
    table = Path(settings.file)
    if settings.source == "predictions" and not table.exists():
        # The pipeline watches this file, and nothing is rendered without it.
        files.write_table(ANSWERS.empty(), table)
        print(f"{table} was missing, and is now a table without rows", flush=True)
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "render"]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SmallsightError("dvc repro render", f"exit status {done.returncode}", "0")
    facts = read_classifier_facts(CLASSIFIER)
    families = read_all_facts(CONDITIONS, parameters.conditions).values()
    conditions = [one for family in families for one in family.conditions if is_shown(one, facts)]
    if any(archive_of(CONDITIONS / one.folder).exists() for one in conditions):
        unpack(CONDITIONS, PICTURES)
    requests = list_requests(CONDITIONS, conditions, unpacked=PICTURES)
    files.write_table(requests, REQUESTS)
    return f"{len(requests)} pictures of {len(conditions)} conditions to predict: {REQUESTS}"


if __name__ == "__main__":
    script.run(main)

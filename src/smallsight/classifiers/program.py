"""A program of the user's own that answers for pictures in files: any language, any service."""

import io
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np

from smallsight import params
from smallsight.classifiers.answers import Name, read_answers, written
from smallsight.classifiers.asked import AskedClassifier, asked_facts
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.requests import write_requests
from smallsight.classifiers.sources import Wanted
from smallsight.runtime import files
from smallsight.runtime.errors import ClassifierError, ParameterError

WHERE = "params.classifier.command"

PLACES = ("{requests}", "{answers}")
"""What a command has in the place of the two files."""


class ProgramClassifier(AskedClassifier):
    """Runs the program once per look, one run at a time.

    Where it fails, the folder with its requests and what it answered stays, so that it can be run
    again by hand.
    """

    batch_size = 1024  # a run each; more pictures would have to be held at once

    def __init__(self, command: str, classes: Sequence[str]) -> None:
        self._command, self._classes = command, tuple(classes)
        self._running = Lock()

    def answer(self, pictures: np.ndarray, names: Sequence[Name]) -> np.ndarray:
        """Return the logarithms of probabilities, (n, classes), float32, of n pictures.

        Names that come again get a number. See `read_answers` and `run_program` for errors.
        """
        if not len(pictures):
            return np.empty((0, len(self._classes)), np.float32)
        names, stays = _numbered(names), False
        folder = Path(tempfile.mkdtemp(prefix="smallsight-"))
        try:
            with self._running:
                return self._ask(pictures, names, folder)
        except ClassifierError:
            stays = True
            raise
        finally:
            if not stays:
                shutil.rmtree(folder)

    def _ask(self, pictures: np.ndarray, names: Sequence[Name], folder: Path) -> np.ndarray:
        requests, answers = write_requests(pictures, names, folder), folder / "answers.csv"
        run_program(self._command, requests, answers)
        asked = set(names)

        def refuse(name: Name) -> tuple[str, str] | None:
            if name in asked:
                return None
            return f"{written(name)} was not asked", "image and condition of a request"

        found = read_answers(answers, self._classes, refuse)
        return found.logs_of(names, answers)


def run_program(command: str, requests: Path, answers: Path) -> None:
    """Run a command without a shell, from the project's root; what it prints is passed on.

    Parameters
    ----------
    command
        With `PLACES`.
    requests, answers
        The files that it reads and writes.

    Raises
    ------
    ClassifierError
        Where it cannot be started, fails, or does not write the answers.
    """
    words = _words(command, requests, answers)
    last = ""
    try:
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            # Progress bars end their lines by a carriage return, which is passed on as it is.
            for line in io.TextIOWrapper(process.stderr, "utf-8", "replace", newline=""):
                print(line, end="", file=sys.stderr, flush=True)
                last = line.strip() or last
    except OSError as error:
        found = f"{words[0]}: {error.strerror or error}"
        raise ClassifierError(WHERE, found, "a program that can be run") from None
    if process.returncode:
        status = f"exit status {process.returncode}"
        if process.returncode < 0:
            status = f"ended by signal {-process.returncode}"
        found = f"{status} ({last or 'it printed no error'})"
        raise ClassifierError(WHERE, found, f"answers to {requests}")
    if not answers.exists():
        raise ClassifierError(WHERE, "the program wrote no answers", f"a table at {answers}")


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Check the parameters, and copy the program, or its command where `code` is not in that.

    Raises
    ------
    ParameterError
        Where the command lacks a place or cannot be split into words, or something is not declared.
    ClassifierError
        Where no such program can be run, or `code` is in the command but is no file.
    """
    words = _words(settings.command, Path("requests.csv"), Path("answers.csv"))
    if shutil.which(words[0]) is None:
        raise ClassifierError(WHERE, f"{words[0]}: no such program", "a program that can be run")
    code = settings.code if settings.code in words else ""
    label, no_maps = Path(code or words[0]).name, "a program gives probabilities and no maps"
    facts = asked_facts(settings, label=label, no_maps=no_maps)
    facts = replace(facts, command=settings.command, origin=settings.command)
    if not code:
        files.write_text(settings.command + "\n", model)
        note = "no file of the program is watched: params.classifier.code is not in the command"
        return replace(facts, notes=(note,))
    try:
        with files.new_file(model) as partial:
            shutil.copyfile(code, partial)
    except OSError as error:
        found = error.strerror or str(error)
        raise ClassifierError(code, found, "the file of a program") from None
    sha256 = files.sha256(code)
    return replace(facts, code=code, code_sha256=sha256, sha256=sha256)


def open_(facts: ClassifierFacts, model: Path) -> ProgramClassifier:
    """Open the program: `model` is a copy for the record, which is not run."""
    return ProgramClassifier(facts.command, facts.classes)


def _words(command: str, requests: Path, answers: Path) -> list[str]:
    """Split a command into words as a shell does, and name the two files in it."""
    for place in PLACES:
        if place not in command:
            expected = f"a command with {' and '.join(PLACES)}"
            raise ParameterError(WHERE, f"{command!r} without {place}", expected)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ParameterError(WHERE, f"{command!r} ({error})", "words as a shell has them") from None
    paths = dict(zip(PLACES, (str(requests), str(answers)), strict=True))
    for place, path in paths.items():
        words = [word.replace(place, path) for word in words]
    return words


def _numbered(names: Sequence[Name]) -> list[Name]:
    """Tell equal names apart: the second one is called so."""
    seen: Counter[Name] = Counter()
    found = []
    for image, condition in names:
        seen[image, condition] += 1
        number = seen[image, condition]
        found.append((image, condition if number == 1 else f"{condition} ({number})"))
    return found

"""A program of the user's own is run on pictures in files; whatever it does wrong is one line."""

import re
import stat
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import yaml

from smallsight import params
from smallsight.backbones.facts import LAST
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.program import ProgramClassifier, collect, open_
from smallsight.classifiers.sources import Wanted
from smallsight.imaging.pictures import read_picture
from smallsight.runtime import files
from smallsight.runtime.errors import ClassifierError, ParameterError

ROOT = Path(__file__).parents[2]
WANTED = Wanted(seed=0, is_preview=False, layer="last")
CLASSES = ("car", "bus")
NAMES = [("1_1.png", "object/orig_full/default"), ("1_2.png", "object/orig_full/default")]
HEAD = """\
import csv, sys
from pathlib import Path
from PIL import Image

requests, answers = map(Path, sys.argv[1:])
rows = list(csv.DictReader(requests.open()))
"""
TAIL = """
with answers.open("w") as file:
    out = csv.writer(file)
    out.writerow(["image", "condition", "class", "probability"])
    out.writerows(table)
"""
REDNESS = """
table = []
for row in reversed(rows):
    red = Image.open(requests.parent / row["path"]).getpixel((0, 0))[0] / 255
    for name, p in (("car", red), ("bus", 1 - red)):
        table.append([row["image"], row["condition"], name, p])
"""


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where temporary folders appear."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def program(tmp_path, scratch):
    """Make a classifier of a program's text."""

    def program(text, classes=CLASSES):
        path = tmp_path / "my program.py"
        path.write_text(text)
        return ProgramClassifier(f"'{sys.executable}' '{path}' {{requests}} {{answers}}", classes)

    return program


def answering(*rows):
    """The text of a program that writes these rows whatever it is asked."""
    return f"{HEAD}table = {rows!r}\n{TAIL}"


def pictures(*reds):
    shown = np.zeros((len(reds), 4, 4, 3), np.uint8)
    shown[..., 0] = np.array(reds).reshape(-1, 1, 1)
    return shown


def test_answers_come_in_the_order_of_the_pictures(program, scratch):
    reader = program(HEAD + REDNESS + TAIL)
    shown = pictures(51, 255)
    scene = reader.scene(shown, NAMES)
    assert scene.dtype == np.float32
    np.testing.assert_allclose(np.exp(scene), [[0.2, 0.8], [1, 0]], atol=1e-6)
    parts = reader.read_out(shown, np.zeros((2, 5)), NAMES, keep_maps=True)
    assert {name: tuple(part.shape) for name, part in parts.items()} == {
        "scene": (2, 2), LAST: (2, 0, 0, 0),
    }  # fmt: skip
    np.testing.assert_array_equal(parts["scene"], scene)
    assert list(scratch.iterdir()) == []


def test_the_program_sees_the_very_pixels_and_the_root_of_the_project(program, noise, tmp_path):
    folder = tmp_path / "seen"
    folder.mkdir()
    copying = f"""
import shutil, os
shutil.copytree(requests.parent, {str(folder / "all")!r})
Path({str(folder / "cwd")!r}).write_text(os.getcwd())
table = [[row["image"], row["condition"], "car", 1] for row in rows]
"""
    shown = np.stack([noise(9, 9, 1), noise(9, 9, 2)])
    program(HEAD + copying + TAIL).scene(shown, NAMES)
    assert (folder / "cwd").read_text() == str(Path.cwd())
    listed = (folder / "all/requests.csv").read_text().splitlines()
    assert listed == [
        "image,condition,path",
        "1_1.png,object/orig_full/default,pictures/000000.png",
        "1_2.png,object/orig_full/default,pictures/000001.png",
    ]
    for number, picture in enumerate(shown):
        assert (read_picture(folder / f"all/pictures/{number:06d}.png") == picture).all()


def test_names_that_come_again_are_told_apart(program):
    twice = [("1_1.png", "remedy tiles")] * 2 + [("1_2.png", "remedy tiles")]
    reader = program(
        HEAD + 'assert [row["condition"] for row in rows] == '
        '["remedy tiles", "remedy tiles (2)", "remedy tiles"]\n' + REDNESS + TAIL
    )
    found = np.exp(reader.scene(pictures(0, 255, 51), twice))
    np.testing.assert_allclose(found, [[0, 1], [1, 0], [0.2, 0.8]], atol=1e-6)


def test_nothing_is_run_for_no_pictures(program):
    assert program("raise SystemExit(1)").scene(pictures(), []).shape == (0, 2)


def test_pictures_without_names_are_a_mistake_of_the_caller(program):
    with pytest.raises(ValueError, match="2 pictures of 0 names"):
        program("").scene(pictures(0, 0))


def test_one_run_at_a_time(program, tmp_path):
    guard = f"""
import os, time
place = {str(tmp_path / "running")!r}
os.mkdir(place)
time.sleep(0.05)
os.rmdir(place)
"""
    reader = program(HEAD + guard + REDNESS + TAIL)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: reader.scene(pictures(51, 255), NAMES), range(3)))
    assert len(found) == 3


def test_what_it_prints_is_passed_on(program, capfd):
    speaking = 'print("on the way", file=sys.stderr)\nprint("words")\n'
    bar = 'sys.stderr.write("1/2\\r2/2\\r\\n")\n'
    program(HEAD + speaking + bar + REDNESS + TAIL).scene(pictures(0, 0), NAMES)
    printed = capfd.readouterr()
    assert printed.err == "on the way\n1/2\r2/2\r\n"
    assert printed.out == "words\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.stderr.write('once\\n50%\\r100%\\nno key\\n\\n')\nsys.exit(3)\n",
         "exit status 3 (no key); expected answers to REQUESTS"),
        ("raise SystemExit(2)",
         "exit status 2 (it printed no error); expected answers to REQUESTS"),
        ("import os\nos.kill(os.getpid(), 9)",
         "ended by signal 9 (it printed no error); expected answers to REQUESTS"),
        ("raise RuntimeError('out of credit')",
         "exit status 1 (RuntimeError: out of credit); expected answers to REQUESTS"),
        ("pass", "the program wrote no answers; expected a table at ANSWERS"),
    ],
)  # fmt: skip
def test_a_program_that_fails_is_one_line_and_its_requests_stay(text, message, program, scratch):
    with pytest.raises(ClassifierError) as caught:
        program(text).scene(pictures(0, 9), NAMES)
    (folder,) = scratch.iterdir()
    message = message.replace("REQUESTS", str(folder / "requests.csv"))
    message = message.replace("ANSWERS", str(folder / "answers.csv"))
    assert str(caught.value) == f"classifier error: params.classifier.command: {message}"
    assert len(list((folder / "pictures").iterdir())) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (answering((*NAMES[0], "car", 1)),
         ": no answer to 1 of 2 requests, the first 1_2.png, object/orig_full/default; expected "
         "an answer to each request"),
        (answering((*NAMES[0], "car", 1), ("1_3.png", NAMES[0][1], "car", 1)),
         ", row 3: 1_3.png, object/orig_full/default was not asked; expected image and condition "
         "of a request"),
        (answering((NAMES[0][0], "orig_full", "car", 1)),
         ", row 2: 1_1.png, orig_full was not asked; expected image and condition of a request"),
        (answering((*NAMES[0], "car", 1), (*NAMES[1], "van", 1)),
         ", row 3: class 'van'; expected one of the classifier's 2 classes, such as car"),
        (answering((*NAMES[0], "car", 3.5), (*NAMES[1], "bus", -2.5)),
         ", row 2: probability '3.5'; expected a number from 0 to 1"),
        (answering((*NAMES[0], "car", 0.5)),
         ", row 2: the probabilities of 1_1.png, object/orig_full/default sum to 0.5; expected 1, "
         "give or take 0.001"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_one_line_and_stays(text, message, program, scratch):
    with pytest.raises(ClassifierError) as caught:
        program(text).scene(pictures(0, 9), NAMES)
    (folder,) = scratch.iterdir()
    assert str(caught.value) == f"classifier error: {folder / 'answers.csv'}{message}"


def test_a_program_that_is_not_there_any_more_is_one_line(scratch):
    reader = ProgramClassifier("./no-such {requests} {answers}", CLASSES)
    with pytest.raises(ClassifierError) as caught:
        reader.scene(pictures(0), NAMES[:1])
    assert str(caught.value) == (
        "classifier error: params.classifier.command: ./no-such: No such file or directory; "
        "expected a program that can be run"
    )


@pytest.fixture
def settings(study, tmp_path, monkeypatch):
    """Make parameters of a program in a project of its own."""
    monkeypatch.chdir(tmp_path)
    Path("classes.txt").write_text("car\nbus\n")
    Path("mine.sh").write_text("#!/bin/sh\n")
    Path("mine.sh").chmod(stat.S_IRWXU)

    def settings(preprocessing=None, **changes):
        tree = study.classifier.model_dump(mode="json")
        tree |= {"source": "command", "command": "./mine.sh {requests} --to={answers}"}
        tree |= {"code": "./mine.sh", "class_names": "file", "class_names_file": "classes.txt"}
        tree["preprocessing"] |= {"input_size": 32} | (preprocessing or {})
        return params.validate(params.Classifier, tree | changes, where="params.classifier")

    return settings


def test_facts_of_a_program(settings):
    facts = collect(settings(), Path("model"), WANTED)
    assert isinstance(facts, ClassifierFacts)
    assert (facts.label, facts.code, facts.notes) == ("mine.sh", "./mine.sh", ())
    assert facts.code_sha256 == facts.sha256 == files.sha256("mine.sh")
    assert facts.command == facts.origin == "./mine.sh {requests} --to={answers}"
    assert (facts.classes, facts.input, facts.output) == (CLASSES, "object", "probabilities")
    assert (facts.maps, facts.layer, facts.cells) == ("none", "", 0)
    assert facts.no_maps
    made = facts.preprocessing
    assert (made.input_size, made.mean, made.std) == (32, (0, 0, 0), (1, 1, 1))
    assert made.interpolation == "bilinear"
    assert Path("model").read_bytes() == Path("mine.sh").read_bytes()
    cubic = collect(settings({"interpolation": "bicubic"}), Path("model"), WANTED)
    assert cubic.preprocessing.interpolation == "bicubic"


def test_a_command_whose_program_is_not_named_says_so(settings):
    facts = collect(settings(code="other.py"), Path("model"), WANTED)
    assert (facts.code, facts.code_sha256, facts.sha256) == ("", "", "")
    assert facts.notes == (
        "no file of the program is watched: params.classifier.code is not in the command",
    )
    assert Path("model").read_text() == "./mine.sh {requests} --to={answers}\n"


def test_imagenet_s_names_may_be_the_classes(settings):
    facts = collect(settings(class_names="imagenet"), Path("model"), WANTED)
    assert (len(facts.classes), facts.classes[407]) == (1000, "ambulance")


def test_what_was_collected_is_opened(settings, scratch):
    Path("mine.sh").write_text(
        "#!/bin/sh\necho image,condition,class,probability > ${2#--to=}\n"
        "tail -n +2 $1 | sed 's/[^,]*$/bus,1/' >> ${2#--to=}\n"
    )
    facts = collect(settings(), Path("model"), WANTED)
    found = open_(facts, Path("model")).scene(pictures(0, 1), NAMES)
    assert np.exp(found).round(3).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("source", ["command", "predictions"])
def test_the_example_s_page_has_parameters_that_work(source, study, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "examples/predictions/README.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    (given,) = [one["classifier"] for one in blocks if one["classifier"]["source"] == source]
    tree = study.classifier.model_dump(mode="json")
    tree |= given | {"preprocessing": tree["preprocessing"] | given["preprocessing"]}
    settings = params.validate(params.Classifier, tree, where="params.classifier")
    if source == "predictions":
        assert settings.file == "predictions.csv"
        return
    # `python` is this one.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    facts = collect(settings, tmp_path / "model", WANTED)
    assert (facts.label, facts.notes) == ("predict.py", ())
    assert facts.classes == study.data.categories
    gold = np.full((1, 9, 9, 3), (123, 117, 100), np.uint8)
    found = np.exp(open_(facts, tmp_path / "model").scene(gold, NAMES[:1]))
    assert facts.classes[int(found.argmax())] == "bicycle"
    assert float(found.sum()) == pytest.approx(1)


FOLDERS = "{requests} and {answers}"


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"command": ""}, ParameterError,
         f"command: '' without {{requests}}; expected a command with {FOLDERS}"),
        ({"command": "./mine.sh {requests}"}, ParameterError,
         "command: './mine.sh {requests}' without {answers}; expected a command with " + FOLDERS),
        ({"command": "./mine.sh '{requests} {answers}"}, ParameterError,
         "command: \"./mine.sh '{requests} {answers}\" (No closing quotation); expected words as "
         "a shell has them"),
        ({"command": "./yours.sh {requests} {answers}"}, ClassifierError,
         "command: ./yours.sh: no such program; expected a program that can be run"),
        ({"class_names": "metadata"}, ParameterError,
         "class_names: metadata, of which command has none; expected file or imagenet"),
        ({"preprocessing": {"input_size": None}}, ParameterError,
         "preprocessing.input_size: null; expected width and height, in pixels, of the pictures "
         "that are asked about"),
        ({"preprocessing": {"mean": [0.5, 0.5, 0.5]}}, ParameterError,
         "preprocessing.mean: [0.5, 0.5, 0.5]; expected null: with command, pictures are handed "
         "over as they are"),
        ({"preprocessing": {"std": [0.5, 0.5, 0.5]}}, ParameterError,
         "preprocessing.std: [0.5, 0.5, 0.5]; expected null: with command, pictures are handed "
         "over as they are"),
        ({"preprocessing": {"channels": "bgr"}}, ParameterError,
         "preprocessing.channels: 'bgr'; expected null: with command, pictures are handed over as "
         "they are"),
        ({"preprocessing": {"range": "0..255"}}, ParameterError,
         "preprocessing.range: '0..255'; expected null: with command, pictures are handed over as "
         "they are"),
    ],
)  # fmt: skip
def test_what_cannot_be_collected_is_one_line(changes, kind, message, settings):
    with pytest.raises(kind, match=re.escape(f"{kind.label}: params.classifier.{message}") + "$"):
        collect(settings(**changes), Path("model"), WANTED)
    assert not Path("model").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "classes.txt: No such file or directory; expected names of classes"),
        (b"\n", "classes.txt: no names; expected a class a line"),
        (b"car\n\nbus\n", "classes.txt, line 2: empty; expected a class a line"),
        (b"car\n\xe9\n", "classes.txt: byte 4 is no UTF-8; expected names of classes in UTF-8"),
        (b"car\nbus\ncar\n",
         "params.classifier.class_names_file: 'car' more than once; expected names that differ"),
    ],
)  # fmt: skip
def test_names_of_classes_that_cannot_be_are_one_line(content, message, settings):
    Path("classes.txt").unlink()
    if content is not None:
        Path("classes.txt").write_bytes(content)
    with pytest.raises((ClassifierError, ParameterError), match=f": {re.escape(message)}$"):
        collect(settings(), Path("model"), WANTED)


def test_a_missing_file_of_the_program_is_one_line(settings):
    command = f"{sys.executable} no.py {{requests}} {{answers}}"
    with pytest.raises(ClassifierError) as caught:
        collect(settings(command=command, code="no.py"), Path("model"), WANTED)
    assert str(caught.value) == (
        "classifier error: no.py: No such file or directory; expected the file of a program"
    )
    assert not Path("model").exists()

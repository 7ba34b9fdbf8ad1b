"""What holds for every family, whatever its role, in both tasks."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from builders import views
from builders.families import CONDITIONS, ON_FRAMES, ON_WINDOWS, REFERENCES, level
from builders.views import BOX, EXTREME, HEIGHT, INNER, WIDTH
from smallsight.conditions import families
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import ORIGINAL
from smallsight.conditions.rendering.views import View

ROLES = {
    **dict.fromkeys(
        ("orig_full", "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur", "zoom"),
        "corruption",
    ),
    **dict.fromkeys(
        ("object_only", "context_only", "bg_swap", "crop_low", "object_alone"), "intervention"
    ),
    **dict.fromkeys(("pixels", "shift"), "sweep"),
}
WITH_INPUTS = {name for name, role in ROLES.items() if role == "intervention"} | {"shift"}
"""Families that need more than the picture."""
ADDING = {"occlusion"}
"""Families that put something new into the picture."""
MODULES = sorted(Path(families.__file__).parent.glob("*.py"))
every_condition = pytest.mark.parametrize("name", REFERENCES)


@pytest.fixture(scope="module")
def picture(noise):
    return noise(HEIGHT, WIDTH)


def applied(name, view):
    """Apply a family's reference level in a task; a random one draws the same every time."""
    return REFERENCES[name].apply(view, rng=np.random.default_rng(0))


def test_every_family_is_tested():
    assert CONDITIONS.keys() == FAMILIES.keys() == ROLES.keys()


@pytest.mark.parametrize("masked", [True, False], ids=["mask", "no mask"])
@pytest.mark.parametrize("place", EXTREME)
@every_condition
def test_any_box_gives_a_picture_and_the_same_one_again(picture, name, place, masked):
    # Picture and mask raise where they are written to.
    view = views.seen(picture, EXTREME[place], masked=masked)
    before = picture.copy()
    first, second = applied(name, view), applied(name, view)
    assert first.picture.dtype == np.uint8
    assert first.picture.ndim == 3
    assert first.picture.shape[2] == 3
    assert min(first.picture.shape) >= 1
    assert (first.picture == second.picture).all()
    assert first.box == second.box
    assert first.inputs is view.inputs
    assert (picture == before).all()
    assert view.box == EXTREME[place]
    if REFERENCES[name].condition.family != "shift":
        height, width = first.picture.shape[:2]
        seen = first.box.clipped(width, height)
        # No sample holds less than a pixel: `zoom` may pass by it.
        assert min(seen.w, seen.h) > 0 or place == "less than a pixel"


@pytest.mark.parametrize("place", EXTREME)
@every_condition
def test_the_mask_stays_with_the_object_and_takes_nothing_of_a_reflection(name, place):
    view = views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), EXTREME[place])
    changed = applied(name, view)
    height, width = changed.picture.shape[:2]
    assert changed.mask.shape == (height, width)
    assert changed.mask.dtype == bool
    left, top = round(view.box.x - changed.box.x), round(view.box.y - changed.box.y)
    beyond = np.pad(view.mask, ((height, height), (width, width)))
    due = beyond[height + top :, width + left :][:height, :width]
    assert (changed.mask == due).all()
    unmasked = views.seen(view.picture, view.box, masked=False)
    assert applied(name, unmasked).mask is None


MOVED = [
    ("orig_full", "scene", {}), ("orig_crop", "scene", {"margin": 0.25}),
    ("zoom", "scene", {"factor": 4}), ("zoom", "scene", {"factor": 1.7}),
    ("shift", "scene", {"reach": 9, "draw": 1}), ("orig_full", "object", {}),
    ("shift", "object", {"reach": 9, "draw": 1}), ("object_alone", "object", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "task", "options"), MOVED)
@given(box=INNER)
@settings(deadline=None, max_examples=25)
def test_a_painted_mask_comes_out_where_the_mask_is(name, task, options, box):
    view = views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), box)
    painted = view.picture.copy()
    painted[view.mask] = 255
    only = level(name, task, **options)
    changed = only.apply(view.showing(painted), rng=np.random.default_rng(0))
    white = changed.picture[..., 0] == 255
    assert changed.mask.any()
    assert white[changed.mask].all()
    # What else is white is a reflection, beyond the picture's edges.
    rows, columns = np.indices(white.shape)
    rows, columns = rows + round(box.y - changed.box.y), columns + round(box.x - changed.box.x)
    own = (rows >= 0) & (rows < HEIGHT) & (columns >= 0) & (columns < WIDTH)
    assert not (white & ~changed.mask)[own].any()


@every_condition
def test_the_scene_is_the_whole_picture_and_the_object_its_window(picture, name):
    condition = REFERENCES[name].condition
    view = views.seen(picture, BOX)
    changed = applied(name, view)
    due = view if condition.task == "scene" else views.window(view)
    if condition.family in ON_FRAMES:
        assert changed.picture.shape != due.picture.shape
    else:
        # No edge of the picture cuts this window off, so that even `object_alone` has its size.
        assert changed.picture.shape == due.picture.shape
        assert changed.box == due.box or condition.family == "shift"
    assert (changed.box.w, changed.box.h) == (BOX.w, BOX.h)


def test_a_family_has_a_part_in_the_tasks_that_it_makes_sense_in():
    for name in FAMILIES:
        tasks = {one.condition.task for one in REFERENCES.values() if one.condition.family == name}
        assert ("scene" in tasks) == (name not in ON_WINDOWS)
        assert ("object" in tasks) == (name not in ON_FRAMES)


@pytest.mark.parametrize("masked", [True, False], ids=["mask", "no mask"])
@pytest.mark.parametrize(
    "name", [name for name, one in REFERENCES.items() if one.condition.family not in ADDING]
)
def test_an_even_picture_stays_even(name, masked):
    colour = np.array(views.COLOUR, np.uint8)
    even = np.broadcast_to(colour, (HEIGHT, WIDTH, 3)).copy()
    given = views.donors(even[:50, :70], even)
    view = views.seen(even, BOX, masked=masked, given=given)
    assert (applied(name, view).picture == colour).all()


@every_condition
def test_no_more_is_asked_for_than_a_family_needs(picture, name):
    bare = View(picture, BOX)
    if REFERENCES[name].condition.family in WITH_INPUTS:
        with pytest.raises(ValueError, match="inputs"):
            applied(name, bare)
    else:
        assert applied(name, bare).inputs is None


def test_roles_are_what_families_are_for():
    assert {name: family.role for name, family in FAMILIES.items()} == ROLES
    assert {ROLES[name] for name in ORIGINAL} == {"corruption"}


def test_every_family_says_what_it_is():
    texts = [(family.label, family.description) for family in FAMILIES.values()]
    assert all(label and description for label, description in texts)
    assert len({label for label, _ in texts}) == len(FAMILIES)
    assert all(name == family.name for name, family in FAMILIES.items())


# Where families lie.


def test_each_family_has_a_module_of_its_own_name():
    """So that dvc.yaml can say which file a family's pictures depend on."""
    names = [path.stem for path in MODULES if path.stem != "__init__"]
    assert names == sorted(FAMILIES)
    for name, family in FAMILIES.items():
        assert family.change.__module__ == f"{families.__name__}.{name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_family_imports_another_one(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    assert not {name for name in imported if name.startswith(families.__name__)}

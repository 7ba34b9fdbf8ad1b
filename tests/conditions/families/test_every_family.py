"""What holds for every family, corruption or intervention."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from builders import views
from builders.views import BOX, EXTREME, HEIGHT, INNER, WIDTH
from smallsight.conditions import families
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import ORIGINAL
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.conditions.rendering.views import View

REFRAMED = {"orig_crop", "zoom", "crop_low", "zoom_matched", "zoom_object"}
"""Families whose pictures have other edges."""
INTERVENTIONS = {
    "object_only",
    "context_only",
    "bg_swap",
    "crop_low",
    "zoom_matched",
    "zoom_object",
}
ADDING = {"occlusion"}
"""Families that put something new into the picture."""
MODULES = sorted(Path(families.__file__).parent.glob("*.py"))


@pytest.fixture(scope="module")
def picture(noise):
    return noise(HEIGHT, WIDTH)


def applied(level, view):
    """Apply a level; a random one draws the same every time."""
    return level.apply(view, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def references(study):
    return {name: levels[0] for name, levels in levels_by_family(study.conditions).items()}


@pytest.mark.parametrize("masked", [True, False], ids=["mask", "no mask"])
@pytest.mark.parametrize("place", EXTREME)
@pytest.mark.parametrize("name", FAMILIES)
def test_any_box_gives_a_picture_and_the_same_one_again(picture, references, name, place, masked):
    # Picture and mask raise where they are written to.
    view = views.seen(picture, EXTREME[place], masked=masked)
    before = picture.copy()
    first, second = applied(references[name], view), applied(references[name], view)
    assert first.picture.dtype == np.uint8
    assert first.picture.ndim == 3
    assert first.picture.shape[2] == 3
    assert min(first.picture.shape) >= 1
    assert (first.picture == second.picture).all()
    assert first.box == second.box
    assert first.inputs is view.inputs
    assert (picture == before).all()
    assert view.box == EXTREME[place]
    height, width = first.picture.shape[:2]
    seen = first.box.clipped(width, height)
    # No sample holds less than a pixel: `zoom_matched` may pass by it.
    assert min(seen.w, seen.h) > 0 or place == "less than a pixel"


@pytest.mark.parametrize("place", EXTREME)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_mask_stays_with_the_object_and_takes_nothing_of_a_reflection(references, name, place):
    view = views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), EXTREME[place])
    changed = applied(references[name], view)
    height, width = changed.picture.shape[:2]
    assert changed.mask.shape == (height, width)
    assert changed.mask.dtype == bool
    left, top = round(view.box.x - changed.box.x), round(view.box.y - changed.box.y)
    beyond = np.pad(view.mask, ((height, height), (width, width)))
    due = beyond[height + top :, width + left :][:height, :width]
    assert (changed.mask == due).all()
    unmasked = views.seen(view.picture, view.box, masked=False)
    assert applied(references[name], unmasked).mask is None


MOVED = [
    ("orig_full", {}), ("orig_crop", {"margin": 0.25}), ("zoom", {"factor": 4}),
    ("zoom", {"factor": 1.7}), ("zoom_matched", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), MOVED)
@given(box=INNER)
@settings(deadline=None, max_examples=25)
def test_a_painted_mask_comes_out_where_the_mask_is(name, options, box):
    view = views.seen(np.zeros((HEIGHT, WIDTH, 3), np.uint8), box)
    painted = view.picture.copy()
    painted[view.mask] = 255
    changed = FAMILIES[name].change(view.showing(painted), **options)
    white = changed.picture[..., 0] == 255
    assert changed.mask.any()
    assert white[changed.mask].all()
    # What else is white is a reflection, beyond the picture's edges.
    rows, columns = np.indices(white.shape)
    rows, columns = rows + round(box.y - changed.box.y), columns + round(box.x - changed.box.x)
    own = (rows >= 0) & (rows < HEIGHT) & (columns >= 0) & (columns < WIDTH)
    assert not (white & ~changed.mask)[own].any()


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - REFRAMED))
def test_all_but_crops_and_zooms_keep_the_frame(picture, references, name):
    view = applied(references[name], views.seen(picture, BOX))
    assert view.picture.shape == picture.shape
    assert view.box == BOX


@pytest.mark.parametrize("name", sorted(REFRAMED))
def test_crops_and_zooms_do_not(picture, references, name):
    view = applied(references[name], views.seen(picture, EXTREME["fractional"]))
    assert view.picture.shape != picture.shape
    assert (view.box.w, view.box.h) == (17.4, 9.93)


@pytest.mark.parametrize("masked", [True, False], ids=["mask", "no mask"])
@pytest.mark.parametrize("name", sorted(set(FAMILIES) - ADDING))
def test_an_even_picture_stays_even(references, name, masked):
    colour = np.array(views.COLOUR, np.uint8)
    even = np.broadcast_to(colour, (HEIGHT, WIDTH, 3)).copy()
    given = views.donors(even[:50, :70], even)
    view = views.seen(even, BOX, masked=masked, given=given)
    assert (applied(references[name], view).picture == colour).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_an_intervention_is_what_needs_inputs(picture, references, name):
    bare = View(picture, BOX)
    assert FAMILIES[name].is_intervention == (name in INTERVENTIONS)
    if FAMILIES[name].is_intervention:
        assert name not in ORIGINAL
        with pytest.raises(ValueError, match="inputs"):
            applied(references[name], bare)
    else:
        assert applied(references[name], bare).inputs is None


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

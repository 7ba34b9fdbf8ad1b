"""A layout's picture: backdrop, shadows, things from far to near, and the sensor.

Equal layouts and generators give equal pictures on all processors with AVX-512, and on all x86-64
processors without. Between the two NumPy's exponentials and powers differ in their last digit, and
with them single values of one picture in ten.
"""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from smallsight.phantom.backdrop import backdrop_patches, haze_colour, haze_share, sky
from smallsight.phantom.ground import grain, ground_patches
from smallsight.phantom.plan import group_of
from smallsight.phantom.raster import Stamp, Window, fill, stamp, window_of
from smallsight.phantom.scene import Layout
from smallsight.phantom.silhouettes import visible_masks


def paint(scene: Layout, rng: np.random.Generator) -> np.ndarray:
    """Paint a scene.

    Parameters
    ----------
    scene
        What stands where.
    rng
        Decides textures and noise alone.

    Returns
    -------
    ndarray
        Picture, uint8, shape (height, width, 3).
    """
    size = scene.camera.width, scene.camera.height
    mottle = uneven(size, rng)
    canvas = paint_backdrop(scene, mottle, rng)
    small = small_things(scene) if scene.dials.small_blur > 0 else set()
    for index, thing in enumerate(scene.things):
        window = window_of(thing.patches, size)
        if window is None:
            continue
        layer = stamp(thing.patches, window)
        if index in small:
            layer = blurred(layer, scene.dials.small_blur, size)
        share = float(haze_share(scene.dials.haze, np.array(thing.depth)))
        compose(canvas, veiled(layer, share, haze_colour(scene.light)), mottle)
    return expose(canvas, scene.dials.noise, rng)


def paint_backdrop(scene: Layout, mottle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Everything but the things and the sensor: float32 picture (height, width, 3), 0..1."""
    camera, light = scene.camera, scene.light
    structure = np.random.default_rng(scene.seed)
    canvas = sky(camera, light, structure)
    full = Window(0, 0, camera.width, camera.height, 2)
    land = stamp(ground_patches(scene), full).colour[camera.first_row :]
    land *= float(light.shade(np.array([[0.0, 1.0, 0.0]]))[0]) * grain(scene, rng)[..., None]
    share = haze_share(scene.dials.haze, camera.ground_depth())[:, None, None].astype(np.float32)
    canvas[camera.first_row :] = land * (1 - share) + haze_colour(light) * share
    compose(canvas, stamp(backdrop_patches(scene, structure), full), mottle)
    canvas *= shade_mask(scene)[..., None]
    return canvas


def shade_mask(scene: Layout) -> np.ndarray:
    """Brightness (height, width) that the shadows of all things leave on the backdrop."""
    size = scene.camera.width, scene.camera.height
    cast, contact = Image.new("L", size), Image.new("L", size)
    clear = [1.0 - float(haze_share(scene.dials.haze, np.array(t.depth))) for t in scene.things]
    for image, name, strength in (
        (cast, "shadow", 0.5 * scene.light.sun),
        (contact, "contact", 0.4),
    ):
        outlines, inks = [], []
        for thing, share in zip(scene.things, clear, strict=True):
            outlines += getattr(thing, name)
            inks += [int(255 * strength * share)] * len(getattr(thing, name))
        if outlines:
            fill(image, outlines, inks)
    soft = np.asarray(cast.filter(ImageFilter.BoxBlur(1)), dtype=np.float32)
    softer = np.asarray(contact.filter(ImageFilter.BoxBlur(2)), dtype=np.float32)
    return (1 - soft / 255) * (1 - softer / 255)


def veiled(layer: Stamp, share: float, veil: np.ndarray) -> Stamp:
    """Copy of a stamp with a share, 0..1, of the haze's colour in it."""
    colour = layer.colour * (1 - share) + veil * (share * layer.alpha[..., None])
    return Stamp(layer.window, colour, layer.alpha)


def compose(canvas: np.ndarray, layer: Stamp, mottle: np.ndarray) -> None:
    """Lay a stamp on a canvas, in place; `mottle` (height, width) is its uneven brightness."""
    where = layer.window.slices
    canvas[where] *= 1 - layer.alpha[..., None]
    canvas[where] += layer.colour * mottle[where][..., None]


def blurred(layer: Stamp, sigma: float, size: tuple[int, int]) -> Stamp:
    """Copy of a stamp under a Gaussian blur, its window grown to hold it."""
    old, reach = layer.window, int(np.ceil(4 * sigma))
    window = Window(
        max(0, old.left - reach),
        max(0, old.top - reach),
        min(size[0], old.right + reach),
        min(size[1], old.bottom + reach),
        old.factor,
    )
    pad = (
        (old.top - window.top, window.bottom - old.bottom),
        (old.left - window.left, window.right - old.right),
    )
    alpha = ndimage.gaussian_filter(np.pad(layer.alpha, pad), sigma)
    colour = ndimage.gaussian_filter(np.pad(layer.colour, (*pad, (0, 0))), (sigma, sigma, 0))
    return Stamp(window, colour, alpha)


def small_things(scene: Layout) -> set[int]:
    """Find the objects whose visible box is small by area over picture area, by index."""
    size = scene.camera.width, scene.camera.height
    masks = visible_masks([thing.patches for thing in scene.things], size)
    small = set()
    for index, (thing, (visible, _)) in enumerate(zip(scene.things, masks, strict=True)):
        if thing.category:
            rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
            area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            if group_of(area / visible.size) == "small":
                small.add(index)
    return small


def uneven(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Brightness (height, width) of surfaces that are not quite even, around 1."""
    total = np.ones((size[1], size[0]), dtype=np.float32)
    for cell, strength in ((8, 0.035), (2, 0.025)):
        shape = size[1] // cell + 2, size[0] // cell + 2
        coarse = Image.fromarray(rng.standard_normal(shape, dtype=np.float32))
        total += strength * np.asarray(coarse.resize(size, Image.Resampling.BILINEAR))
    return total


def expose(canvas: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Sensor: noise of a standard deviation in shares of full scale, then 8 bits."""
    grains = rng.standard_normal(canvas.shape, dtype=np.float32)
    return (np.clip(canvas + noise * grains, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)

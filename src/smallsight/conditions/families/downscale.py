"""Pictures of fewer pixels."""

import numpy as np
from skimage.transform import resize, resize_local_mean

from smallsight.conditions.rendering.filters import as_bytes
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import PositiveShare


@family(label="Downscale", description="the whole picture reduced and enlarged again", scale=1)
def downscale(view: View, *, scale: PositiveShare) -> View:
    """Reduce the picture to `scale` by area averaging, then enlarge it bilinearly."""
    return view.showing(view.filtered(coarsened, scale=scale))


def coarsened(picture: np.ndarray, *, scale: float) -> np.ndarray:
    """Reduce and enlarge the whole picture.

    Pixels have their values at their centres, and the outermost ones beyond.
    """
    height, width = picture.shape[:2]
    few = max(round(height * scale), 1), max(round(width * scale), 1)
    reduced = resize_local_mean(
        picture.astype(np.float32), few, channel_axis=-1, preserve_range=True
    )
    # Channel by channel: scikit-image would interpolate between channels too, at twice the time.
    channels = [
        resize(
            channel, (height, width), order=1, mode="edge", anti_aliasing=False, preserve_range=True
        )
        for channel in np.moveaxis(reduced, -1, 0)
    ]
    return as_bytes(np.stack(channels, axis=-1))

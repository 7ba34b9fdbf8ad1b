"""The crop without its gain in pixels."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View, intervention_inputs
from smallsight.conditions.rendering.windows import cropped
from smallsight.imaging.pictures import resized
from smallsight.params import NotNegative


@family(
    label="Crop, few pixels",
    description="the crop with no more pixels than it has in the whole picture",
    is_intervention=True,
)
def crop_low(view: View, *, margin: NotNegative) -> View:
    """Reduce the crop to its size in the untouched picture's input, then enlarge it again.

    The surroundings disappear as they do under `orig_crop`, but no pixels are gained.
    """
    height, width = view.picture.shape[:2]
    size = intervention_inputs(view).input_size
    crop = cropped(view, margin=margin)
    down, across = crop.picture.shape[:2]
    few = max(round(across * size / width), 1), max(round(down * size / height), 1)
    return crop.showing(resized(resized(crop.picture, *few), across, down))

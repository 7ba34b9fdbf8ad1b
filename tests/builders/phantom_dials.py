"""Settings of phantom scenes, as several test modules start from them."""

from smallsight.phantom import Dials


def make_dials(**changes):
    """Dials of an ordinary scene, but for what is said."""
    usual = {
        "width": 640, "height": 480, "context": 0.6, "clutter": 0.5, "neighbours": 0.3,
        "class_mix": 0.0, "small_blur": 0.0, "haze": 0.35, "noise": 0.02,
    }  # fmt: skip
    return Dials(**(usual | changes))

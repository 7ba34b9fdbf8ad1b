"""What conditions are called."""

UNTOUCHED = "orig_full"
"""The family that changes nothing: every effect is a difference from it."""


ORIGINAL = (UNTOUCHED, "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur")
"""The families that the original study compared."""

"""Pictures as they are."""

from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View


@family(label="Untouched", description="what is shown, as it is")
def orig_full(view: View) -> View:
    """Change nothing."""
    return view

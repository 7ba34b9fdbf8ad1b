"""Procedural street scenes whose causes of failure are known, because a dial planted them."""

from smallsight.phantom.dials import Dials
from smallsight.phantom.kinds import CATEGORIES
from smallsight.phantom.layout import layout
from smallsight.phantom.paint import paint
from smallsight.phantom.scene import Layout, Thing
from smallsight.phantom.silhouettes import Silhouette, silhouettes

__all__ = [
    "CATEGORIES",
    "Dials",
    "Layout",
    "Silhouette",
    "Thing",
    "layout",
    "paint",
    "silhouettes",
]

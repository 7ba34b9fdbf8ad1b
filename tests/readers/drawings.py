"""What a figure shows, read back from its SVG."""

import re
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


def texts(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def ids(svg):
    return re.findall(r'\bid="([^"]*)"', svg)


def tooltips(svg):
    """Return the marks' tooltips, in order; each of the marks is one shape."""
    marks = [part for part in ElementTree.fromstring(svg).iter() if "data-tip" in part.attrib]
    for mark in marks:
        assert len([*mark.iter(f"{SVG}use"), *mark.findall(f"{SVG}path")]) == 1
    return [mark.get("data-tip") for mark in marks]


def marks_by_tooltip(svg):
    """Return the marks that have a tooltip, by it."""
    parts = [part for part in ElementTree.fromstring(svg).iter() if "data-tip" in part.attrib]
    return {part.get("data-tip"): next(part.iter(f"{SVG}use")) for part in parts}


def dots_without_tooltip(svg):
    """Return the styles of the dots inside the axes that have no tooltip."""
    root = ElementTree.fromstring(svg)
    with_tooltip = {
        mark for part in root.iter() if "data-tip" in part.attrib for mark in part.iter(f"{SVG}use")
    }
    axes = [part for part in root.iter(f"{SVG}g") if part.get("clip-path")]
    dots = [mark for part in axes for mark in part.iter(f"{SVG}use")]
    return [mark.get("style") for mark in dots if mark not in with_tooltip]


def dots(svg, colour):
    root = ElementTree.fromstring(svg)
    inside = [mark for part in root.iter(f"{SVG}g") if part.get("clip-path") for mark in part]
    return [mark for mark in inside if f"stroke: {colour}" in mark.get("style", "")]


def places(marks, axis):
    return [float(mark.get(axis)) for mark in marks]


def scale(svg, axis):
    """Return a function from places along an axis to its numbers, read off its ticks."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        marks = list(part.iter(f"{SVG}use"))
        if re.search(rf"-{axis}tick_\d+$", part.get("id", "")) and marks:
            number = next(part.iter(f"{SVG}text")).text.replace("−", "-").rstrip("%")
            ticks[float(marks[0].get(axis))] = float(number)
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    return lambda place: slope * np.asarray(place, float) + start


def intervals(svg, colour):
    """Return the ends (x1, y1, x2, y2) of the straight lines of a colour that show intervals."""
    paths = [
        re.findall(r"[ML] (\S+) (\S+)", path.get("d"))
        for part in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if re.search(r"LineCollection_\d+$", part.get("id", ""))
        for path in part.iter(f"{SVG}path")
        if path.get("d") and f"stroke: {colour}" in path.get("style")
    ]
    return [tuple(float(number) for point in path for number in point) for path in paths]

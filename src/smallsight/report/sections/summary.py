"""Page one: whether small objects are recognised less often, and where that comes from.

A direction ("less often", "larger") is written only where the test of the row gives one. Of
anything else the sentence says what could have been found.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import network
from smallsight.report.section import Section
from smallsight.report.sections import claims, effects, gap, sample, thresholds
from smallsight.report.sections.claims import Claim
from smallsight.report.study import Study, by_regime
from smallsight.report.text import listed, percent, size


@dataclass(frozen=True)
class Summary:
    """What the section shows.

    Attributes
    ----------
    verdict
        Whether small objects are recognised less often than large ones.
    sentences
        What follows it.
    sample
        The sample in one line.
    setup, warning
        The network, what it was shown and what heads read, in one line; and what random weights
        make of the numbers, empty for others.
    waterfalls
        The decomposition of the gap, a panel per regime.
    disagreement
        On which parts the regimes differ; may be empty.
    by_side
        Accuracy against the side of the object; may be empty.
    chance
        Accuracy of guessing.
    claims
        The claims and their tests.
    """

    verdict: str
    sentences: list[str]
    sample: str
    setup: str
    warning: str
    waterfalls: list[Markup]
    disagreement: str
    by_side: Markup
    chance: float
    claims: list[Claim]


def verdict_sentence(study: Study) -> str:
    """Write whether small objects are recognised less often than large ones."""
    row = claims.find_row(study, "small_worse_untouched")
    small, large = (
        study.estimate(study.headline_regime, UNTOUCHED, group) for group in ("small", "large")
    )
    if row is None or small is None or large is None:
        lacking = [
            name
            for name, estimate in (("small", small), ("large", large))
            if estimate is None or not estimate.n
        ]
        why = f"no accuracy for {listed(lacking)} objects" if lacking else "nothing tests it"
        return f"Small and large objects cannot be compared: {why}."
    numbers = f"{percent(small.acc)} of {small.n}, against {percent(large.acc)} of {large.n}"
    if row["direction"] == 1:
        order, ends = "less", (row["ci_low"], row["ci_high"])
    elif row["direction"] == -1:
        order, ends = "more", (-row["ci_high"], -row["ci_low"])
    else:
        least = f"; a gap of {size(row['mde'])} points was detectable"
        return (
            f"Small and large objects are not told apart by this sample: {numbers}"
            f"{least if math.isfinite(row['mde']) else ''}."
        )
    gap_size = f"a gap of {size(row['effect'])} points ({' to '.join(map(size, ends))})"
    return f"Small objects are recognised {order} often than large ones: {numbers}, {gap_size}."


def sentences(study: Study) -> list[str]:
    """Write where the gap comes from, and what conditions do to small objects."""
    found = [by_regime(study, "Where the gap comes from", gap.part_sentence)]
    clause, _ = effects.directions_clause(study, study.headline_regime)
    if clause:
        lead = effects.LEAD[study.headline_regime]
        found.append(f"{lead}, small objects are recognised {clause}.")
    return [sentence for sentence in found if sentence]


def setup_sentence(study: Study) -> str:
    """Write which network with which weights was shown which pictures, and what heads read."""
    heads = network.readout(study).heads
    said = f"{study.backbone.describe()}, on {describe_pictures(study.params.data)}"
    return f"{said}; heads read {heads}." if heads else f"{said}."


def describe_pictures(data: params.Data) -> str:
    """Say where pictures come from; a source without words here is called by its name.

    Examples
    --------
    >>> chosen = {"source": "coco", "coco": {"split": "val2017"}}
    >>> describe_pictures(params.Data(categories=("car",), **chosen))
    'COCO val2017'
    """
    group = data.groups.get(data.source, {})
    known = {
        "phantom": "drawn phantom scenes",
        "local": f"local pictures ({group.get('annotations')})",
        "coco": f"COCO {group.get('split')}",
    }
    return known.get(data.source, data.source)


def warning(study: Study) -> str:
    """Warn of random weights; empty for others."""
    return network.UNTRAINED if network.is_untrained(study) else ""


def build(study: Study) -> Summary:
    """Return what the section shows of a study."""
    return Summary(
        verdict=verdict_sentence(study),
        sentences=sentences(study),
        sample=sample.sample_sentence(study),
        setup=setup_sentence(study),
        warning=warning(study),
        waterfalls=gap.panels(study),
        disagreement=gap.disagreement_note(study),
        by_side=thresholds.untouched_panel(study),
        chance=study.chance,
        claims=claims.rows(study),
    )


SECTION = Section(
    name="summary", build=build, anchor="summary", title="In short", contents="Summary"
)

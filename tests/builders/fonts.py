"""Small fonts that have some letters and no others: each letter is a pile of bars, none a box."""

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen


def write_font(path, letters, *, family="Test Letters", style="Regular", weight=400, is_cff=False):
    """Write a font; `is_cff` makes its outlines PostScript's."""
    names = {one: f"u{ord(one):04X}" for one in sorted({*letters, " "})}
    order = [".notdef", *names.values()]
    drawn = {name: _drawn(number, is_cff) for number, name in enumerate(order)}
    builder = FontBuilder(1000, isTTF=not is_cff)
    builder.updateHead(created=3_000_000_000, modified=3_000_000_000)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap({ord(one): name for one, name in names.items()})
    if is_cff:
        builder.setupCFF(family.replace(" ", ""), {}, drawn, {})
    else:
        builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 0)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable(
        {"familyName": family, "styleName": style, "fullName": f"{family} {style}"}
    )
    builder.setupOS2(usWeightClass=weight, sTypoAscender=880, sTypoDescender=-120)
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)
    return path


def _drawn(number, is_cff):
    pen = T2CharStringPen(1000, None) if is_cff else TTGlyphPen(None)
    for bar in range(1 + number % 5 if number > 1 else 0):
        bottom = 150 * bar
        pen.moveTo((50, bottom))
        pen.lineTo((50, bottom + 80))
        pen.lineTo((950 - 30 * number % 400, bottom + 80))
        pen.lineTo((950 - 30 * number % 400, bottom))
        pen.closePath()
    return pen.getCharString() if is_cff else pen.glyph()

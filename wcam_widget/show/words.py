"""Numbers and units as a reader sees them, alike in figures, on the screen and on the command line.

js/src/views/words.ts writes the same numbers, and a test holds the two together.
"""

from __future__ import annotations

import math

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
MINUS = "\N{MINUS SIGN}"
UNKNOWN = "\N{EN DASH}"


def format_value(value: float, like: float | None = None) -> str:
    """A number with the decimals that show three significant figures of ``like``, itself by default.

    So numbers that stand together read alike. With a power of ten where ``like`` lies outside 0.001 to 99999.

    >>> format_value(0.07342, like=0.146), format_value(-0.0000213), format_value(1e-7, like=0.146)
    ('0.073', '−2.13 × 10⁻⁵', '<0.001')
    """
    if not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(like or value)))
    sign = MINUS if value < 0 else ""
    if -3 <= exponent < 5:
        decimals = max(0, 2 - exponent)
        text = f"{abs(value):.{decimals}f}"
        if float(text) > 0:
            return sign + text
        return f"{'>' if value < 0 else '<'}{sign}{10.0**-decimals:.{decimals}f}"
    return f"{sign}{abs(value) / 10.0**exponent:.2f} × 10{str(exponent).translate(SUPERSCRIPTS)}"


def unit_words(unit: str) -> str:
    """A unit as it stands under a colour bar: which index it is, the profile says.

    >>> unit_words("share of the score's variance, total")
    "share of the score's variance"
    """
    return unit.removesuffix(", total")

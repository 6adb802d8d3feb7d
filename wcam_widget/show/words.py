"""Numbers and units as a reader sees them, alike in figures, on the screen and on the command line.

js/src/picture/words.ts writes the same numbers, and a test holds the two together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from wcam_widget.basis import Band

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


def probability(value: float) -> str:
    """A probability with two decimals, at its ends in words.

    >>> probability(0.3934), probability(0.002), probability(0.9999), probability(float("nan"))
    ('.39', 'below .01', 'above .99', '–')
    """
    if not math.isfinite(value):
        return UNKNOWN
    if 0.0 < value < 0.005:
        return "below .01"
    if 0.995 <= value < 1.0:
        return "above .99"
    return f"{value:.2f}".removeprefix("0") if value > 0 else "0"


def format_score(value: float) -> str:
    """A score as it is written everywhere: two decimals, fewer from 100 on, more below 0.01.

    The front end's ``formatScore`` has the same rule.

    >>> format_score(10.96), format_score(-2.5), format_score(0.00032), format_score(4321.2)
    ('10.96', '−2.50', '0.00032', '4321')
    """
    if not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    decimals = 2
    if size >= 100:
        decimals = 0 if size >= 1000 else 1
    elif 0 < size < 0.01:
        decimals = 1 - math.floor(math.log10(size))
    return f"{value:.{decimals}f}".replace("-", MINUS)


def format_percent(share: float) -> str:
    """A share as a percentage of at most 100.

    >>> format_percent(0.578), format_percent(1.2), format_percent(0.004), format_percent(0.996)
    ('58 %', '100 %', '< 1 %', '> 99 %')
    """
    capped = min(max(share, 0.0), 1.0)
    if 0.0 < capped < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < capped < 1.0 else f"{capped:.0%}".replace("%", " %")


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(0.3), duration(24.6), duration(200.0)
    ('1 s', '25 s', '3 min')
    """
    rounded = max(1, round(seconds))
    return f"{rounded} s" if rounded < 100 else f"{round(rounded / 60)} min"


def level_name(band: Band) -> str:
    """What the level of a band is called where levels are chosen; the front end has the same rule.

    >>> level_name(Band("HL2", 2, "HL", top=0, left=4, height=4, width=4, scale=4))
    'level 2'
    """
    if band.level == 0:
        return "pixels"
    return f"A{band.level}" if band.orientation == "A" else f"level {band.level}"


def class_labels(names: Sequence[str] | None, count: int) -> list[str]:
    """One label for each of ``count`` classes, all different, so that they can be keys.

    >>> class_labels(None, 2), class_labels(["crane", "cat", "crane"], 3)
    (['class 0', 'class 1'], ['crane (0)', 'cat', 'crane (2)'])
    """
    if names is None:
        return [f"class {index}" for index in range(count)]
    often = Counter(names)
    return [name if often[name] == 1 else f"{name} ({index})" for index, name in enumerate(names)]

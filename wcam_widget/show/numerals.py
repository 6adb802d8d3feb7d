"""Numbers as they stand in sentences."""

from __future__ import annotations

import math


def probability(value: float) -> str:
    """A probability with two decimals, at its ends in words.

    >>> probability(0.3934), probability(0.002), probability(0.9999), probability(float("nan"))
    ('.39', 'below .01', 'above .99', 'unknown')
    """
    if not math.isfinite(value):
        return "unknown"
    if 0.0 < value < 0.005:
        return "below .01"
    if 0.995 <= value < 1.0:
        return "above .99"
    return f"{value:.2f}".removeprefix("0") if value > 0 else "0"


def score_number(value: float) -> str:
    """A score as it is written everywhere: two decimals, fewer from 100 on, more below 0.01.

    The front end's ``formatScore`` has the same rule.

    >>> score_number(10.96), score_number(-2.5), score_number(0.00032), score_number(4321.2)
    ('10.96', '−2.50', '0.00032', '4321')
    """
    if not math.isfinite(value):
        return "unknown"
    size = abs(value)
    decimals = 2
    if size >= 100:
        decimals = 0 if size >= 1000 else 1
    elif 0 < size < 0.01:
        decimals = 1 - math.floor(math.log10(size))
    return f"{value:.{decimals}f}".replace("-", "−")


def percent(share: float) -> str:
    """A share as a percentage of at most 100.

    >>> percent(0.578), percent(1.2), percent(0.004), percent(0.996)
    ('58 %', '100 %', '< 1 %', '> 99 %')
    """
    capped = min(max(share, 0.0), 1.0)
    if 0.0 < capped < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < capped < 1.0 else f"{capped:.0%}".replace("%", " %")


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(0.3), duration(24.6), duration(200)
    ('1 s', '25 s', '3 min')
    """
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 100 else f"{round(whole / 60)} min"

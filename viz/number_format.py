"""How numbers look to a reader: as many digits as the data support, never more.

Everything here turns finished numbers into text. An undefined value (NaN) becomes an en dash, so that an
empty cell is seen to be empty on purpose; a negative number carries the true minus sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = [
    "MINUS",
    "UNDEFINED",
    "count",
    "decimal_places",
    "duration",
    "estimate",
    "interval",
    "number",
    "p_equation",
    "p_value",
    "percentage",
    "power",
    "proportion",
    "ratio",
    "threshold",
]

UNDEFINED = "–"
MINUS = "−"


def decimal_places(widths: Iterable[float], *, least: int = 2, most: int = 4) -> int:
    """Return how many decimals the intervals of a table support.

    The last decimal is the coarsest that is at most a fortieth of the median interval, about a tenth of a
    standard error: rounding then moves no value by a visible part of its own uncertainty.

    Parameters
    ----------
    widths : iterable of float
        ``ci_high - ci_low`` of the values that share a table; NaN and 0 are left out.
    least, most : int
        Bounds of the answer.

    Returns
    -------
    int
        ``least`` to ``most``; 3 where no interval is known.

    Examples
    --------
    >>> decimal_places([0.235])  # 88 patients
    3
    >>> decimal_places([0.5]), decimal_places([0.004])
    (2, 4)
    """
    known = sorted(width for width in widths if math.isfinite(width) and width > 0.0)
    if not known:
        return min(max(3, least), most)
    median = known[len(known) // 2]
    return min(max(math.ceil(-math.log10(median / 40.0)), least), most)


def number(value: float, digits: int = 3, *, minus: str = MINUS) -> str:
    """Return ``value`` with ``digits`` decimals; infinity as its sign, NaN as an en dash.

    Examples
    --------
    >>> number(0.7346), number(-0.0004), number(float("nan"))
    ('0.735', '0.000', '–')
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else f"{minus}∞"
    text = f"{abs(value):.{digits}f}"
    negative = value < 0 and float(text) != 0.0
    return f"{minus}{text}" if negative else text


def interval(low: float, high: float, digits: int = 3, *, minus: str = MINUS) -> str:
    """Return ``low to high``; an en dash where either bound is undefined.

    Examples
    --------
    >>> interval(0.618, 0.853)
    '0.618 to 0.853'
    """
    if math.isnan(low) or math.isnan(high):
        return UNDEFINED
    return f"{number(low, digits, minus=minus)} to {number(high, digits, minus=minus)}"


def estimate(value: float, low: float, high: float, digits: int = 3, *, minus: str = MINUS) -> str:
    """Return ``value (low to high)``, without the bracket where there is no interval.

    Examples
    --------
    >>> estimate(0.735, 0.618, 0.853)
    '0.735 (0.618 to 0.853)'
    >>> estimate(0.735, float("nan"), float("nan"))
    '0.735'
    """
    shown = number(value, digits, minus=minus)
    if math.isnan(value) or math.isnan(low) or math.isnan(high):
        return shown
    return f"{shown} ({interval(low, high, digits, minus=minus)})"


def p_value(p: float) -> str:
    """Return a p-value as journals print it, without the ``p =``.

    Two decimals from 0.10, three below, ``< 0.001`` and ``> 0.99`` at the ends; a fourth decimal where three
    would round a p below 0.05 up to it.

    Examples
    --------
    >>> p_value(0.2951), p_value(0.0272), p_value(0.00004), p_value(1.0), p_value(0.04961)
    ('0.30', '0.027', '< 0.001', '> 0.99', '0.0496')
    """
    if math.isnan(p):
        return UNDEFINED
    if p < 0.001:
        return "< 0.001"
    if p > 0.99:
        return "> 0.99"
    if p >= 0.0995:
        return f"{p:.2f}"
    text = f"{p:.3f}"
    if p < 0.05 and float(text) >= 0.05:
        # Cut, not rounded: 0.04997 must not be printed as the threshold that it lies below.
        return f"{math.floor(p * 10_000) / 10_000:.4f}"
    return text


def p_equation(p: float, symbol: str = "p") -> str:
    """Return a p-value with its sign, for running text.

    Examples
    --------
    >>> p_equation(0.2951), p_equation(0.0004)
    ('p = 0.30', 'p < 0.001')
    """
    text = p_value(p)
    return f"{symbol} {text}" if text[0] in "<>" else f"{symbol} = {text}"


def count(value: float) -> str:
    """Return a number of patients with thousands separated by commas.

    Examples
    --------
    >>> count(2982), count(88.0), count(float("nan"))
    ('2,982', '88', '–')
    """
    return UNDEFINED if math.isnan(value) else f"{round(value):,}"


def proportion(k: float, n: float) -> str:
    """Return ``k/n``, the count behind a proportion.

    Examples
    --------
    >>> proportion(45, 68)
    '45/68'
    """
    return f"{count(k)}/{count(n)}"


def percentage(value: float, digits: int = 0) -> str:
    """Return a fraction in [0, 1] as a percentage.

    Examples
    --------
    >>> percentage(0.773), percentage(0.95), percentage(0.975, 1)
    ('77%', '95%', '97.5%')
    """
    return UNDEFINED if math.isnan(value) else f"{number(100.0 * value, digits)}%"


def power(value: float) -> str:
    """Return a power as a percentage, which is never 100%.

    Examples
    --------
    >>> power(0.804), power(0.9993)
    ('80%', '> 99%')
    """
    return "> 99%" if value > 0.99 else percentage(value)


def ratio(value: float, significant: int = 3) -> str:
    """Return a ratio (a likelihood ratio, an odds ratio) with a fixed number of significant digits.

    Examples
    --------
    >>> ratio(2.6486), ratio(26.486), ratio(0.045), ratio(float("inf")), ratio(12345.6)
    ('2.65', '26.5', '0.0450', '∞', '12,346')
    """
    if math.isnan(value) or math.isinf(value) or value == 0.0:
        return number(value, significant - 1)
    # The exponent of the rounded value: 9.996 has two digits before the point once it is rounded to 10.0.
    exponent = int(f"{abs(value):.{significant - 1}e}".split("e")[1])
    text = f"{abs(value):,.{max(0, significant - 1 - exponent)}f}"
    return f"{MINUS}{text}" if value < 0 else text


def threshold(value: float) -> str:
    """Return a cut-off with four significant digits, whatever scale the scores have.

    Examples
    --------
    >>> threshold(0.531249), threshold(-12.34567), threshold(3.2e-7)
    ('0.5312', '−12.35', '3.200e-07')
    """
    if value != 0.0 and math.isfinite(value) and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}".replace("-", MINUS, 1) if value < 0 else f"{value:.3e}"
    return ratio(value, 4)


def duration(seconds: float) -> str:
    """Return a time as people say it.

    Examples
    --------
    >>> duration(75.2), duration(7260)
    ('1 min 15 s', '2 h 01 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"

"""What an audit reports."""

from __future__ import annotations

from dataclasses import dataclass

from .results import Result

__all__ = ["KINDS", "WEIGHTS", "Finding"]

KINDS = {
    "impossible-counts": "no whole numbers of patients give the printed values together",
    "swapped-rows": "exchanging two printed values makes everything fit",
    "misprint": "one changed digit, or two neighbours exchanged, makes everything fit",
    "wrong-denominator": "the interval was computed on other patients than the value",
    "invalid-interval-method": "an interval for proportions of patients stands at what is none",
    "asymmetric-interval": "the value is not in the middle of its interval, where the table's others are",
    "sum-mismatch": "parts do not add up to their printed sum",
    "macro-mismatch": "a mean over labels does not follow from the printed labels",
    "p-value-inconsistent": "no data with the printed figures give the printed p-value",
    "sample-size-unexplained": "no known formula gives the printed sample size",
}
WEIGHTS = ("proven", "likely", "worth asking")


@dataclass(frozen=True, slots=True)
class Finding(Result):
    """One thing in a published table that cannot be, or hardly can.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    where : str
        ``set/model/label/metric``, with the parts that do not apply left out.
    message : str
        What is wrong, short.
    evidence : str
        One sentence with the figures, ready to paste into a review.
    weight : "proven", "likely" or "worth asking"
        Proven contradictions follow from arithmetic alone (all values of a row at one cut-off, each of whole
        patients); likely ones suppose how the authors computed; the rest may have an innocent reason. A repair
        that is named is the smallest that mends the contradiction, and no more than that.
    """

    kind: str
    where: str
    message: str
    evidence: str
    weight: str


def place(*parts: str) -> str:
    """Join the parts that apply."""
    return "/".join(part for part in parts if part)

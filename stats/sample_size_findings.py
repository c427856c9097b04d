"""Printed sample sizes that no known formula gives."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor

from .finding import Finding, place
from .published_table import PublishedSampleSize, PublishedTable
from .sample_size import auc_sample_size

__all__ = ["explained_by", "sample_size_findings"]

METHODS = ("obuchowski", "obuchowski-proc", "hanley-mcneil", "hanley-mcneil-large-sample")


def sample_size_findings(table: PublishedTable) -> list[Finding]:
    """Try every formula and rounding on each printed sample size.

    Parameters
    ----------
    table : PublishedTable

    Returns
    -------
    list of Finding
        ``sum-mismatch`` where the classes do not add up to the total, ``sample-size-unexplained`` where no formula
        gives the printed numbers.
    """
    findings: list[Finding] = []
    for printed in table.sample_size:
        where = place(printed.set or "", "", printed.label, "sample_size")
        if printed.total is not None and printed.pos is not None and printed.neg is not None:
            made = printed.pos + printed.neg
            if made != printed.total:
                findings.append(
                    Finding(
                        "sum-mismatch", where, f"{printed.pos} + {printed.neg} is not {printed.total}",
                        f"The required {printed.pos} positives and {printed.neg} negatives of {printed.label} make "
                        f"{made}; {printed.total} is printed.",
                        "proven",
                    )
                )  # fmt: skip
        ratio = _ratio(table, printed)
        if ratio is None or (printed.pos is None and printed.neg is None and printed.total is None):
            continue
        if _explained_about(printed, ratio):
            continue
        exchanged = _explained_about(printed, 1.0 / ratio)
        asked = (
            f"an AUC of {printed.auc.text} against {printed.null.text} (power {printed.power.text}, alpha "
            f"{printed.alpha.text})"
        )
        if exchanged:
            findings.append(
                Finding(
                    "swapped-rows", where, "computed with positives and negatives exchanged",
                    f"For {asked} no known formula gives {_shown(printed)} at {ratio:.3f} negatives per positive, as "
                    f"the class counts have it; with positives and negatives exchanged this one does: {exchanged[0]}.",
                    "likely",
                )
            )  # fmt: skip
            continue
        sizes = ", ".join(f"{name} {pos:.2f} + {neg:.2f}" for name, pos, neg in _exact(printed, ratio))
        findings.append(
            Finding(
                "sample-size-unexplained", where, "no known formula gives these numbers",
                f"For {asked} and {ratio:.3f} negatives per positive the formulas ask for, before rounding: {sizes}; "
                f"no rounding of these gives {_shown(printed)}.",
                "worth asking",
            )
        )  # fmt: skip
    return findings


def explained_by(printed: PublishedSampleSize, ratio: float) -> list[str]:
    """Return the formulas and roundings that give the printed numbers, as words."""
    found = []
    for method, pos, neg in _exact(printed, ratio):
        for rounding, n_pos, n_neg, total in _roundings(pos, neg, ratio):
            parts = ((printed.pos, n_pos), (printed.neg, n_neg))
            if any(given is not None and given != n for given, n in parts):
                continue
            # A total that contradicts its printed parts is another finding.
            if printed.total is not None and None in (printed.pos, printed.neg) and printed.total != total:
                continue
            found.append(f"{method}, {rounding}")
    return found


def _explained_about(printed: PublishedSampleSize, ratio: float) -> list[str]:
    """Try the ratio, and what a program may have been given for it: rounded, either way up."""
    found = explained_by(printed, ratio)
    for decimals in (2, 1):
        for typed in (round(ratio, decimals), 1.0 / max(round(1.0 / ratio, decimals), 1e-3)):
            if not found and typed > 0.0:
                found = [f"{words}, ratio {typed:.4g}" for words in explained_by(printed, typed)]
    return found


def _exact(printed: PublishedSampleSize, ratio: float) -> Iterator[tuple[str, float, float]]:
    for method in METHODS:
        for alternative in ("two-sided", "one-sided"):
            size = auc_sample_size(
                printed.auc.value, null_auc=printed.null.value, ratio=ratio, power=printed.power.value,
                alpha=printed.alpha.value, method=method, alternative=alternative,
            )  # fmt: skip
            yield f"{method}, {alternative}", size.n_pos_exact, size.n_neg_exact


def _roundings(pos: float, neg: float, ratio: float) -> Iterator[tuple[str, int, int, int]]:
    for name, whole in (("up", ceil), ("to the nearest", round), ("down", floor)):
        yield f"each class {name}", whole(pos), whole(neg), whole(pos + neg)
        for other, again in (("up", ceil), ("to the nearest", round), ("down", floor)):
            yield (
                f"positives {name}, negatives by the ratio {other}",
                whole(pos),
                again(whole(pos) * ratio),
                0,
            )
            yield (
                f"negatives {name}, positives by the ratio {other}",
                again(whole(neg) / ratio),
                whole(neg),
                0,
            )


def _ratio(table: PublishedTable, printed: PublishedSampleSize) -> float | None:
    for part in table.sets:
        counts = part.labels.get(printed.label)
        if (printed.set is None or part.name == printed.set) and counts and counts.pos and counts.neg:
            return counts.neg / counts.pos
    return None


def _shown(printed: PublishedSampleSize) -> str:
    parts = [(printed.pos, "positives"), (printed.neg, "negatives"), (printed.total, "in all")]
    return ", ".join(f"{n} {words}" for n, words in parts if n is not None)

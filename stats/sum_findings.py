"""Printed parts that do not add up to their printed sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .finding import Finding, place
from .published_table import ClassCounts, PublishedTable, PublishedTotal
from .solved_rows import SolvedRow

__all__ = ["sum_findings"]


def sum_findings(table: PublishedTable, rows: list[SolvedRow]) -> list[Finding]:
    """Add up the classes of each set, the sets of each total, and compare statements of the same thing.

    Parameters
    ----------
    table : PublishedTable
    rows : list of SolvedRow
        From `solved_rows`, repaired by `count_findings`, for classes that were deduced.

    Returns
    -------
    list of Finding
        ``sum-mismatch``.
    """
    findings: list[Finding] = []
    for part in table.sets:
        findings += _classes(part.name, part.n, part.labels)
    for total in table.totals:
        findings += _classes(total.name, total.n, total.labels)
    known = _known(table, rows)
    for total in table.totals:
        findings += _parts(total, known)
    return findings + list(_statements(table, known))


def _known(
    table: PublishedTable, rows: list[SolvedRow]
) -> dict[str, tuple[int | None, dict[str, ClassCounts]]]:
    """Size and classes by name: sets first, then the first statement about each total."""
    known: dict[str, tuple[int | None, dict[str, ClassCounts]]] = {}
    for part in table.sets:
        labels = dict(part.labels)
        labels |= {row.row.label: row.classes for row in rows if row.set is part}
        known[part.name] = (part.size, labels)
    for total in table.totals:
        known.setdefault(total.name, (total.n, dict(total.labels)))
    return known


def _classes(name: str, n: int | None, labels: Mapping[str, ClassCounts]) -> Iterator[Finding]:
    sums = {
        label: counts.pos + counts.neg
        for label, counts in labels.items()
        if counts.pos is not None and counts.neg is not None
    }
    expected = n if n is not None else max(sums.values(), default=None)
    for label, made in sums.items():
        if made == expected:
            continue
        counts = labels[label]
        of = f"{n} patients are printed" if n is not None else f"another label of the set has {expected}"
        # Fewer may be patients whose label is missing; more cannot be.
        weight = "proven" if n is not None and made > n else "worth asking"
        yield Finding(
            "sum-mismatch", place(name, "", label), f"{counts.pos} + {counts.neg} is not {expected}",
            f"{label} has {counts.pos} positives and {counts.neg} negatives in {name}, together {made}; {of}.", weight,
        )  # fmt: skip


def _parts(
    total: PublishedTotal, known: Mapping[str, tuple[int | None, dict[str, ClassCounts]]]
) -> Iterator[Finding]:
    parts = [known[name] for name in total.of if name in known]
    if not total.of or len(parts) != len(total.of):
        return
    names = " and ".join(total.of)
    sizes = [n for n, _ in parts]
    if total.n is not None and None not in sizes and sum(n or 0 for n in sizes) != total.n:
        yield Finding(
            "sum-mismatch", total.name, f"{names} do not add up to {total.n}",
            f"{names} have {' and '.join(map(str, sizes))} patients, together {sum(n or 0 for n in sizes)}; "
            f"{total.n} is printed for {total.name}.",
            "proven",
        )  # fmt: skip
    for label, counts in total.labels.items():
        for name in ("pos", "neg"):
            printed = getattr(counts, name)
            own: list[int] = [
                found for _, labels in parts if (found := getattr(labels.get(label), name, None)) is not None
            ]
            if printed is None or len(own) != len(parts) or sum(own) == printed:
                continue
            words = {"pos": "positives", "neg": "negatives"}[name]
            yield Finding(
                "sum-mismatch", place(total.name, "", label), f"{words} do not add up to {printed}",
                f"{label} has {' and '.join(map(str, own))} {words} in {names}, together {sum(own)}; {printed} is "
                f"printed for {total.name}.",
                "proven",
            )  # fmt: skip


def _statements(
    table: PublishedTable, known: Mapping[str, tuple[int | None, dict[str, ClassCounts]]]
) -> Iterator[Finding]:
    """Later statements about a set or total against the first."""
    for total in table.totals:
        first_n, first = known[total.name]
        if total.n is not None and first_n is not None and total.n != first_n:
            yield Finding(
                "sum-mismatch", total.name, f"{total.n} patients here, {first_n} there",
                f"{total.name} has {first_n} patients in one place and {total.n} in another.", "proven",
            )  # fmt: skip
        for label, counts in total.labels.items():
            there = first.get(label)
            if there is None:
                continue
            for name, words in (("pos", "positives"), ("neg", "negatives")):
                here, other = getattr(counts, name), getattr(there, name)
                if here is None or other is None or here == other:
                    continue
                swapped = [
                    key for key, c in first.items() if key != label and getattr(c, name) == here
                ] + ([label] if {"pos": there.neg, "neg": there.pos}[name] == here else [])  # fmt: skip
                hint = ""
                if swapped == [label]:
                    hint = "; positives and negatives are exchanged"
                elif swapped:
                    hint = f"; {here} is the number of {swapped[0]}"
                yield Finding(
                    "sum-mismatch", place(total.name, "", label), f"{here} {words} here, {other} there",
                    f"{label} has {other} {words} of {total.name} in one place and {here} in another{hint}.", "proven",
                )  # fmt: skip

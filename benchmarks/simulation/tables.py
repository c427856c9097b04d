"""Tables of the simulation page: cells gathered, averaged, written as Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from statistics import mean

Records = list[dict]


def merged(*studies: Records) -> Records:
    """Records of the same cell as one, whatever their numbers of data sets."""
    whole: dict[str, dict] = {}
    for record in (record for study in studies for record in study):
        cell = {name: value for name, value in record["cell"].items() if name != "sets"}
        into = whole.setdefault(json.dumps(cell), {"cell": cell, "found": {}})
        for name, found in record["found"].items():
            into["found"][name] = {"sets": record["cell"]["sets"]} | found
    return list(whole.values())


def having(records: Records, name: str) -> Records:
    return [record for record in records if name in record["found"]]


def smaller_class(cell: dict) -> int:
    positives = round(cell["n"] * cell["prevalence"])
    return min(positives, cell["n"] - positives)


def by_n_and_auc(records: Records, names: Iterable[str], what: str, extreme: Callable) -> list[str]:
    def shown(found: list[dict]) -> str:
        values = [f[what] for f in found]
        return mean_least(mean(values), extreme(values))

    return grid(records, names, shown)


def grid(records: Records, names: Iterable[str], shown: Callable[[list[dict]], str]) -> list[str]:
    names = [name for name in names if having(records, name)]
    rows = []
    for n, auc in dict.fromkeys((r["cell"]["n"], r["cell"]["auc"]) for r in by_size(records)):
        here = [r["found"] for r in records if (r["cell"]["n"], r["cell"]["auc"]) == (n, auc)]
        columns = [[found[name] for found in here if name in found] for name in names]
        rows.append([f"{n:,}", f"{auc:g}", *(shown(column) if column else "" for column in columns)])
    return markdown_table(["n", "AUC", *names], rows)


def by_size(records: Records) -> Records:
    return sorted(records, key=lambda record: (record["cell"]["n"], record["cell"]["auc"]))


def data_sets(records: Records, name: str = "") -> str:
    numbers = [record["found"][name]["sets"] if name else record["cell"]["sets"] for record in records]
    few, many = min(numbers), max(numbers)
    return f"{many:,}" if few == many else f"{few:,} to {many:,}"


def described(cell: dict, *, without: str = "") -> str:
    """What a cell is, in words, without the number of its data sets."""
    parts = []
    for name, value in cell.items():
        if name in ("sets", without) or (name == "ties" and not value):
            continue
        word = {"auc": "AUC", "n": "n"}.get(name, name.replace("_", " "))
        parts.append(word if name == "ties" else f"{word} {value:,}" if name == "n" else f"{word} {value:g}")
    return ", ".join(parts)


def percent(value: float) -> str:
    return f"{100.0 * value:.1f}"


def mean_least(average: float, extreme: float) -> str:
    return f"{percent(average)} ({percent(extreme)})"


def markdown_table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]

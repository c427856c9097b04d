"""Simulated published tables: true data, evaluated and rounded as a paper would print them, and errors planted in them.

A table is a dictionary of the layout that `biomark.stats.audit` reads. Its data are simulated.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from biomark import stats
from scipy import stats as distributions

# Two of them (the bootstrap and Wilson with continuity correction) are unknown to the audit.
PROPORTION_INTERVALS = (
    "wald", "wald 1.96", "wilson", "clopper-pearson", "agresti-coull", "jeffreys", "bootstrap", "wilson-cc", "none"
)  # fmt: skip
AUC_INTERVALS = ("delong", "delong-logit", "hanley-mcneil", "bootstrap-percentile", "none")
METRICS = ("acc", "sen", "spec", "ppv", "npv", "f1")


@dataclass
class Draft:
    """A table with what is needed to plant errors in it."""

    table: dict
    decimals: int
    counts: dict
    proportion_interval: str
    auc_interval: str
    with_macro_intervals: bool
    style: str
    rng: np.random.Generator

    def show(self, number: float) -> str:
        """Print a number as this table does."""
        if self.style == "cut off":
            return f"{np.trunc(number * 10**self.decimals + 1e-9) / 10**self.decimals:.{self.decimals}f}"
        if self.style == "percent":
            return f"{100 * number:.{self.decimals - 2}f}%"
        if self.style == "half up":
            return f"{np.floor(number * 10**self.decimals + 0.5) / 10**self.decimals:.{self.decimals}f}"
        return f"{number:.{self.decimals}f}"


def random_table(rng: np.random.Generator) -> Draft:
    """A table without an error."""
    decimals = int(rng.choice([2, 3, 4], p=[0.3, 0.6, 0.1]))
    labels = [f"L{k}" for k in range(rng.integers(1, 5))]
    models = [f"model {k}" for k in range(rng.integers(1, 4))]
    chosen = ["acc", "sen", "spec", *(metric for metric in METRICS[3:] if rng.random() < 0.3)]
    proportion_interval = str(rng.choice(PROPORTION_INTERVALS))
    auc_interval = str(rng.choice(AUC_INTERVALS))
    with_macro = len(labels) > 1 and rng.random() < 0.7
    style = str(rng.choice(["half to even", "half up", "percent", "cut off"], p=[0.4, 0.35, 0.2, 0.05]))
    with_macro_intervals = with_macro and bool(rng.random() < 0.7)
    draft = Draft(
        {"sets": {}}, decimals, {}, proportion_interval, auc_interval, with_macro_intervals, style, rng
    )
    unprinted_classes = rng.random() < 0.1
    prevalence = rng.uniform(0.15, 0.85, len(labels))
    quality = rng.uniform(0.3, 2.2, (len(models), len(labels)))
    for name in ("validation", "test")[rng.integers(2) :]:
        n = int(rng.integers(40, 500))
        kind = str(rng.choice(["continuous", "rounded", "five levels"], p=[0.7, 0.2, 0.1]))
        truth, scores = _data(rng, n, prevalence, quality, kind)
        draft.table["sets"][name] = _set(rng, draft, name, labels, models, chosen, truth, scores, with_macro)
        if unprinted_classes:
            draft.table["sets"][name]["printed_labels"] = {label: {} for label in labels}
    _sample_size(rng, draft, labels)
    _totals(draft, labels)
    _baseline(rng, draft)
    for part in draft.table["sets"].values():
        part["labels"] = part.pop("printed_labels", part["labels"])
    return draft


def _data(rng, n, prevalence, quality, kind):
    while True:
        truth = (rng.random((n, prevalence.size)) < prevalence).astype(int)
        if ((truth.sum(axis=0) > 3) & (truth.sum(axis=0) < n - 3)).all():
            break
    shared = rng.normal(size=(n, prevalence.size))
    noise = rng.normal(size=(quality.shape[0], n, prevalence.size))
    scores = quality[:, None, :] * truth + 0.6 * shared + 0.8 * noise
    if kind == "five levels":
        return truth, np.digitize(scores, np.quantile(scores, [0.2, 0.4, 0.6, 0.8])).astype(float)
    return truth, np.round(scores, 1) if kind == "rounded" else scores


def _set(rng, draft, name, labels, models, chosen, truth, scores, with_macro):
    part = {"n": len(truth), "labels": {}, "rows": [], "macro": [], "comparisons": []}
    cuts = np.empty((len(models), len(labels)))
    for k, label in enumerate(labels):
        y = truth[:, k]
        part["labels"][label] = {"pos": int(y.sum()), "neg": int((1 - y).sum())}
        for m, model in enumerate(models):
            score = scores[m, :, k]
            cuts[m, k] = stats.optimal_cutoff(y, score).threshold
            row = {"model": model, "label": label, "auc": _auc_cell(rng, draft, y, score)}
            counts = stats.confusion_counts(y, score, cuts[m, k])
            draft.counts[name, model, label] = counts
            for metric in chosen:
                cell = _count_cell(draft, metric, counts)
                if cell is not None:
                    row[metric] = cell
            part["rows"].append(row)
        for a in range(len(models) - 1):
            test = stats.delong_test(y, scores[a, :, k], scores[a + 1, :, k])
            p = "<0.001" if test.p_value < 0.001 else f"{test.p_value:.3f}"
            part["comparisons"].append({"label": label, "models": [models[a], models[a + 1]], "p": p})
    if with_macro:
        for m, model in enumerate(models):
            part["macro"].append({"model": model} | _macro_cells(rng, draft, truth, scores[m], cuts[m]))
    return part


def _auc_cell(rng, draft, y, score):
    if draft.auc_interval == "none":
        return draft.show(stats.auc(y, score))
    found = stats.auc_ci(y, score, method=draft.auc_interval, n_boot=300, rng=rng)
    return _cell(draft, found.auc, found.ci_low, found.ci_high)


def _count_cell(draft, metric, counts):
    tp, fp, tn, fn = counts.tp, counts.fp, counts.tn, counts.fn
    if metric == "f1":
        return draft.show(2 * tp / (2 * tp + fp + fn))
    k, n = {
        "acc": (tp + tn, tp + fp + tn + fn), "sen": (tp, tp + fn), "spec": (tn, tn + fp),
        "ppv": (tp, tp + fp), "npv": (tn, tn + fn),
    }[metric]  # fmt: skip
    if n == 0:
        return None
    return proportion_cell(draft, k, n)


def proportion_cell(draft, k, n, *, on=None):
    """A proportion as printed; its interval on ``on`` patients where that is another number than n."""
    if draft.proportion_interval == "none":
        return draft.show(k / n)
    low, high = _proportion_bounds(draft, k / n, on or n)
    return _cell(draft, k / n, low, high)


def _proportion_bounds(draft, share, n):
    if draft.proportion_interval == "bootstrap":
        found = draft.rng.binomial(n, share, 1000) / n
        return np.quantile(found, 0.025), np.quantile(found, 0.975)
    if draft.proportion_interval == "wald 1.96":
        half = 1.96 * (share * (1 - share) / n) ** 0.5
        return share - half, share + half
    if draft.proportion_interval == "wilson-cc":
        # Newcombe 1998, Stat Med 17:857-872, method 4.
        z = distributions.norm.ppf(0.975)
        root = [
            z * max(z**2 - 2 - 1 / n + 4 * share * (n * (1 - share) + 1), 0.0) ** 0.5,
            z * max(z**2 + 2 - 1 / n + 4 * share * (n * (1 - share) - 1), 0.0) ** 0.5,
        ]
        low = (2 * n * share + z**2 - 1 - root[0]) / (2 * (n + z**2))
        high = (2 * n * share + z**2 + 1 + root[1]) / (2 * (n + z**2))
        return (0.0 if share == 0 else max(low, 0.0)), (1.0 if share == 1 else min(high, 1.0))
    low, high = stats.proportion.real_valued_bounds(
        share * n, n, method=draft.proportion_interval, confidence=0.95
    )
    return float(low), float(high)


def _macro_cells(rng, draft, truth, score, cuts):
    found = stats.multilabel_ci(truth, score, cuts, method="percentile", n_boot=200, rng=rng)
    names = {
        "auc": "macro_auc", "acc": "macro_accuracy", "precision": "macro_precision", "recall": "macro_recall",
        "f1": "macro_f1",
    }  # fmt: skip
    cells = {}
    for key, name in names.items():
        estimate = getattr(found, name)
        if np.isnan(estimate.value):
            continue
        if draft.with_macro_intervals:
            cells[key] = _cell(draft, estimate.value, estimate.ci_low, estimate.ci_high)
        else:
            cells[key] = draft.show(estimate.value)
    return cells


def _cell(draft, value, low, high):
    return [draft.show(x) for x in (value, low, high)]


def _sample_size(rng, draft, labels):
    name = list(draft.table["sets"])[-1]
    part = draft.table["sets"][name]
    draft.table["sample_size"] = []
    for label in labels:
        auc = part["rows"][0]["auc"]
        auc = f"{rng.uniform(0.62, 0.92):.3f}" if rng.random() < 0.5 or "%" in _head(auc) else _head(auc)
        if not 0.55 < float(auc) < 0.97:
            continue
        counts = part["labels"][label]
        size = stats.auc_sample_size(
            float(auc), ratio=counts["neg"] / counts["pos"],
            method=str(rng.choice(["obuchowski", "hanley-mcneil"])), rounding=str(rng.choice(["each", "ratio"])),
        )  # fmt: skip
        draft.table["sample_size"].append(
            {
                "label": label,
                "set": name,
                "auc": auc,
                "total": size.total,
                "pos": size.n_pos,
                "neg": size.n_neg,
            }
        )


def _totals(draft, labels):
    sets = draft.table["sets"]
    draft.table["totals"] = [
        {
            "name": "all", "of": list(sets), "n": sum(part["n"] for part in sets.values()),
            "labels": {
                label: {c: sum(part["labels"][label][c] for part in sets.values()) for c in ("pos", "neg")}
                for label in labels
            },
        }
    ]  # fmt: skip


def _baseline(rng, draft):
    if len(draft.table["sets"]) < 2:
        return
    groups = {name: part["n"] for name, part in draft.table["sets"].items()}
    ages = {name: rng.normal(55, 11, n) for name, n in groups.items()}
    yes = {name: int(rng.binomial(n, 0.4)) for name, n in groups.items()}
    everybody = np.concatenate(list(ages.values()))
    whole = sum(groups.values())
    cells = np.array([[yes[name], n - yes[name]] for name, n in groups.items()])
    a, b = ages.values()
    draft.table["baseline"] = {
        "groups": {"all": whole} | groups, "whole": "all",
        "rows": [
            {
                "name": "age",
                "mean_sd": {
                    name: [f"{x.mean():.1f}", f"{x.std(ddof=1):.1f}"] for name, x in ({"all": everybody} | ages).items()
                },
                "p": f"{distributions.ttest_ind(a, b, equal_var=False).pvalue:.3f}",
            },
            {
                "name": "menopause",
                "count": {
                    name: [str(k), f"{100 * k / n:.1f}"]
                    for name, k, n in (("all", sum(yes.values()), whole), *((g, yes[g], groups[g]) for g in groups))
                },
                "p": f"{distributions.chi2_contingency(cells, correction=bool(rng.random() < 0.5)).pvalue:.3f}",
            },
        ],
    }  # fmt: skip


# Planting: each takes a draft and returns the table with one error and the place where it is, or None where the draft
# has no room for it.


def _pick(rng, items):
    return items[int(rng.integers(len(items)))]


def _rows(table):
    return [(name, row) for name, part in table["sets"].items() for row in part["rows"]]


def _where(name, row, metric):
    return f"{name}/{row['model']}/{row['label']}/{metric}"


def _head(cell):
    return cell[0] if isinstance(cell, list) else cell


def number(cell):
    """The value of a printed cell as a fraction."""
    text = _head(cell)
    return float(text.rstrip("%")) / (100 if text.endswith("%") else 1)


def _with_head(cell, text):
    return [text, *cell[1:]] if isinstance(cell, list) else text


def plant_impossible_counts(rng, draft):
    table = copy.deepcopy(draft.table)
    name, row = _pick(rng, _rows(table))
    metric = _pick(rng, ["acc", "sen", "spec"])
    old = number(row[metric])
    new = float(np.clip(old + rng.choice([-1, 1]) * rng.uniform(0.03, 0.3), 0.01, 0.99))
    row[metric] = _with_head(row[metric], draft.show(new))
    return table, [_where(name, row, metric)]


def plant_misprint(rng, draft):
    table = copy.deepcopy(draft.table)
    name, row = _pick(rng, _rows(table))
    metric = _pick(rng, ["acc", "sen", "spec"])
    text = _head(row[metric])
    # Not the digit before the decimal point, which would put the value out of range.
    at = _pick(rng, [at for at, d in enumerate(text) if d.isdigit() and (draft.style == "percent" or at > 1)])
    digit = _pick(rng, [d for d in "0123456789" if d != text[at]])
    if number(text[:at] + digit + text[at + 1 :]) > 1:
        return None
    row[metric] = _with_head(row[metric], text[:at] + digit + text[at + 1 :])
    return table, [_where(name, row, metric)]


def plant_swapped_rows(rng, draft):
    table = copy.deepcopy(draft.table)
    name = _pick(rng, list(table["sets"]))
    rows = table["sets"][name]["rows"]
    if len(rows) < 2:
        return None
    a, b = (rows[i] for i in rng.choice(len(rows), 2, replace=False))
    metric = _pick(rng, ["acc", "sen", "spec"])
    if _head(a[metric]) == _head(b[metric]):
        return None
    a[metric], b[metric] = b[metric], a[metric]
    return table, [_where(name, a, metric), _where(name, b, metric)]


def plant_wrong_denominator(rng, draft):
    # Only the methods in use are told apart; see docs/audit.md.
    if draft.proportion_interval in ("none", "bootstrap", "wilson-cc"):
        return None
    table = copy.deepcopy(draft.table)
    name = _pick(rng, list(table["sets"]))
    places = []
    for row in table["sets"][name]["rows"]:
        counts = draft.counts[name, row["model"], row["label"]]
        n = table["sets"][name]["n"]
        row["sen"] = proportion_cell(draft, counts.tp, counts.tp + counts.fn, on=n)
        row["spec"] = proportion_cell(draft, counts.tn, counts.tn + counts.fp, on=n)
        places += [_where(name, row, "sen"), _where(name, row, "spec")]
    return table, places


def plant_invalid_interval_method(rng, draft):
    table = copy.deepcopy(draft.table)
    name = _pick(rng, list(table["sets"]))
    part = table["sets"][name]
    of_macro = bool(part["macro"]) and rng.random() < 0.5
    rows = part["macro"] if of_macro else part["rows"]
    places = []
    for row in rows:
        for metric in ("auc", "acc", "precision", "recall", "f1") if of_macro else ("auc",):
            if metric not in row:
                continue
            value = number(row[metric])
            half = 1.959964 * (value * (1 - value) / part["n"]) ** 0.5
            row[metric] = _cell(draft, value, value - half, value + half)
            places.append(f"{name}/{row['model']}/{metric}" if of_macro else _where(name, row, metric))
    return table, places


def plant_asymmetric_interval(rng, draft):
    if draft.auc_interval != "delong":
        return None
    table = copy.deepcopy(draft.table)
    name, row = _pick(rng, _rows(table))
    bound = int(rng.integers(1, 3))
    text = row["auc"][bound]
    places = [at for at, d in enumerate(text) if d.isdigit()][0 if draft.style == "percent" else 1 :]
    at = _pick(rng, places[:-1] or places)
    changed = text[:at] + _pick(rng, [d for d in "0123456789" if d != text[at]]) + text[at + 1 :]
    if number(changed) > 1.5:
        return None
    row["auc"] = [changed if k == bound else cell for k, cell in enumerate(row["auc"])]
    return table, [_where(name, row, "auc")]


def plant_sum_mismatch(rng, draft):
    table = copy.deepcopy(draft.table)
    if rng.random() < 0.5 or not table["sample_size"]:
        label, counts = _pick(rng, list(table["totals"][0]["labels"].items()))
        counts["pos"] += int(rng.choice([-1, 1, 9, 10]))
        return table, [f"all/{label}"]
    size = _pick(rng, table["sample_size"])
    size["total"] += int(rng.choice([-2, -1, 1, 2]))
    return table, [f"{size['set']}/{size['label']}/sample_size"]


def plant_macro_mismatch(rng, draft):
    table = copy.deepcopy(draft.table)
    rows = [(name, row) for name, part in table["sets"].items() for row in part["macro"]]
    if not rows:
        return None
    name, row = _pick(rng, rows)
    metric = _pick(rng, [m for m in ("auc", "acc", "precision", "recall", "f1") if m in row])
    new = min(1.0, number(row[metric]) + rng.choice([-1, 1]) * rng.uniform(0.02, 0.1))
    row[metric] = _with_head(row[metric], draft.show(new))
    return table, [f"{name}/{row['model']}/{metric}"]


def plant_p_value_inconsistent(rng, draft):
    if draft.auc_interval != "delong":
        return None
    table = copy.deepcopy(draft.table)
    found = [(name, c) for name, part in table["sets"].items() for c in part["comparisons"]]
    if not found:
        return None
    name, comparison = _pick(rng, found)
    p = comparison["p"]
    comparison["p"] = "<0.001" if p != "<0.001" and float(p) > 0.2 else f"{rng.uniform(0.3, 0.95):.3f}"
    return table, [f"{name}/{comparison['label']}/p"]


def plant_sample_size_unexplained(rng, draft):
    table = copy.deepcopy(draft.table)
    if not table["sample_size"]:
        return None
    size = _pick(rng, table["sample_size"])
    extra = int(rng.choice([-1, 1])) * max(3, round(0.15 * size["pos"]))
    size["pos"], size["total"] = size["pos"] + extra, size["total"] + extra
    return table, [f"{size['set']}/{size['label']}/sample_size"]


PLANTS = {
    "impossible-counts": plant_impossible_counts,
    "swapped-rows": plant_swapped_rows,
    "misprint": plant_misprint,
    "wrong-denominator": plant_wrong_denominator,
    "invalid-interval-method": plant_invalid_interval_method,
    "asymmetric-interval": plant_asymmetric_interval,
    "sum-mismatch": plant_sum_mismatch,
    "macro-mismatch": plant_macro_mismatch,
    "p-value-inconsistent": plant_p_value_inconsistent,
    "sample-size-unexplained": plant_sample_size_unexplained,
}

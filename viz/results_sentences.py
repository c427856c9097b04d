"""The sentences of the Results paragraph and of the page's first screen, written from an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from .captions import digits_of, interval_level, main_cutoff, metric_name, one_unnamed_set
from .page_table import parts, rows_of
from .traced_cells import (
    counted,
    extreme,
    traced_count,
    traced_estimate,
    traced_number,
    traced_p,
    traced_percentage,
    traced_setting,
)
from .traced_text import Fragment, Name, listed

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = [
    "auc_sentences",
    "cohort_sentence",
    "comparison_sentence",
    "interaction_sentence",
    "operating_sentences",
    "optimism_sentence",
    "overall_sentence",
    "overfitting_sentence",
    "sample_size_sentence",
]

# Beyond this many labels times models a paragraph gives ranges and leaves the rest to the tables.
_SPELT_OUT = 12


def cohort_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say how many patients were judged and how many were positive."""
    judged = rows_of(evaluation.cohort, set=evaluation.main_set)
    first = judged.iloc[0]
    items: list[list[Fragment]] = []
    for _, row in judged.iterrows():
        item: list[Fragment] = [Name(row["label"]), " was positive in "]
        item += [traced_count("cohort", row, "n_pos"), " of ", traced_count("cohort", row, "n_labelled")]
        if row["n_labelled"]:
            item += [" (", traced_percentage("cohort", row, "prevalence"), ")"]
        if row["n_missing"]:
            item += [" and missing in ", traced_count("cohort", row, "n_missing")]
        items.append(item)
    held: list[Fragment] = ["There were "]
    if not one_unnamed_set(evaluation):
        held = ["The ", Name(evaluation.main_set), " set held "]
    return [
        *held,
        traced_count("cohort", first, "n_patients"),
        " patients; ",
        *listed(items),
        ".",
    ]


def auc_sentences(evaluation: Evaluation) -> list[Fragment]:
    """Give the AUC of each model for each label, with the difference where there are two models."""
    kind = main_cutoff(evaluation, evaluation.main_set)
    judged = rows_of(evaluation.individual, set=evaluation.main_set, cutoff=kind)
    if len(judged) > _SPELT_OUT:
        return _auc_range(evaluation, judged)
    said: list[Fragment] = []
    digits, level = digits_of(evaluation), interval_level(evaluation)
    for label, cells in parts(judged, "label", evaluation.labels):
        known = cells[cells["auc"].notna()]
        said.append(" " if said else "")
        if not len(known):
            said += ["For ", Name(label), " no AUC could be computed."]
            continue
        items: list[list[Fragment]] = [
            [*traced_estimate("individual", row, "auc", digits, level=level), " with ", Name(row["model"])]
            for _, row in known.iterrows()
        ]
        said += ["For ", Name(label), " the AUC was ", *listed(items)]
        compared = rows_of(evaluation.comparisons, set=evaluation.main_set, label=label)
        if len(compared) == 1 and pd.notna(compared.iloc[0]["p_value"]):
            row = compared.iloc[0]
            said += ["; difference ", *traced_estimate("comparisons", row, "difference", digits, prefix="")]
            said += [", ", traced_p("comparisons", row), ", after Holm’s correction "]
            said.append(traced_p("comparisons", row, "p_holm"))
        said.append(".")
    return said


def comparison_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say how many comparisons of models were made and how many are significant after Holm's correction."""
    judged = rows_of(evaluation.comparisons, set=evaluation.main_set)
    tested = judged[judged["p_holm"].notna()]
    if not len(tested):
        return []
    digits, alpha = digits_of(evaluation), evaluation.settings["alpha"]
    where = {"set": evaluation.main_set}
    many = len(tested) > 1
    significant = tested[tested["p_holm"] < alpha]
    number = counted("comparisons", tested, "p_holm", **where)
    made: list[Fragment] = ["Of ", number, " comparisons of AUCs"] if many else ["The one comparison of AUCs"]
    below = {**where, "p_holm": f"< {alpha:g}"}
    if not len(significant):
        said: list[Fragment] = [*made, ", none" if many else " was not"]
        said += [" was significant" if many else " significant"]
        if many:
            said += [" after Holm’s correction (smallest adjusted "]
            said += [extreme("comparisons", tested, "p_holm", "smallest", None, **where), ")"]
        said += [
            "; the intervals still allow differences from "
            if many
            else "; the interval still allows differences from "
        ]
        said += [extreme("comparisons", tested, "ci_low", "smallest", digits, **where), " to "]
        return [
            *said,
            extreme("comparisons", tested, "ci_high", "largest", digits, **where),
            ", so equal performance is not shown either.",
        ]
    items: list[list[Fragment]] = []
    for _, row in significant.head(_SPELT_OUT).iterrows():
        better, worse = (
            (row["model_a"], row["model_b"]) if row["difference"] > 0 else (row["model_b"], row["model_a"])
        )
        items.append(
            [
                Name(better), " above ", Name(worse), " for ", Name(row["label"]), " (difference of ",
                Name(row["model_a"]), " from ", Name(row["model_b"]), " ",
                *_unbracketed(traced_estimate("comparisons", row, "difference", digits, prefix="")),
                "; ", *(["adjusted "] if many else []), traced_p("comparisons", row, "p_holm"), ")",
            ]
        )  # fmt: skip
    if not many:
        return [*made, " was significant: ", *listed(items), "."]
    passed = counted("comparisons", significant, "p_holm", **below)
    verb = " was" if len(significant) == 1 else " were"
    return [*made, ", ", passed, verb, " significant after Holm’s correction: ", *listed(items), "."]


def operating_sentences(evaluation: Evaluation) -> list[Fragment]:
    """Give sensitivity and specificity at the main cut-off."""
    kind = main_cutoff(evaluation, evaluation.main_set)
    judged = rows_of(evaluation.individual, set=evaluation.main_set, cutoff=kind)
    known = judged[judged["sensitivity"].notna() & judged["specificity"].notna()]
    if not len(known):
        return []
    at: list[Fragment] = ["At the cut-offs locked on the ", Name(str(evaluation.cutoff_set)), " set, "]
    if kind == "same-set":
        at = ["At cut-offs chosen on the same patients, which flatters, "]
    digits = digits_of(evaluation)
    if len(known) > _SPELT_OUT:
        where = {"set": evaluation.main_set, "cutoff": kind}
        spans: list[list[Fragment]] = []
        for metric in ("sensitivity", "specificity"):
            ends = [
                extreme("individual", known, metric, end, digits, **where) for end in ("smallest", "largest")
            ]
            spans.append([f"{metric} ranged from ", ends[0], " to ", ends[1]])
        return [*at, *listed(spans), "."]
    said = at
    for n, (label, cells) in enumerate(parts(known, "label", evaluation.labels)):
        items: list[list[Fragment]] = []
        for _, row in cells.iterrows():
            item: list[Fragment] = [Name(row["model"])]
            for metric, of, verb in (
                ("sensitivity", "n_pos", " reached a "),
                ("specificity", "n_neg", " and a "),
            ):
                item += [f"{verb}{metric} of ", traced_number("individual", row, metric, digits), " ("]
                hits = "tp" if metric == "sensitivity" else "tn"
                item += [
                    traced_count("individual", row, hits),
                    "/",
                    traced_count("individual", row, of),
                    "; ",
                ]
                item += [*_bounds(traced_estimate("individual", row, metric, digits)), ")"]
            items.append(item)
        said += ["; for " if n else "for ", Name(label), " ", *listed(items)]
    return [*said, "."]


def optimism_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say what is left of the Youden index after correction, where the judged set chose its own cut-off."""
    if main_cutoff(evaluation, evaluation.main_set) == "locked":
        return []
    frame = rows_of(evaluation.optimism, set=evaluation.main_set, metric="youden")
    known = frame[frame["corrected"].notna()]
    if not len(known) or len(known) > _SPELT_OUT:
        return []
    digits = digits_of(evaluation)
    items: list[list[Fragment]] = [
        [
            "from ", traced_number("optimism", row, "apparent", digits), " to ",
            traced_number("optimism", row, "corrected", digits), " for ", Name(row["label"]), " with ",
            Name(row["model"]),
        ]
        for _, row in known.iterrows()
    ]  # fmt: skip
    return ["Corrected for this optimism by bootstrap, the Youden index fell ", *listed(items), "."]


def overall_sentence(
    evaluation: Evaluation, metrics: tuple[str, ...] = ("macro_auc", "macro_f1")
) -> list[Fragment]:
    """Give the chosen overall metrics of each model, with the difference where there are two models."""
    kind = main_cutoff(evaluation, evaluation.main_set)
    frame = rows_of(evaluation.overall, set=evaluation.main_set, cutoff=kind)
    frame = frame[frame[list(metrics)].notna().all(axis=1)]
    if not len(frame) or len(frame) > _SPELT_OUT:
        return []
    digits = digits_of(evaluation)
    said: list[Fragment] = ["Over all labels, "]
    for at, metric in enumerate(metrics):
        items: list[list[Fragment]] = [
            [*traced_estimate("overall", row, metric, digits), " with ", Name(row["model"])]
            for _, row in frame.iterrows()
        ]
        called = metric_name(metric)
        said += ["; the " if at else "the ", called[0].lower() + called[1:], " was ", *listed(items)]
        compared = rows_of(evaluation.overall_differences, set=evaluation.main_set, metric=metric)
        compared = compared[compared["cutoff"].isin(["", kind])]
        if len(compared) == 1 and pd.notna(compared.iloc[0]["p_value"]):
            row = compared.iloc[0]
            said += [" (difference "]
            said += _unbracketed(traced_estimate("overall_differences", row, "difference", digits, prefix=""))
            said += ["; ", traced_p("overall_differences", row), ")"]
    return [*said, "."]


def overfitting_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say how far the AUCs moved between the set that gave the cut-offs (or was trained on) and the judged one."""
    said: list[Fragment] = []
    digits, alpha = digits_of(evaluation), evaluation.settings["alpha"]
    frame = evaluation.overfitting
    for earlier in dict.fromkeys(frame["set_a"]):
        tested = rows_of(frame, set_a=earlier)
        tested = tested[tested["p_holm"].notna()]
        if not len(tested):
            continue
        where = {"set_a": earlier}
        lost = tested[(tested["p_holm"] < alpha) & (tested["difference"] > 0)]
        said += [
            " " if said else "",
            "Between the ",
            Name(earlier),
            " and the ",
            Name(evaluation.main_set),
            " set, ",
        ]
        if len(lost):
            said += [counted("overfitting", lost, "p_holm", **where, p_holm=f"< {alpha:g}", difference="> 0")]
            said += [" of ", counted("overfitting", tested, "p_holm", **where)]
            said += [" AUCs fell significantly (adjusted p), a sign of over-fitting or of other patients"]
        else:
            said += ["none of ", counted("overfitting", tested, "p_holm", **where)]
            said += [" AUCs fell significantly (smallest adjusted "]
            said += [extreme("overfitting", tested, "p_holm", "smallest", None, **where), ")"]
        said += ["; the intervals allow a loss of up to "]
        said += [extreme("overfitting", tested, "ci_high", "largest", digits, **where), "."]
    return said


def interaction_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say whether the AUCs depend on the stratum."""
    judged = rows_of(evaluation.interaction, set=evaluation.main_set)
    digits, alpha = digits_of(evaluation), evaluation.settings["alpha"]
    said: list[Fragment] = []
    for variable in dict.fromkeys(judged["variable"]):
        tested = rows_of(judged, variable=variable)
        tested = tested[tested["p_holm"].notna()]
        if not len(tested):
            continue
        first = tested.iloc[0]
        where = {"set": evaluation.main_set, "variable": variable}
        found = tested[tested["p_holm"] < alpha]
        said += [" " if said else ""]
        if variable == "size_mm":
            said += ["Lesions ", Name(first["stratum_a"]), " and ", Name(first["stratum_b"]), ": "]
        else:
            said += ["Strata of ", Name(variable), ": "]
        number = counted("interaction", tested, "p_holm", **where)
        tests = " tests of interaction"
        if len(tested) == 1:
            said += ["the one test of interaction was ", "" if len(found) else "not ", "significant ("]
            said += [traced_p("interaction", first), ")."]
        elif len(found):
            said += [counted("interaction", found, "p_holm", **where, p_holm=f"< {alpha:g}"), " of ", number]
            said += [
                tests,
                " was" if len(found) == 1 else " were",
                " significant: ",
                *_interactions(found, digits),
            ]
            said.append(".")
        else:
            said += ["none of ", number, tests, " was significant (smallest adjusted "]
            said += [extreme("interaction", tested, "p_holm", "smallest", None, **where), ")."]
    return said


def sample_size_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say for how many AUCs the patients suffice, by each method."""
    judged = rows_of(evaluation.sample_size, set=evaluation.main_set)
    known = judged[judged["required_total"].notna()]
    if not len(known):
        return []
    names = {"obuchowski": "Obuchowski’s method", "hanley-mcneil": "Hanley and McNeil’s method"}
    items: list[list[Fragment]] = []
    for method, rows in parts(known, "method", list(dict.fromkeys(known["method"]))):
        enough = rows[rows["adequate"].astype(bool)]
        where = {"set": evaluation.main_set, "method": method}
        items.append(
            [
                counted("sample_size", enough, "adequate", **where, adequate="True"), " of ",
                counted("sample_size", rows, "adequate", **where),
                " AUC by " if len(rows) == 1 else " AUCs by ", names.get(method, method),
            ]
        )  # fmt: skip
    settings = evaluation.settings
    return [
        "The patients that a test against an AUC of ", traced_setting(settings, "null_auc"), " needs at the observed "
        "AUC (power ", traced_setting(settings, "power", f"{settings['power']:.0%}"), ", two-sided level ",
        traced_setting(settings, "alpha"), ") were reached for ", *listed(items), ".",
    ]  # fmt: skip


def _auc_range(evaluation: Evaluation, judged: pd.DataFrame) -> list[Fragment]:
    known = judged[judged["auc"].notna()]
    if not len(known):
        return ["No AUC could be computed."]
    digits = digits_of(evaluation)
    ends: list[list[Fragment]] = []
    ordered = known.sort_values("auc", kind="stable")
    for row in (ordered.iloc[0], ordered.iloc[-1]):
        ends.append(
            [
                *traced_estimate("individual", row, "auc", digits, level=interval_level(evaluation)),
                " (", Name(row["model"]), " for ", Name(row["label"]), ")",
            ]
        )  # fmt: skip
    return ["AUCs ranged from ", *ends[0], " to ", *ends[1], "."]


def _interactions(found: pd.DataFrame, digits: int) -> list[Fragment]:
    """Name the significant interactions; of more than two strata there is no one difference."""
    items: list[list[Fragment]] = []
    for _, row in found.head(_SPELT_OUT).iterrows():
        what: list[Fragment] = (
            ["the macro AUC"] if row["label"] == "macro" else ["the AUC for ", Name(row["label"])]
        )
        model = str(row["model"]).replace(" - ", " − ")
        item = [*what, " with ", Name(model), " ("]
        if pd.notna(row["difference"]):
            item += ["first less second "]
            item += _unbracketed(traced_estimate("interaction", row, "difference", digits, prefix=""))
            item += ["; "]
        items.append([*item, "adjusted ", traced_p("interaction", row, "p_holm"), ")"])
    return listed(items)


def _bounds(fragments: list[Fragment]) -> list[Fragment]:
    """Return the interval alone of a traced estimate."""
    return fragments[2:3] if len(fragments) > 1 else ["no interval"]


def _unbracketed(fragments: list[Fragment]) -> list[Fragment]:
    """Return a traced estimate as ``0.05, −0.02 to 0.12``, for use inside brackets."""
    return [fragments[0], ", ", fragments[2]] if len(fragments) > 1 else fragments

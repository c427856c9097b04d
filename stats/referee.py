"""What a statistical referee would raise about an evaluation, said before the referee does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from .origin import says_reconstructed

__all__ = ["referee_warnings"]

# Fewer events than this in a class make any interval of its proportions too wide to use.
FEW_EVENTS = 10
# Above this AUC the Wald interval covers clearly less than it says.
NEAR_ONE = 0.9
# Names of the formulas of sample size, as running text has them.
FORMULAS = {"obuchowski": "Obuchowski", "hanley-mcneil": "Hanley and McNeil"}

Warning_ = dict[str, str]


def referee_warnings(
    frames: Mapping[str, pd.DataFrame],
    *,
    settings: Mapping[str, Any],
    main_set: str,
    cutoff_set: str | None,
    sets: tuple[str, ...],
    ties: Mapping[tuple[str, str, str, str], int],
    origins: Sequence[str] = (),
) -> list[Warning_]:
    """List what a referee would raise, worst first.

    Parameters
    ----------
    frames : mapping of name to table
        Those of an `Evaluation`.
    settings : mapping
        Its settings.
    main_set : str
    cutoff_set : str or None
    sets : tuple of str
    ties : mapping
        (set, label, model, kind of cut-off) to the number of equally good cut-offs.
    origins : sequence of str
        What the column ``origin`` of the predictions says.

    Returns
    -------
    list of dict
        ``kind``, ``where`` (set/label/model as far as it applies) and ``message``.
    """
    found: list[Warning_] = []
    found += _about_origin(origins)
    found += _about_cutoffs(main_set, cutoff_set, sets)
    found += _about_classes(frames["cohort"], cutoff_set)
    found += _about_direction(frames["individual"], main_set)
    found += _about_many_tests(frames["comparisons"], main_set)
    found += _about_sample_size(frames["sample_size"], main_set)
    found += _about_strata(frames["strata"], main_set)
    found += _about_overfitting(frames["overfitting"])
    found += _about_calibration(frames["calibration"])
    found += _about_clusters(settings)
    found += _about_missing(frames["cohort"])
    found += _about_wald(frames["individual"], main_set)
    found += _about_ties(ties, main_set, cutoff_set)
    found += _about_probabilities(frames["calibration"])
    return _ranked(found, frames["individual"], main_set)


def _ranked(found: list[Warning_], individual: pd.DataFrame, main_set: str) -> list[Warning_]:
    """Put the caveat about power after the event last, unless nothing but the sample size speaks of enough patients.

    An interval above 0.5 shows that the patients sufficed for that.
    """
    judged = individual[individual["set"] == main_set]
    if not (judged["auc_ci_low"] > 0.5).any():
        return found
    return sorted(found, key=lambda warning: warning["kind"] == "post-hoc-power")


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())


def _warning(kind: str, where: str, message: str) -> Warning_:
    return {"kind": kind, "where": where, "message": message}


def _about_origin(origins: Sequence[str]) -> Iterator[Warning_]:
    if says_reconstructed(origins):
        yield _warning(
            "reconstruction",
            "",
            "Labels and scores were reconstructed from a published table: one of many data sets behind the same "
            "figures. Counts, AUCs and their tests are the study's, as far as its table is consistent; calibration, "
            "net benefit and intervals of means over labels are those of this data set alone.",
        )


def _about_cutoffs(main_set: str, cutoff_set: str | None, sets: tuple[str, ...]) -> Iterator[Warning_]:
    if cutoff_set is not None:
        return
    other = [name for name in sets if name != main_set]
    yield _warning(
        "cut-off-on-judged-set",
        main_set,
        f"The cut-offs were chosen on {main_set}, the set that they are judged on: sensitivity, specificity and "
        "everything else at the cut-off flatter the models. "
        + ("No other set was named to take the cut-offs from. " if other else "There is only one set. ")
        + "Read the bootstrap-corrected values, and find the cut-offs on a validation set.",
    )


def _about_classes(cohort: pd.DataFrame, cutoff_set: str | None) -> Iterator[Warning_]:
    for row in _rows(cohort):
        where = f"{row.set}/{row.label}"
        if row.n_pos + row.n_neg == 0:
            yield _warning(
                "no-labels",
                where,
                f"No patient of {row.set} has both a label and a score for {row.label}: nothing can be said there"
                + (", and no cut-off can be found." if row.set == cutoff_set else "."),
            )
        elif min(row.n_pos, row.n_neg) == 0:
            yield _warning(
                "one-class",
                where,
                f"{row.label} has one class only in {row.set} ({row.n_pos} positives, {row.n_neg} negatives): "
                "no AUC exists there" + (", and no cut-off can be found." if row.set == cutoff_set else "."),
            )
        elif min(row.n_pos, row.n_neg) < FEW_EVENTS:
            rarer = "positives" if row.n_pos < row.n_neg else "negatives"
            yield _warning(
                "few-events",
                where,
                f"{row.label} has only {min(row.n_pos, row.n_neg)} {rarer} in {row.set}; intervals that rest on "
                "them are wide, their nominal level is approximate, and DeLong's test rejects too often.",
            )


def _about_direction(individual: pd.DataFrame, main_set: str) -> Iterator[Warning_]:
    judged = individual[individual["set"] == main_set].drop_duplicates(["label", "model"])
    for row in _rows(judged):
        if row.auc_ci_high < 0.5:
            yield _warning(
                "auc-below-half",
                f"{row.set}/{row.label}/{row.model}",
                f"The AUC of {row.model} for {row.label} is {row.auc:.3f}, its whole interval below 0.5: are the "
                "scores or the labels reversed? The direction is never changed here, since choosing it by the "
                "data would lift every AUC.",
            )


def _about_many_tests(comparisons: pd.DataFrame, main_set: str) -> Iterator[Warning_]:
    judged = comparisons[comparisons["set"] == main_set]
    tested = judged[judged["p_value"].notna()]
    if len(tested) < 2:
        return
    lost = tested[(tested["p_value"] < 0.05) & (tested["p_holm"] >= 0.05)]
    names = ", ".join(f"{row.model_a} against {row.model_b} for {row.label}" for row in _rows(lost))
    yield _warning(
        "many-comparisons",
        main_set,
        f"{len(tested)} comparisons of AUCs were made; with no true difference, the chance that at least one "
        f"has p < 0.05 is up to {1.0 - 0.95 ** len(tested):.0%}. Report the Holm-adjusted p-values and all "
        "comparisons"
        + (f". No longer below 0.05 after adjustment: {names}." if names else ", not the best alone."),
    )


def _about_sample_size(sample_size: pd.DataFrame, main_set: str) -> Iterator[Warning_]:
    judged = sample_size[(sample_size["set"] == main_set) & (sample_size["note"] == "")]
    short = judged[~judged["adequate"].fillna(True).astype(bool)]
    for (label, model), rows in short.groupby(["label", "model"], sort=False):
        first = rows.iloc[0]
        methods = " and of ".join(FORMULAS.get(method, method) for method in rows["method"])
        yield _warning(
            "sample-too-small",
            f"{main_set}/{label}/{model}",
            f"{first.n_pos} positives and {first.n_neg} negatives are fewer than a test of AUC = 0.5 needs at "
            f"the observed AUC of {first.auc:.3f}, by the formula{'s' if len(rows) > 1 else ''} of {methods}.",
        )
    if len(judged):
        yield _warning(
            "post-hoc-power",
            main_set,
            "A sample size computed from the observed AUC restates the p-value: it cannot show that the study "
            "was planned large enough. Give the AUC that was assumed before the data were seen.",
        )


def _about_strata(strata: pd.DataFrame, main_set: str) -> Iterator[Warning_]:
    judged = strata[(strata["set"] == main_set) & (strata["label"] != "macro")]
    for (variable, stratum, label), rows in judged.groupby(["variable", "stratum", "label"], sort=False):
        fewest = int(rows[["n_pos", "n_neg"]].min(axis=1).min())
        if fewest < FEW_EVENTS:
            called = stratum if variable == "size_mm" else f"{variable} {stratum}"
            yield _warning(
                "small-stratum",
                f"{main_set}/{label}/{called}",
                f"The stratum {called} has a class of only {fewest} for {label}: its AUC says little, and "
                "that models rank differently within it may be chance. Read the interaction test instead.",
            )


def _about_overfitting(overfitting: pd.DataFrame) -> Iterator[Warning_]:
    tested = overfitting[overfitting["p_value"].notna()]
    for (set_a, set_b), rows in tested.groupby(["set_a", "set_b"], sort=False):
        quiet = rows[rows["p_value"] >= 0.05]
        if len(quiet):
            widest = float(quiet["ci_high"].max())
            yield _warning(
                "absence-of-evidence",
                f"{set_a} against {set_b}",
                f"AUCs that do not differ significantly between {set_a} and {set_b} do not prove the absence of "
                f"over-fitting: the intervals still allow a loss of up to {widest:.3f}.",
            )


def _about_calibration(calibration: pd.DataFrame) -> Iterator[Warning_]:
    off = calibration[(calibration["slope_ci_low"] > 1.0) | (calibration["slope_ci_high"] < 1.0)]
    for (name, label), rows in off.groupby(["set", "label"], sort=False):
        each = [
            f"{row.model} {row.slope:.2f} ({row.slope_ci_low:.2f} to {row.slope_ci_high:.2f}), "
            + ("too extreme" if row.slope < 1.0 else "too moderate")
            for row in _rows(rows)
        ]
        yield _warning(
            "miscalibrated",
            f"{name}/{label}",
            f"The interval of the calibration slope for {label} excludes 1, so that the predictions spread too far or "
            f"too little: {'; '.join(each)}. They may rank patients well and still must not be read as risks; "
            "recalibrate them on other patients than those judged.",
        )


def _about_probabilities(calibration: pd.DataFrame) -> Iterator[Warning_]:
    refused = calibration[calibration["note"].str.contains("no probabilities", regex=False)]
    for name, rows in refused.groupby("set", sort=False):
        models = list(dict.fromkeys(rows["model"]))
        yield _warning(
            "not-probabilities",
            f"{name}/{', '.join(models)}",
            f"Scores of {', '.join(models)} lie outside [0, 1]: they are no probabilities, and neither calibration nor "
            "net benefit was judged. Nothing is rescaled in silence; if the scores are logits, give the probabilities.",
        )


def _about_clusters(settings: Mapping[str, Any]) -> Iterator[Warning_]:
    if settings["clustered"]:
        yield _warning(
            "clustered",
            "",
            "Several lesions come from one patient. AUCs and their tests allow for that (Obuchowski 1997), and "
            "so does the bootstrap; the Wilson intervals at the cut-off do not and are too narrow.",
        )


def _about_missing(cohort: pd.DataFrame) -> Iterator[Warning_]:
    for row in _rows(cohort[cohort["n_missing"] > 0]):
        yield _warning(
            "missing-labels",
            f"{row.set}/{row.label}",
            f"{row.n_missing} of {row.n_patients} patients of {row.set} have no {row.label}; they are left out "
            "of its figures. Say why they are missing.",
        )


def _about_wald(individual: pd.DataFrame, main_set: str) -> Iterator[Warning_]:
    judged = individual[individual["set"] == main_set].drop_duplicates(["label", "model"])
    for row in _rows(judged[judged["auc"] > NEAR_ONE]):
        yield _warning(
            "interval-near-one",
            f"{row.set}/{row.label}/{row.model}",
            f"Near an AUC of 1 DeLong's interval covers less than it says; prefer the logit interval "
            f"({row.auc_logit_ci_low:.3f} to {row.auc_logit_ci_high:.3f}) for {row.model} and {row.label}.",
        )


def _about_ties(
    ties: Mapping[tuple[str, str, str, str], int], main_set: str, cutoff_set: str | None
) -> Iterator[Warning_]:
    kind = "same-set" if cutoff_set is None else "locked"
    for (name, label, model, which), count in ties.items():
        if name == main_set and which == kind and count > 1:
            yield _warning(
                "tied-cut-offs",
                f"{cutoff_set or main_set}/{label}/{model}",
                f"{count} cut-offs of {model} for {label} have the same Youden index; the lowest, which is the "
                "most sensitive, was taken.",
            )

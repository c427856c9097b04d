"""The Methods paragraph: what was computed and how, written from the settings that were in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .captions import interval_level, one_unnamed_set
from .page_table import rows_of
from .probability_sentences import calibration_methods, paired_accuracy_methods
from .traced_cells import traced_count, traced_setting
from .traced_text import Cite, Fragment, Name, Traced, listed

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["methods_fragments"]


def methods_fragments(evaluation: Evaluation) -> list[Fragment]:
    """Return the paragraph as fragments; what was not done is not mentioned."""
    sentences = [
        _data(evaluation),
        _discrimination(evaluation),
        _cutoffs(evaluation),
        _comparisons(evaluation),
        paired_accuracy_methods(evaluation),
        _overall(evaluation),
        calibration_methods(evaluation),
        _overfitting(evaluation),
        _strata(evaluation),
        _sample_size(evaluation),
        _software(evaluation),
    ]
    joined: list[Fragment] = []
    for sentence in sentences:
        if sentence:
            joined += [" ", *sentence] if joined else sentence
    return joined


def _data(evaluation: Evaluation) -> list[Fragment]:
    sets: list[list[Fragment]] = []
    for name in evaluation.sets:
        first = rows_of(evaluation.cohort, set=name).iloc[0]
        sets.append(
            ["the ", Name(name), " set (n = ", traced_count("cohort", first, "n_patients"), ")"]
        )  # fmt: skip
    models = listed([[Name(model)] for model in evaluation.models])
    labels = listed([[Name(label)] for label in evaluation.labels])
    if one_unnamed_set(evaluation):
        sets = [[traced_count("cohort", evaluation.cohort.iloc[0], "n_patients"), " patients"]]
    said: list[Fragment] = [
        "The predictions of ",
        *models,
        " for ",
        *labels,
        " were evaluated in ",
        *listed(sets),
    ]
    if len(evaluation.sets) > 1:
        said += ["; the ", Name(evaluation.main_set), " set is the one that is judged"]
    said.append("; higher scores mean more positive.")
    if evaluation.cohort["n_missing"].sum() > 0:
        said.append(" Patients without a label were left out of that label’s figures.")
    return said


def _discrimination(evaluation: Evaluation) -> list[Fragment]:
    level = _confidence(evaluation)
    said: list[Fragment] = [
        "Discrimination was measured by the area under the receiver operating characteristic curve (AUC), with ",
        level,
    ]
    if evaluation.settings["clustered"]:
        said += [" confidence intervals from the variance for clustered data "]
        said += [Cite(("obuchowski-clustered",)), ", since patients had several lesions"]
    else:
        said += [" confidence intervals from DeLong’s variance ", Cite(("delong", "sun-xu"))]
    return [*said, "; the interval on the logit scale ", Cite(("qin-hotilovac",)), " is given beside it."]


def _cutoffs(evaluation: Evaluation) -> list[Fragment]:
    said: list[Fragment] = [
        "For each label and model the cut-off was the score that maximised the Youden index "
    ]
    said += [Cite(("youden",))]
    if evaluation.cutoff_set is not None:
        said += [
            " in the ",
            Name(evaluation.cutoff_set),
            " set (the lowest of equally good ones); it was locked",
        ]
        said += [" and then applied unchanged to the other sets"]
    else:
        said += [
            " (the lowest of equally good ones) in the set that it was judged on, for want of another one; the"
        ]
        said += [" resulting optimism was estimated by "]
        said += [_replicates(evaluation), " bootstrap replicates ", Cite(("harrell",))]
    said += [". Scores at or above the cut-off were called positive. Accuracy, sensitivity, specificity and "]
    return [
        *said,
        "predictive values carry Wilson intervals ",
        Cite(("wilson",)),
        ", each on its own denominator.",
    ]


def _comparisons(evaluation: Evaluation) -> list[Fragment]:
    judged = rows_of(evaluation.comparisons, set=evaluation.main_set)
    tested = judged[judged["p_value"].notna()]
    if not len(tested):
        return []
    clustered = evaluation.settings["clustered"]
    test = "the test for clustered correlated AUCs " if clustered else "DeLong’s test for correlated AUCs "
    said: list[Fragment] = ["Models were compared on the same patients by ", test]
    said += [Cite(("obuchowski-clustered",) if clustered else ("delong",))]
    family = traced_count("comparisons", tested.iloc[0], "family")
    if len(tested) > 1:
        said += ["; p-values were adjusted by Holm’s method ", Cite(("holm",)), " for the ", family]
        said += [" comparisons of labels and models within a set"]
    else:
        said += ["; only ", family, " comparison was made in a set, so none was adjusted"]
    return [*said, "."]


def _overall(evaluation: Evaluation) -> list[Fragment]:
    if not len(evaluation.overall):
        return []
    said: list[Fragment] = [
        "Performance over all labels was summarised by macro and micro averages ",
        Cite(("zhang-zhou",)),
        ", macro accuracy being the mean over labels of TP / (TP + FP + FN)",
        ", with bias-corrected and accelerated intervals from ",
        _replicates(evaluation),
        " bootstrap replicates ",
        Cite(("efron-tibshirani",)),
        " in which patients were resampled whole",
    ]
    if len(evaluation.overall_differences):
        said += [
            " and all models were evaluated on the same replicates; these comparisons were not corrected"
        ]
        said += [" for the number of metrics"]
    return [*said, "."]


def _overfitting(evaluation: Evaluation) -> list[Fragment]:
    frame = evaluation.overfitting
    if not len(frame):
        return []
    earlier: list[list[Fragment]] = [[Name(name)] for name in dict.fromkeys(frame["set_a"])]
    return [
        "To look for over-fitting, AUCs of the ", *listed(earlier), " set", "s" if len(earlier) > 1 else "",
        " were compared with those of the ", Name(evaluation.main_set),
        " set by the test for independent samples, with Welch’s degrees of freedom ", Cite(("delong", "proc")),
        " and Holm’s correction ", Cite(("holm",)), ".",
    ]  # fmt: skip


def _strata(evaluation: Evaluation) -> list[Fragment]:
    frame = evaluation.strata
    if not len(frame):
        return []
    said: list[Fragment] = []
    variables = list(dict.fromkeys(frame["variable"]))
    if "size_mm" in variables:
        said += ["Lesions were divided by their largest diameter at "]
        said += [traced_setting(evaluation.settings, "size_threshold_mm"), " mm (equal counts as small)"]
    others: list[list[Fragment]] = [[Name(name)] for name in variables if name != "size_mm"]
    if others:
        said += ["; patients were also" if said else "Patients were", " divided by ", *listed(others)]
    said += ["; whether an AUC, or the difference of two models, depends on the stratum was tested by the"]
    return [*said, " interaction, again with Holm’s correction ", Cite(("holm",)), "."]


def _sample_size(evaluation: Evaluation) -> list[Fragment]:
    if not evaluation.sample_size["required_total"].notna().any():
        return []
    settings = evaluation.settings
    return [
        "The numbers of patients needed to tell the observed AUC from ", traced_setting(settings, "null_auc"),
        " with a power of ", traced_setting(settings, "power", f"{settings['power']:.0%}"),
        " at a two-sided level of ", traced_setting(settings, "alpha"),
        " were computed by the methods of Obuchowski ", Cite(("obuchowski-size",)), " and of Hanley and McNeil ",
        Cite(("hanley-mcneil",)), " at the observed ratio of negatives to positives.",
    ]  # fmt: skip


def _software(evaluation: Evaluation) -> list[Fragment]:
    versions: list[list[Fragment]] = [
        [f"{'Python' if name == 'python' else name} ", Traced(text, "provenance", name)]
        for name, text in (("python", evaluation.provenance["python"]), *_packages(evaluation))
    ]
    return [
        "A two-sided p below ", traced_setting(evaluation.settings, "alpha"), " was called significant. Analyses "
        "were made with biomark ", Traced(str(evaluation.provenance["biomark"]), "provenance", "biomark"), " (",
        *listed(versions, last=", "), "), seed ",
        Traced(str(evaluation.settings["seed"]), "settings", "seed"), ".",
    ]  # fmt: skip


def _packages(evaluation: Evaluation) -> list[tuple[str, str]]:
    wanted = ("numpy", "scipy", "statsmodels")
    packages = evaluation.provenance["packages"]
    return [(name, str(packages[name])) for name in wanted if name in packages]


def _confidence(evaluation: Evaluation) -> Traced:
    return Traced(interval_level(evaluation).removesuffix(" CI"), "settings", "confidence")


def _replicates(evaluation: Evaluation) -> Traced:
    return traced_setting(evaluation.settings, "n_boot")

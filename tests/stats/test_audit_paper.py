"""The seed paper's tables, transcribed as printed: what the general rules find there, by kind and place."""

import copy
from pathlib import Path
from random import Random

import pytest
import yaml
from biomark import stats
from biomark.errors import InputFileError

PUBLISHED = Path(__file__).parents[2] / "examples" / "huang2024" / "published.yaml"


@pytest.fixture(scope="module")
def findings():
    return stats.audit(PUBLISHED)


def places(findings, kind, weights=("proven", "likely")):
    return {finding.where for finding in findings if finding.kind == kind and finding.weight in weights}


def test_the_specificities_of_two_models_are_exchanged(findings):
    assert {"test/multi-task/HER2/spec", "test/single-task/HER2/spec"} <= places(
        findings, "swapped-rows", ["proven"]
    )


def test_a_specificity_has_one_wrong_digit(findings):
    assert places(findings, "misprint") == {"validation/single-task/PR/spec"}
    said = next(finding for finding in findings if finding.kind == "misprint")
    assert said.message == "0.637 cannot be; 0.737 would fit"


def test_intervals_of_sensitivity_and_specificity_stand_on_all_patients(findings):
    wrong = places(findings, "wrong-denominator")
    assert {where for where in wrong if where.startswith("test/")} == {
        f"test/{model}/{label}/{metric}"
        for model in ("multi-task", "single-task")
        for label in ("ER", "PR", "HER2")
        for metric in ("sen", "spec")
    }
    assert len(wrong) == 23
    assert not any(where.endswith("/acc") for where in wrong)


def test_intervals_of_means_are_binomial(findings):
    invalid = places(findings, "invalid-interval-method")
    assert {where.split("/")[0] for where in invalid} == {"validation", "test"}
    assert {where.rsplit("/", 1)[1] for where in invalid} == {"auc", "acc", "precision", "recall", "f1"}
    # The intervals of the AUCs of single labels are DeLong's.
    assert all(where.count("/") == 2 for where in invalid)


def test_macro_recalls_of_two_models_are_exchanged_and_a_macro_auc_is_off(findings):
    assert {"validation/multi-task/recall", "validation/single-task/recall"} <= places(
        findings, "swapped-rows"
    )
    assert places(findings, "macro-mismatch") == {"validation/multi-task/auc"}


def test_four_intervals_are_not_centred_where_the_others_are(findings):
    assert places(findings, "asymmetric-interval") == {
        "validation/multi-task/HER2/auc", "validation/multi-task/recall",
        "test/single-task/acc", "test/single-task/f1",
    }  # fmt: skip


def test_sums_and_statements_contradict_each_other(findings):
    assert places(findings, "sum-mismatch") == {
        "all patients/ER", "all patients/PR", "all patients/HER2", "test/HER2", "test/HER2/sample_size", "baseline/BMI"
    }  # fmt: skip


def test_the_sample_size_for_her2_took_the_classes_the_other_way_round(findings):
    assert "test/HER2/sample_size" in places(findings, "swapped-rows")


def test_p_values_of_the_baseline_table_do_not_follow(findings):
    assert {"baseline/ER/p", "baseline/PR/p"} <= places(findings, "swapped-rows")
    assert places(findings, "p-value-inconsistent", ["worth asking"]) == {
        "baseline/BMI/p", "baseline/Family history/p", "baseline/HER2/p", "baseline/Menopause/p",
    }  # fmt: skip


def test_the_paired_p_values_are_possible(findings):
    assert not any(
        finding.kind == "p-value-inconsistent" and "baseline" not in finding.where for finding in findings
    )


def test_the_example_page_names_every_finding(findings):
    page = (PUBLISHED.parent / "README.md").read_text(encoding="utf-8")
    for finding in findings:
        place, metric = finding.where.rsplit("/", 1)
        if (
            finding.kind in ("wrong-denominator", "invalid-interval-method")
            or finding.weight == "worth asking"
        ):
            continue
        assert f"{place}/{metric}" in page or metric in page, finding.where


def test_the_intervals_of_the_example_page_are_wilsons():
    page = (PUBLISHED.parent / "README.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if " of " in line and line.count("|") == 7]
    assert len(rows) == 18
    for _, _, _, counts, _, ours in rows:
        k, n = (int(number) for number in counts.split(" of "))
        low, high = stats.proportion_ci(k, n)
        assert ours.rstrip(" |") == f"{k / n:.3f} ({low:.3f} to {high:.3f})"


STRANGE = (
    "0",
    "1",
    "1.000",
    "100%",
    "<0.001",
    ">0.9",
    "0.45",
    "-0.1",
    "99999",
    0,
    1,
    10**6,
    None,
    {},
    [],
    "0.5",
)


def places_in(part, path=()):
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places_in(value, (*path, key))


def test_strange_figures_are_refused_or_audited_and_nothing_else_happens():
    base = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))
    every = list(places_in(base))
    random = Random(8)
    audited = 0
    for _ in range(30):
        published = copy.deepcopy(base)
        *way, last = random.choice(every)
        part = published
        for key in way:
            part = part[key]
        part[last] = random.choice(STRANGE)
        try:
            stats.audit(published)
            audited += 1
        except InputFileError:
            pass
    assert 5 < audited < 30

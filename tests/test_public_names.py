"""The names that scripts rely on are there, listed, and say what they are."""

import importlib
import inspect
from pathlib import Path

import biomark
import pytest

ROOT = Path(biomark.__file__).parent
PACKAGES = {
    "biomark": {"Evaluation", "Predictions", "evaluate", "read_predictions", "stats", "viz", "zoo"},
    "biomark.stats": {
        "AucComparison",
        "AucEstimate",
        "AucSampleSize",
        "Cutoff",
        "MultilabelMetrics",
        "OperatingPoint",
        "RocCurve",
        "auc",
        "auc_ci",
        "auc_power",
        "auc_sample_size",
        "bootstrap_test",
        "delong_covariance",
        "delong_test",
        "delong_test_unpaired",
        "holm",
        "interaction_test",
        "multilabel_ci",
        "multilabel_metrics",
        "operating_point",
        "optimal_cutoff",
        "paired_auc_power",
        "paired_auc_sample_size",
        "partial_auc",
        "permutation_test",
        "roc_curve",
        "stratify",
        "venkatraman_test",
    },
}


def modules():
    for package in ("stats", "viz"):
        for path in sorted((ROOT / package).glob("*.py")):
            if path.stem != "__init__":
                yield f"biomark.{package}.{path.stem}"


@pytest.mark.parametrize("package", PACKAGES)
def test_promised_names_are_exported(package):
    module = importlib.import_module(package)
    assert PACKAGES[package] <= set(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there_and_documented(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert list(module.__all__) == sorted(module.__all__, key=lambda name: (not name.isupper(), name))
    for name in module.__all__:
        value = getattr(module, name)
        assert isinstance(value, str) or inspect.getdoc(value), name


@pytest.mark.parametrize("name", list(modules()))
def test_a_module_says_what_it_is_and_lists_what_is_there(name):
    module = importlib.import_module(name)
    assert inspect.getdoc(module)
    for exported in module.__all__:
        assert hasattr(module, exported), exported


def test_the_statistics_export_all_that_their_front_door_imports():
    module = importlib.import_module("biomark.stats")
    imported = {
        name for name, value in vars(module).items() if name[0] != "_" and not inspect.ismodule(value)
    }
    assert imported == set(module.__all__)


def test_dir_of_biomark_is_its_public_names():
    assert dir(biomark) == sorted(biomark.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'biomark' has no attribute 'nothing'"):
        _ = biomark.nothing


@pytest.mark.parametrize(
    "name", ["auc_ci", "delong_test", "optimal_cutoff", "operating_point", "multilabel_ci"]
)
def test_options_are_keyword_only(name):
    parameters = inspect.signature(getattr(biomark.stats, name)).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters if p.default is not p.empty)

"""The places that repeat a version agree."""

import re
import tomllib
from pathlib import Path

import biomark
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def pins():
    return {line.split("==")[0] for line in CONSTRAINTS}


def test_constraints_hold_exact_versions_and_no_addresses():
    for line in CONSTRAINTS:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+!]*( ; .+)?", line), line
        assert "://" not in line


def test_every_dependency_is_pinned_and_has_a_lower_bound():
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]
    for requirement in wanted:
        name, bound = re.fullmatch(r"([A-Za-z0-9-]+)(.*)", requirement).groups()
        assert bound.startswith(">="), requirement
        assert name.lower() in pins(), requirement


def test_pre_commit_uses_the_pinned_tools():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    used = [pin for hook in hooks for pin in hook.get("additional_dependencies", [])]
    assert any(pin.startswith("ruff==") for pin in used)
    assert set(used) <= set(CONSTRAINTS)


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["dynamic"] == ["version"]  # biomark.__version__ is its one home
    assert biomark.__version__ == citation["version"]


def test_citation_file_has_what_the_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_every_supported_python_has_a_pin(name):
    lines = [line for line in CONSTRAINTS if line.startswith(f"{name}==")]
    markers = {line.partition(" ; ")[2] for line in lines}
    assert markers in ({""}, {"python_full_version < '3.12'", "python_full_version >= '3.12'"})

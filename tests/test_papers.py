"""What the README and the other papers say is true of the tree."""

import doctest
import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAPERS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/**/*.md")
    for path in ROOT.glob(pattern)
)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def after_the_demo(tmp_path, monkeypatch):
    """A folder that holds the example's predictions where ``make demo`` puts them."""
    script = ROOT / "examples" / "breast_cohorts" / "make_predictions.py"
    spec = importlib.util.spec_from_file_location("make_predictions", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = pd.read_csv(ROOT / "tests" / "oracles" / "breast_cohorts_preds.csv.gz")
    (tmp_path / "demo").mkdir()
    module.tidy_table(stored).to_csv(tmp_path / "demo" / "preds.csv", index=False)
    monkeypatch.chdir(tmp_path)


def test_python_of_the_readme_prints_what_it_says(after_the_demo):
    found = blocks("pycon")
    assert len(found) >= 2
    test = doctest.DocTestParser().get_doctest("\n".join(found), {}, "README.md", "README.md", 0)
    shown = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    results = runner.run(test, out=shown.append)
    assert results.attempted >= 8
    assert results.failed == 0, "".join(shown)


def test_make_targets_of_the_papers_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        target
        for path in [*PAPERS, ROOT / ".pre-commit-config.yaml"]
        for target in re.findall(
            r"(?:^ *|`|entry: )make ([a-z]+)\b", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert {"demo", "test", "lint", "types"} <= named
    assert named <= targets


def test_report_options_of_the_papers_exist():
    from biomark.cli import cli

    known = {option for parameter in cli.commands["report"].params for option in parameter.opts}
    for path in PAPERS:
        for command in re.findall(r"biomark report ([^`\n]*)", path.read_text(encoding="utf-8")):
            assert set(re.findall(r"--[a-z-]+", command)) <= known, (path, command)


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_a_decision_is_short():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        number, title = re.match(r"# (\d+)\. (.+)\n", path.read_text(encoding="utf-8")).groups()
        assert int(number) == int(path.name[:4])
        assert re.sub(r"\W+", "-", title.lower()).startswith(path.stem[5:])
        assert len([line for line in path.read_text(encoding="utf-8").splitlines() if line]) <= 16


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the sdist has no .ci")
def test_ci_runs_what_the_readme_and_contributing_name():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (line,) = re.findall(r"^make (.+)$", script, re.MULTILINE)
    assert set(line.split()) == {"lint", "types", "demo", "test"}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0


def test_every_page_of_the_documentation_is_in_its_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert pages
    assert [page for page in pages if f"({page})" not in index] == []

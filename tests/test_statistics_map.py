"""docs/statistics.md names every function of biomark.stats, the file it is in, and a test that calls it."""

import inspect
import re
from pathlib import Path

import biomark
import pytest
from biomark import stats

ROOT = Path(biomark.__file__).parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
# What judges printed numbers, or makes data that fit them, instead of computing any.
NO_STATISTIC = {"audit", "read_published_table", "reconstruct"}
FUNCTIONS = {
    name: function
    for name in sorted(set(stats.__all__) - NO_STATISTIC)
    if inspect.isfunction(function := getattr(stats, name))
}


def test_every_function_stands_in_the_table_once():
    names = [row[0].strip("`") for row in ROWS]
    assert sorted(names) == sorted(FUNCTIONS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("`"))
def test_the_row_names_the_file_a_source_an_oracle_and_a_test_that_calls_the_function(row):
    name, file, source, oracle, test = row
    name = name.strip("`")
    assert ROOT / file.strip("`") == Path(inspect.getfile(FUNCTIONS[name]))
    assert source and oracle
    path = ROOT / test.strip("`")
    assert path.is_file(), f"{test} does not exist"
    assert re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")), f"{test} never mentions {name}"


def test_every_file_that_the_page_names_exists():
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:stats|tests)/[\w/.]+\.\w+)`", page)) | {
        f"docs/{link}" for link in re.findall(r"\]\(([\w.]+\.md)\)", page)
    }
    assert [file for file in sorted(named) if not (ROOT / file).is_file()] == []


def test_every_oracle_names_its_script_and_the_tests_that_read_it():
    folder = ROOT / "tests" / "oracles"
    rows = [
        line
        for line in (folder / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    scripts = {path.name for path in folder.iterdir() if path.suffix in {".R", ".py"}}
    assert set(re.findall(r"`(\w+\.(?:R|py))`", "\n".join(row.split("|")[1] for row in rows))) == scripts
    for path in folder.iterdir():
        if path.suffix in {".json", ".gz"} and not path.name.startswith("breast_cohorts_preds"):
            stem = path.name.split(".")[0]
            assert {f"{stem}.R", f"{stem}.py"} & scripts, f"no script makes {path.name}"
    named = {test for row in rows for test in re.findall(r"`(test_\w+)`", row.split("|")[3])}
    assert [name for name in sorted(named) if not (ROOT / "tests" / "stats" / f"{name}.py").is_file()] == []

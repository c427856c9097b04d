"""The page that puts the paper beside biomark: what it says is what is computed."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "huang2024"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("beside_the_paper", EXAMPLE / "beside_the_paper.py")
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses look for it.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    made = module.sections(n_boot=20)
    return (
        {section.title.partition(":")[0]: section for section in made},
        module.as_markdown(made),
        module.as_html(made),
    )


def test_the_stored_page_says_what_is_computed(written):
    """But for the bootstrap's intervals, of which fewer replicates are drawn here."""
    stored = (EXAMPLE / "beside_the_paper.md").read_text(encoding="utf-8")
    bare = re.compile(r"(\| macro [^|]*\|[^|]*\| \d\.\d{3}) \([^|]*\) \|")
    assert bare.sub(r"\1 |", stored) == bare.sub(r"\1 |", written[1])


def test_every_table_is_there_and_says_what_it_is_made_from(written):
    sections, _, _ = written
    assert list(sections)[:4] == ["Table 1", "Table 2", "Table 3", "Table 4"]
    assert {section.source for section in sections.values()} == {"SIMULATED", "COUNTS", "RECONSTRUCTION"}


def test_tables_3_and_4_differ_only_where_the_audit_says_so(written):
    sections, _, _ = written
    published = yaml.safe_load((EXAMPLE / "published.yaml").read_text(encoding="utf-8"))
    rows = [row for name in ("Table 3", "Table 4") for row in sections[name].rows]
    cells = sum(
        4 * len(one["rows"]) + 5 * len(one["macro"]) + len(one["comparisons"])
        for one in published["sets"].values()
    )
    assert len(rows) == cells
    assert {(row[0], row[1]) for row in rows if row[4] != "same"} == {
        ("validation, PR, single-task", "SPEC"),
        ("test, HER2, multi-task", "SPEC"),
        ("test, HER2, single-task", "SPEC"),
        ("validation, multi-task", "macro AUC"),
        ("validation, multi-task", "macro recall"),
        ("validation, single-task", "macro recall"),
    }


def test_the_page_needs_nothing_else_and_shows_text_as_text(written):
    page = written[2]
    assert "<script" not in page and "http:" not in page and "src=" not in page
    assert page.count("<table>") == len(written[0])

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "page",
    [
        "sample_size.md",
        "operating_point.md",
        "calibration.md",
        "decision_curve.md",
        "baseline.md",
        "audit.md",
        "predictions.md",
        "auc.md",
        "cutoffs.md",
        "explanation.md",
        "multilabel.md",
        "precision_recall.md",
        "strata.md",
        "tests_of_difference.md",
    ],
)
def test_code_on_the_page_prints_what_the_page_shows(page):
    blocks = re.findall(
        r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), flags=re.M | re.S
    )
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page, page, 0)
    assert len(session.examples) >= 10
    runner = doctest.DocTestRunner(verbose=False)
    report = []
    runner.run(session, out=report.append)
    assert runner.failures == 0, "".join(report)

"""The command line: each command parses, calls, prints. What it needs is imported once it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import __version__

__all__ = ["cli"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="biomark")
def cli() -> None:
    """Referee-proof statistics for predictions of binary biomarkers."""


# Where an option is not given, the default of `evaluate` holds: it has one home.
@cli.command()
@click.option(
    "--preds", required=True, metavar="FILE", help="Predictions: CSV, TSV or Parquet; - is standard input."
)
@click.option("--out", default="report", show_default=True, metavar="DIR", help="Folder of the report.")
@click.option(
    "--cutoff-from",
    metavar="SET",
    help="Set on which the cut-offs are found, to be locked and applied to the others.  [default: validation]",
)
@click.option(
    "--size-threshold",
    "size_threshold_mm",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MM",
    help="Lesions of at most this diameter are small.  [default: 15]",
)
@click.option(
    "--stratify-by",
    multiple=True,
    metavar="COLUMN[:T,...]",
    help="Another column to stratify by, a number with its thresholds (age:50,65). May be repeated.",
)
@click.option(
    "--n-boot", type=click.IntRange(min=2), metavar="N", help="Bootstrap replicates.  [default: 2000]"
)
@click.option(
    "--seed", "rng", type=click.IntRange(min=0), metavar="S", help="Of the bootstrap.  [default: 0]"
)
@click.option(
    "--confidence",
    type=click.FloatRange(min=0, max=1, min_open=True, max_open=True),
    metavar="C",
    help="Level of the intervals.  [default: 0.95]",
)
@click.option("--title", metavar="T", help="Title of the page.  [default: the name of the file]")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def report(preds: str, out: str, title: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Write the statistical report of a predictions file.

    DIR receives report.html, report.json and tables/, whole or not at all. An earlier report in it is replaced.
    """
    from .viz.report_folder import check_folder

    check_folder(out)
    from .stats.evaluation import evaluate
    from .stats.predictions import read_predictions
    from .viz.report import write_report
    from .viz.terminal import print_summary, progress_bar

    given = {name: value for name, value in options.items() if value not in (None, ())}
    with progress_bar(hidden=quiet) as tell:
        evaluation = evaluate(read_predictions(preds), progress=tell, **given)
        tell(1, 1, "writing the report")
        write_report(evaluation, out, title=title)
    if as_json:
        click.echo((Path(out) / "report.json").read_bytes(), nl=False)
    elif not quiet:
        print_summary(evaluation, out)


@cli.command()
@click.argument("table", metavar="TABLE.yaml")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--quiet", is_flag=True, help="Print nothing; the exit code alone tells whether the table was read."
)
def audit(table: str, as_json: bool, quiet: bool) -> None:
    """Search a published table for figures that cannot be.

    TABLE.yaml holds the figures as printed; - is standard input. docs/audit.md describes the format and the findings.
    """
    from .stats.auditing import audit as audit_table

    findings = audit_table(table)
    if as_json:
        import json

        click.echo(json.dumps([finding.to_dict() for finding in findings], indent=1, ensure_ascii=False))
    elif not quiet:
        from .viz.findings import print_findings

        print_findings(findings)

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
@click.option("--title", metavar="T", help="Title of the page.  [default: the labels and the models]")
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="DIR",
    help="Folder of a run that made the predictions: where it looks and what it has learnt; repeatable.",
)
@click.option("--cohort", metavar="COHORT.csv", help="With --run: the volumes.")
@click.option(
    "--viewers",
    "n_viewers",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --run: how many patients get a slice viewer.  [default: all of the judged set]",
)
@click.option(
    "--layer", metavar="NAME", help="With --run: of the heat maps.  [default: the encoder's last map]"
)
@click.option(
    "--device", default="auto", show_default=True, metavar="NAME", help="With --run: auto, cpu, cuda."
)
@click.option(
    "--figures",
    metavar="LIST",
    help="Also write the figures for paper, as svg, pdf, png or several with commas; a browser draws them.",
)
@click.option("--simulated", is_flag=True, help="Say on every page that the patients are simulated.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def report(
    preds: str, out: str, title: str | None, runs: tuple[str, ...], cohort: str | None, n_viewers: int | None,
    layer: str | None, device: str, figures: str | None, simulated: bool, as_json: bool, quiet: bool, **options: Any,
) -> None:  # fmt: skip
    """Write the statistical report of a predictions file.

    DIR receives report.html, report.json and tables/, whole or not at all; with --run also explanation/ and
    embedding/. An earlier report in it is replaced.
    """
    from .viz.report_folder import check_folder

    check_folder(out)
    if bool(runs) != bool(cohort):
        raise click.UsageError("--run and --cohort belong together")
    paper: tuple[str, ...] = ()
    if figures is not None:
        from .viz.figure_export import read_formats

        paper = read_formats(figures)
    if cohort is not None:
        from .viz.run_findings import check_runs, findings_of_runs

        check_runs(runs, cohort)
    from .stats.evaluation import evaluate
    from .stats.predictions import read_predictions
    from .viz.report import write_report
    from .viz.terminal import announce_time, print_summary, progress_bar

    given = {name: value for name, value in options.items() if value not in (None, ())}
    with progress_bar(hidden=quiet) as tell:
        predictions = read_predictions(preds)
        announce_time(predictions, given.get("n_boot"), tell, hidden=quiet)
        evaluation = evaluate(predictions, progress=tell, **given)
        networks = None
        if cohort is not None:
            networks = findings_of_runs(
                runs, cohort, set_name=evaluation.main_set, layer=layer, device=device, n_viewers=n_viewers,
                rng=evaluation.settings["seed"], progress=lambda what, done, total: tell(done, total, what),
            )  # fmt: skip
        tell(1, 1, "writing the report")
        write_report(evaluation, out, title=title, networks=networks, paper=paper, simulated=simulated)
    if as_json:
        click.echo((Path(out) / "report.json").read_bytes(), nl=False)
    elif not quiet:
        print_summary(evaluation, out)


@cli.command()
@click.option(
    "--out",
    default="biomark-demo",
    show_default=True,
    metavar="DIR",
    help="Folder of all that is made; empty or new.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="S", help="Of everything."
)
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def demo(out: str, seed: int, quiet: bool) -> None:
    """Walk the whole road on simulated data: cohort, check, two networks, predictions, report, export.

    Takes two to four minutes on two processor cores. Everything in DIR is simulated and says so.
    """
    from .viz.demonstration import demonstrate
    from .viz.terminal import print_demonstration
    from .viz.training_terminal import stage_bar

    with stage_bar(hidden=quiet) as tell:
        made = demonstrate(out, seed=seed, progress=tell)
    if not quiet:
        print_demonstration(made)


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


def _best_auc(context: click.Context, option: click.Parameter, value: str) -> float | dict[str, float]:
    """Return a number, or one for each label."""
    try:
        if "=" not in value:
            return float(value)
        return {label.strip(): float(auc) for label, auc in (part.split("=") for part in value.split(","))}
    except ValueError:
        raise click.BadParameter(
            f"expected A, or LABEL=A,LABEL=A, found {value!r}", context, option
        ) from None


@cli.command()
@click.option("--out", required=True, metavar="DIR", help="Folder of the cohort; made by this command.")
@click.option(
    "--patients", type=click.IntRange(min=8), default=96, show_default=True, metavar="N", help="How many."
)
@click.option(
    "--best-auc",
    callback=_best_auc,
    default="0.95",
    show_default=True,
    metavar="A|LABEL=A,...",
    help="The best AUC that an image allows, 0.5 to 0.999, of all labels or of each (ER=0.9,PR=0.8,HER2=0.5); 0.5 is "
    "the control, whose labels have no effect.",
)
@click.option(
    "--scanner", is_flag=True, help="Voxels of a scanner (0.20 x 0.073 x 0.48 mm); takes seven times as long."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="S", help="Of the simulation."
)
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def phantom(
    out: str, patients: int, best_auc: float | dict[str, float], scanner: bool, seed: int, quiet: bool
) -> None:
    """Simulate a cohort of 3D breast ultrasound whose best possible AUC is known.

    DIR receives volumes, masks, cohort.csv and a README that says that all of it is simulated.
    """
    from .viz.training_terminal import counting_bar
    from .zoo import PhantomGrid, write_phantom_cohort

    with counting_bar("simulating", hidden=quiet) as tell:
        made = write_phantom_cohort(
            out,
            patients=patients,
            best_auc=best_auc,
            grid=PhantomGrid.scanner() if scanner else None,
            seed=seed,
            progress=tell,
        )
    if not quiet:
        click.echo(str(made))


def labels_option(command: Any) -> Any:
    """Add the option that names labels other than the usual ones."""
    option = click.option(
        "--label",
        "labels",
        multiple=True,
        metavar="COLUMN",
        help="Repeatable.  [default: those of ER, PR, HER2]",
    )
    return option(command)


@cli.command()
@click.argument("cohort", metavar="COHORT.csv")
@labels_option
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing; the exit code tells.")
@click.pass_context
def check(context: click.Context, cohort: str, labels: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """List every problem of a cohort before any hour is spent on it. Exit code 1 where there are errors."""
    from .viz.training_terminal import counting_bar, print_frame
    from .zoo import check_cohort

    with counting_bar("reading volumes", hidden=quiet) as tell:
        found = check_cohort(cohort, labels=labels or None, progress=tell)
    if as_json:
        click.echo(found.problems.to_json(orient="records", indent=1))
    elif not quiet:
        if len(found.problems):
            print_frame(found.problems)
        click.echo(str(found).splitlines()[0])
    if not found.ok:
        context.exit(1)


@cli.command()
@click.argument("cohort", metavar="COHORT.csv")
@click.option("--out", required=True, metavar="FILE", help="Where the table with its new sets is written.")
@click.option("--folds", type=click.IntRange(min=2), metavar="K", help="A column of K folds instead of sets.")
@click.option("--only", metavar="SET", help="With --folds: divide this set alone.")
@labels_option
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="S", help="Of the draw."
)
@click.option("--quiet", is_flag=True, help="Print nothing.")
def split(
    cohort: str,
    out: str,
    folds: int | None,
    only: str | None,
    labels: tuple[str, ...],
    seed: int,
    quiet: bool,
) -> None:
    """Divide patients into train, validation and test (62, 15 and 23 in 100), with the same mix of labels in each."""
    from .zoo import fold_cohort, read_cohort, split_cohort

    table = read_cohort(cohort, labels=labels or None)
    divided = (
        split_cohort(table, rng=seed)
        if folds is None
        else fold_cohort(table, folds=folds, rng=seed, only=only)
    )
    divided.write(out)
    if not quiet:
        column = "set" if folds is None else "fold"
        counted = divided.frame[column].value_counts(sort=False)
        names = divided.sets if folds is None else [str(fold + 1) for fold in range(folds)]
        click.echo(f"{', '.join(f'{column} {name}: {counted[name]}' for name in names)}; written to {out}")


def training_options(command: Any) -> Any:
    """Add the options that `train` and `cross-validate` share."""
    options = (
        click.option("--cohort", metavar="COHORT.csv", help="The cohort; a --config may name it instead."),
        click.option(
            "--task", type=click.Choice(["single-task", "multi-task"]), help="[default: multi-task]"
        ),
        click.option("--model", metavar="NAME", help="See biomark zoo list.  [default: resnet50_3d]"),
        click.option(
            "--config", metavar="FILE", help="Settings as YAML, or 'paper'; options given here go before it."
        ),
        click.option("--out", metavar="DIR", help="Folder of the run.  [default: runs/<task>-<model>]"),
        click.option(
            "--resume",
            is_flag=True,
            help="Go on where a stopped run in DIR left off, as if it had never stopped.",
        ),
        labels_option,
        click.option("--epochs", type=click.IntRange(min=1), metavar="N"),
        click.option("--batch-size", type=click.IntRange(min=1), metavar="N"),
        click.option(
            "--patience",
            type=click.IntRange(min=1),
            metavar="N",
            help="Stop after N epochs without a better one.",
        ),
        click.option(
            "--size", type=click.IntRange(min=8), metavar="N", help="Side of the volumes in voxels."
        ),
        click.option("--seed", type=click.IntRange(min=0), metavar="S"),
        click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1.  [default: auto]"),
        click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON."),
        click.option("--quiet", is_flag=True, help="Show neither progress nor a summary."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@training_options
def train(
    config: str | None, resume: bool, size: int | None, labels: tuple[str, ...], as_json: bool, quiet: bool,
    **settings: Any,
) -> None:  # fmt: skip
    """Train a network on a cohort; the best epoch is chosen on the validation set's macro AUC.

    The folder of the run receives weights, metrics, a model card, and curves.html.
    """
    from .viz.training_page import write_training_page
    from .viz.training_terminal import print_run, training_bar
    from .zoo.process_group import is_first
    from .zoo.training import train as train_network
    from .zoo.training_config import read_config

    resolved = read_config(config, size=size, labels=labels or None, **settings)
    with training_bar(hidden=quiet or not is_first()) as tell:
        run = train_network(resolved, progress=tell, resume=resume)
    if not is_first():
        return
    write_training_page([run.folder])
    if as_json:
        import json

        click.echo(json.dumps(run.to_dict(), indent=1))
    elif not quiet:
        print_run(run)


@cli.command("cross-validate")
@training_options
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="K",
    help="Make K folds.  [default: those of the cohort's column fold]",
)
@click.option("--name", metavar="NAME", help="Of the model in the table.  [default: the task]")
def cross_validate(
    config: str | None, resume: bool, size: int | None, labels: tuple[str, ...], folds: int | None, name: str | None,
    as_json: bool, quiet: bool, **settings: Any,
) -> None:  # fmt: skip
    """Train a network for each fold on the other folds, and predict every patient by the one that never saw him.

    The folder receives a run for each fold, and preds.csv for biomark report.
    """
    from .viz.training_page import write_training_page
    from .viz.training_terminal import fold_bar, print_cross_validation
    from .zoo.cross_validation import cross_validate as train_folds
    from .zoo.process_group import is_first
    from .zoo.training_config import read_config

    resolved = read_config(config, size=size, labels=labels or None, **settings)
    with fold_bar(hidden=quiet or not is_first()) as tell:
        found = train_folds(resolved, folds=folds, name=name, resume=resume, progress=tell)
    if not is_first():
        return
    for run in found.runs.values():
        write_training_page([run.folder])
    if as_json:
        import json

        click.echo(json.dumps({fold: run.to_dict() for fold, run in found.runs.items()}, indent=1))
    elif not quiet:
        print_cross_validation(found)


@cli.command()
@click.argument("runs", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--out", metavar="FILE", help="[default: curves.html in the run's folder, or beside the first of several]"
)
@click.option("--title", default="Training curves", show_default=True, metavar="T")
@click.option("--simulated", is_flag=True, help="Say on the page that the patients are simulated.")
@click.option("--quiet", is_flag=True, help="Print nothing.")
def curves(runs: tuple[str, ...], out: str | None, title: str, simulated: bool, quiet: bool) -> None:
    """Draw the epochs of runs, finished or not: loss, AUC, Dice, learning rate, speed."""
    from .viz.training_page import write_training_page

    made = write_training_page(runs, out, title=title, simulated=simulated)
    if not quiet:
        click.echo(f"The curves: {made}")


@cli.command()
@click.option(
    "--cohort",
    required=True,
    metavar="COHORT.csv",
    help="Every patient of it is predicted, whatever the set.",
)
@click.option("--run", "runs", multiple=True, metavar="DIR", help="Folder of a run; several are averaged.")
@click.option("--torchscript", metavar="FILE", help="An exported network instead of runs.")
@click.option("--out", required=True, metavar="FILE", help="The predictions table, ready for biomark report.")
@click.option("--name", metavar="NAME", help="Of the model in the table.  [default: the run's task]")
@click.option("--weights", "which", type=click.Choice(["best", "last"]), default="best", show_default=True)
@click.option("--flips", is_flag=True, help="Average over mirror images.")
@click.option(
    "--segmentations", metavar="DIR", help="Also write the lesions' masks, with Dice and Hausdorff distances."
)
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True, metavar="N")
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda, cuda:1.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def predict(cohort: str, out: str, quiet: bool, **options: Any) -> None:
    """Predict a cohort with trained networks."""
    from .viz.training_terminal import stage_bar
    from .zoo.prediction import predict as predict_cohort
    from .zoo.process_group import is_first

    with stage_bar(hidden=quiet or not is_first()) as tell:
        predict_cohort(cohort, out=out, progress=tell, **options)
    if is_first() and not quiet:
        click.echo(f"The predictions: {out}")


@cli.command()
@click.option("--run", required=True, metavar="DIR", help="Folder of the run.")
@click.option("--out", required=True, metavar="FILE", help="The file to write.")
@click.option(
    "--format",
    type=click.Choice(["torchscript", "torch-export", "onnx"]),
    default="torchscript",
    show_default=True,
)
@click.option("--weights", "which", type=click.Choice(["best", "last"]), default="best", show_default=True)
@click.option("--quiet", is_flag=True, help="Print nothing.")
def export(run: str, out: str, quiet: bool, **options: Any) -> None:
    """Write a trained network as one file, read it back, and say how far its outputs are from the network's."""
    from .zoo.exporting import export as export_network

    made = export_network(run, out, **options)
    if not quiet:
        click.echo(str(made))


@cli.command()
@click.option(
    "--run", "runs", required=True, multiple=True, metavar="DIR", help="Folder of a run; repeatable."
)
@click.option("--cohort", required=True, metavar="COHORT.csv")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Repeatable.  [default: all]")
@click.option("--patients", metavar="ID,ID", help="[default: all of the set]")
@click.option("--set", "set_name", metavar="SET", help="[default: test, or all where there is none]")
@click.option("--layer", metavar="NAME", help="Of the networks.  [default: the encoder's last map]")
@click.option("--negative", is_flag=True, help="Explain what speaks against the labels.")
@click.option("--out", default="explanation", show_default=True, metavar="DIR")
@click.option("--simulated", is_flag=True, help="Say on every page that the volumes are simulated.")
@click.option("--weights", "which", type=click.Choice(["best", "last"]), default="best", show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda, cuda:1.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def explain(
    runs: tuple[str, ...], cohort: str, labels: tuple[str, ...], patients: str | None, set_name: str | None,
    layer: str | None, negative: bool, out: str, simulated: bool, which: str, device: str, quiet: bool,
) -> None:  # fmt: skip
    """Show where trained networks look (Grad-CAM++), and measure whether it is the lesion.

    DIR receives index.html, a slice viewer per patient, the figure of cases, and the numbers.
    """
    from .viz.report_folder import check_folder

    check_folder(out)
    from .viz.attention import attention_in_words
    from .viz.explained_runs import read_runs
    from .viz.explaining import explain as explain_models
    from .viz.explanation_folder import write_explanation
    from .viz.training_terminal import stage_bar

    names = [name.strip() for name in patients.split(",") if name.strip()] if patients else []
    with stage_bar(hidden=quiet) as tell:
        read = read_runs(
            runs, cohort, patients=names, set_name=set_name, which=which, device=device, progress=tell
        )
        found = explain_models(
            read.models,
            read.cases(),
            labels=labels or read.labels,
            layer=layer,
            negative=negative,
            progress=tell,
        )
        write_explanation(found, out, simulated=simulated or read.simulated)
    if not quiet:
        for one in found.attention.values():
            click.echo("\n".join(attention_in_words(one)))
        click.echo(f"The explanation: {Path(out) / 'index.html'}")


@cli.command()
@click.option(
    "--run", "runs", required=True, multiple=True, metavar="DIR", help="Folder of a run; repeatable."
)
@click.option("--cohort", required=True, metavar="COHORT.csv")
@click.option("--patients", metavar="ID,ID", help="[default: all of the set]")
@click.option("--set", "set_name", metavar="SET", help="[default: test, or all where there is none]")
@click.option("--out", default="embedding", show_default=True, metavar="DIR")
@click.option("--perplexity", type=click.FloatRange(min=1), default=30.0, show_default=True, metavar="P")
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=80.0,
    show_default=True,
    metavar="R",
)
@click.option("--umap", "with_umap", is_flag=True, help="Also show UMAP; needs biomark[umap].")
@click.option("--seed", "rng", type=click.IntRange(min=0), default=0, show_default=True, metavar="S")
@click.option("--simulated", is_flag=True, help="Say on the page that the patients are simulated.")
@click.option("--weights", "which", type=click.Choice(["best", "last"]), default="best", show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda, cuda:1.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def embed(
    runs: tuple[str, ...], cohort: str, patients: str | None, set_name: str | None, out: str, perplexity: float,
    learning_rate: float, with_umap: bool, rng: int, simulated: bool, which: str, device: str, quiet: bool,
) -> None:  # fmt: skip
    """Show the features of trained networks by t-SNE and PCA, and measure how well they separate each label."""
    from .viz.report_folder import check_folder

    check_folder(out)
    from .viz.embedding import separation_in_words
    from .viz.embedding_of_runs import embed as embed_features
    from .viz.embedding_of_runs import features_of_runs, write_embeddings
    from .viz.explained_runs import read_runs
    from .viz.training_terminal import stage_bar

    names = [name.strip() for name in patients.split(",") if name.strip()] if patients else []
    with stage_bar(hidden=quiet) as tell:
        read = read_runs(
            runs, cohort, patients=names, set_name=set_name, which=which, device=device, progress=tell
        )
        found = embed_features(
            features_of_runs(read, progress=tell),
            {label: read.y_true(label) for label in read.labels},
            read.patient_id,
            perplexity=perplexity,
            learning_rate=learning_rate,
            with_umap=with_umap,
            rng=rng,
            progress=tell,
        )
        note = f"Patients of the set {read.set_name}." if read.set_name else ""
        write_embeddings(found, out, simulated=simulated or read.simulated, note=note)
    if not quiet:
        for (model, label), measured in found.separations.items():
            click.echo(f"{model}, {label}: {separation_in_words(measured)}")
        click.echo(f"The embedding: {Path(out) / 'embedding.html'}")


@cli.group()
def zoo() -> None:
    """Know the networks."""


@zoo.command("list")
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def list_networks(names: tuple[str, ...], as_json: bool) -> None:
    """List the networks: parameters, operations at 128 cubed, features. MODEL may be timm3d/<name>."""
    from .viz.training_terminal import print_models
    from .zoo import model_table

    table = model_table(names or None)
    if as_json:
        click.echo(table.to_json(orient="records", indent=1))
    else:
        print_models(table)


@cli.command()
@click.argument("table", metavar="TABLE.yaml")
@click.option("--set", "name", metavar="SET", help="Which set; needed where the table has several.")
@click.option("--out", required=True, metavar="FILE.csv", help="Where the predictions go.")
@click.option(
    "--seed",
    "rng",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="S",
    help="Of the search.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print every printed figure beside the found one as JSON."
)
@click.option("--quiet", is_flag=True, help="Show neither progress nor a summary.")
def reconstruct(table: str, name: str | None, out: str, rng: int, as_json: bool, quiet: bool) -> None:
    """Search predictions that agree with everything printed of a set.

    TABLE.yaml is a published table as `audit` reads it. FILE.csv is a predictions table for `report`, labelled as a
    reconstruction in its column origin; it is one of many data sets behind the same figures.
    """
    from .stats.reconstruction import reconstruct as reconstruct_set
    from .viz.agreement import print_agreement
    from .viz.terminal import progress_bar

    with progress_bar(hidden=quiet) as tell:
        found = reconstruct_set(table, set=name, rng=rng, progress=tell)
    found.to_csv(out)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    elif not quiet:
        print_agreement(found, out)

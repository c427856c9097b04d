"""The report: one self-contained page, and the folder with the tables and the numbers beside it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .captions import cutoff_label, main_cutoff, one_unnamed_set, set_heading, settings_in_words
from .figure_group import FigureGroup
from .interval_mark import line_sample
from .number_format import count
from .origin import evaluation_is_simulated
from .page_assets import asset, csp_hash, json_for_script, page_environment, plotly_js
from .page_figures import page_figures
from .probability_tables import unjudged_scores
from .prose import findings, headline, manuscript
from .report_figures import FIGURES, fill_figures, outdated_figures, paper_figures
from .report_folder import replace_folder
from .report_networks import (
    files_of_networks,
    fill_networks,
    network_frames,
    network_record,
    network_sections,
    network_tables,
)
from .tables import labelled, main_tables, possible_files, write_tables
from .theme import DARK, LIGHT, dark_counterparts, model_styles

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation
    from .run_findings import RunFindings

__all__ = ["report_html", "write_report"]


def write_report(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    figures: bool = True,
    networks: RunFindings | None = None,
    paper: Sequence[str] = (),
    simulated: bool = False,
) -> None:
    """Write the report's folder: ``report.html``, ``tables/`` and ``report.json``, whole or not at all.

    With ``networks`` the page tells where they look and what they have learnt, and ``explanation/`` (a slice viewer
    for each patient) and ``embedding/`` lie beside it.

    Parameters
    ----------
    evaluation : Evaluation
    path : path
        The folder; it is made where it does not exist. An earlier report in it is replaced once the new one
        is complete, other files in it are left alone.
    title : str, optional
        Title of the page.
    figures : bool
        Whether the page holds the interactive figures (and with them the 4.8 MB of plotly.js).
    networks : RunFindings, optional
        What `biomark.viz.findings_of_runs` found of the networks that made the predictions.
    paper : sequence of "svg", "pdf" and "png"
        Also write the figures of the judged set at the width of a journal's column into ``figures/``; a browser draws
        them.
    simulated : bool
        Say on every page, table and figure that the patients are simulated. Data whose column ``origin`` says so are
        labelled in any case.

    Raises
    ------
    BiomarkError
        If ``path`` is a file, or figures for paper are asked for and no browser is found.
    OSError
        If the folder cannot be written; an earlier report is then still whole.
    """
    simulated = simulated or _is_simulated(evaluation, networks)
    outdated = [f"tables/{name}" for name in possible_files(evaluation)]
    outdated += files_of_networks(path) + outdated_figures(path)
    with replace_folder(path, outdated=outdated) as folder:
        viewers = None if networks is None else fill_networks(networks, folder, simulated=simulated)
        page = report_html(
            evaluation, title=title, figures=figures, networks=networks, viewers=viewers, simulated=simulated
        )
        (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
        write_tables(
            evaluation,
            folder / "tables",
            more=() if networks is None else network_tables(networks),
            frames={} if networks is None else network_frames(networks),
            simulated=simulated,
        )
        if paper:
            _write_figures(evaluation, networks, folder / FIGURES, paper, simulated)
        further = None if networks is None else {"networks": network_record(networks, simulated=simulated)}
        evaluation.to_json(folder / "report.json", further=further)


def report_html(
    evaluation: Evaluation,
    *,
    title: str | None = None,
    figures: bool = True,
    networks: RunFindings | None = None,
    viewers: Mapping[str, str] | None = None,
    simulated: bool = False,
) -> str:
    """Return the report as one HTML page that needs no network.

    Parameters
    ----------
    evaluation : Evaluation
    title : str, optional
        By default the labels and the models.
    figures : bool
        Whether the page holds the interactive figures.
    networks : RunFindings, optional
        What was found of the networks that made the predictions.
    viewers : mapping of patient to address, optional
        The slice viewers in the folder ``explanation``, where there is one beside the page.
    simulated : bool
        Say that the patients are simulated; data whose column ``origin`` says so are labelled in any case.

    Returns
    -------
    str
        The same evaluation and title give the same text; the date in it is that of the evaluation.

    Notes
    -----
    Every string from a file is escaped where it enters HTML, JSON and Plotly. A content security policy
    allows the page's own scripts by their hashes and nothing from elsewhere.
    """
    simulated = simulated or _is_simulated(evaluation, networks)
    groups = page_figures(evaluation) if figures else {}
    sections = None
    if networks is not None:
        sections = network_sections(networks, viewers=viewers, figures=figures, simulated=simulated)
        groups |= sections.groups
    written = manuscript(evaluation, networks=networks, simulated=simulated)
    scripts = {"page": asset("shown_figure.js") + asset("report.js")}
    if groups:
        scripts["plotly"] = plotly_js()
    data = {
        "groups": [_group_data(group) for group in groups.values()],
        "models": list(evaluation.models),
        "dark": dark_counterparts(),
        "copy": {"methods": written.methods.text, "results": written.results.text, "both": written.text},
    }
    tables = main_tables(evaluation, simulated=simulated)
    if sections is not None:
        tables |= {name: labelled(table, simulated) for name, table in sections.tables.items()}
    context = {
        "title": title or _default_title(evaluation),
        "simulated": simulated,
        "evaluation": evaluation,
        "judged": _judged(evaluation),
        "cutoffs": cutoff_label(evaluation, main_cutoff(evaluation, evaluation.main_set)),
        "tables": tables,
        "networks": sections,
        "unjudged": unjudged_scores(evaluation),
        "headline": headline(evaluation),
        "findings": findings(evaluation)
        + ([sections.finding] if sections is not None and sections.finding is not None else []),
        "manuscript": written,
        "groups": groups,
        "keys": {model: line_sample(style) for model, style in model_styles(evaluation.models).items()},
        "command": _command(evaluation, title, networks, simulated),
        "input_name": _input_name(evaluation),
        "settings": settings_in_words(evaluation),
        "css": Markup(asset("marks.css") + asset("report.css")),
        "light": Markup(LIGHT.css()),
        "dark": Markup(DARK.css()),
        "data": Markup(json_for_script(data)),
        "scripts": {name: Markup(text) for name, text in scripts.items()},
        "hashes": [csp_hash(text) for text in scripts.values()],
    }
    return page_environment().get_template("report.html.j2").render(context) + "\n"


def _write_figures(
    evaluation: Evaluation, networks: RunFindings | None, folder: Path, paper: Sequence[str], simulated: bool
) -> None:
    groups, cases = page_figures(evaluation), {}
    if networks is not None:
        sections = network_sections(networks, simulated=simulated)
        groups |= sections.groups
        cases = {label: str(drawing) for label, drawing in sections.cases.items()}
    figures = paper_figures(groups, evaluation.main_set, simulated=simulated)
    fill_figures(figures, cases, folder, paper)


def _is_simulated(evaluation: Evaluation, networks: RunFindings | None) -> bool:
    return evaluation_is_simulated(evaluation) or (networks is not None and networks.simulated)


def _default_title(evaluation: Evaluation) -> str:
    labels, models = _listed(evaluation.labels, "labels"), _listed(evaluation.models, "models")
    return f"{labels} predicted by {models}"


def _judged(evaluation: Evaluation) -> str:
    heading = set_heading(evaluation, evaluation.main_set, role=False)
    return heading if one_unnamed_set(evaluation) else f"the {heading}"


def _listed(names: tuple[str, ...], called: str) -> str:
    """Return the names in a row, or how many there are where they are too long for a title."""
    text = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return text if len(text) <= 60 or len(names) == 1 else f"{count(len(names))} {called}"


def _input_name(evaluation: Evaluation) -> str:
    """Return the file's name without its folder, which is of no use on another machine."""
    return PurePath(str(evaluation.provenance["input"]["name"])).name


def _group_data(group: FigureGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "sets": list(group.sets),
        "panels": [
            {
                "id": panel.name,
                "figures": [panel.figures.get(name) for name in group.sets],
                "alternatives": [panel.alternatives.get(name) for name in group.sets],
            }
            for panel in group.panels
        ],
    }


def _command(evaluation: Evaluation, title: str | None, networks: RunFindings | None, simulated: bool) -> str:
    """Return the command line that makes the same report again."""
    settings = evaluation.settings
    words = ["biomark", "report", "--preds", _input_name(evaluation)]
    if settings["cutoff_from"] is not None:
        words += ["--cutoff-from", str(settings["cutoff_from"])]
    words += ["--size-threshold", f"{settings['size_threshold_mm']:g}"]
    for column in settings["stratify_by"]:
        words += ["--stratify-by", column]
    words += ["--n-boot", str(settings["n_boot"])]
    words += ["--seed", str(settings["seed"]), "--confidence", f"{settings['confidence']:g}"]
    words += ["--title", title] if title else []
    if networks is not None:
        words += [word for run in networks.runs for word in ("--run", run)] + ["--cohort", networks.cohort]
    words += ["--simulated"] if simulated else []
    return shlex.join(words)

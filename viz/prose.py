"""Methods, Results and findings of an evaluation in words, every number traced to its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import results_sentences as sentences
from .headline import flattering_sentence, headline_sentences
from .methods_paragraph import methods_fragments
from .network_sentences import network_methods, network_results
from .origin import SIMULATED_SENTENCE
from .probability_sentences import calibration_sentence
from .traced_text import Fragment, Paragraph, reference_list

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation
    from .run_findings import RunFindings

__all__ = ["Finding", "Manuscript", "findings", "headline", "manuscript"]


@dataclass(frozen=True, slots=True)
class Manuscript:
    """What goes into the paper.

    Attributes
    ----------
    methods, results : Paragraph
    references : list of str
        In the order of their numbers.
    """

    methods: Paragraph
    results: Paragraph
    references: list[str]

    @property
    def text(self) -> str:
        """Both paragraphs with the numbered references, as plain text."""
        numbered = [f"{at}. {entry}" for at, entry in enumerate(self.references, start=1)]
        return "\n\n".join([self.methods.text, self.results.text, "\n".join(numbered)])


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the first screen: what it is about, and what was found."""

    topic: str
    paragraph: Paragraph


def manuscript(
    evaluation: Evaluation, *, networks: RunFindings | None = None, simulated: bool = False
) -> Manuscript:
    """Write the Methods and the Results paragraph of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
    networks : RunFindings, optional
        What was found of the networks that made the predictions.
    simulated : bool
        Say first that the patients were simulated.

    Returns
    -------
    Manuscript
        Numbers are those of the tables, rounded as in the tables; only what was computed is described.
    """
    methods = tuple(methods_fragments(evaluation))
    if networks is not None:
        methods += tuple(network_methods(networks))
    methods = (SIMULATED_SENTENCE, *methods) if simulated else methods
    numbering = tuple(Paragraph(methods).cited)
    results = _joined(
        [
            sentences.cohort_sentence(evaluation),
            sentences.auc_sentences(evaluation),
            sentences.comparison_sentence(evaluation),
            sentences.operating_sentences(evaluation),
            sentences.optimism_sentence(evaluation),
            sentences.overall_sentence(evaluation),
            calibration_sentence(evaluation),
            sentences.overfitting_sentence(evaluation),
            sentences.interaction_sentence(evaluation),
            sentences.sample_size_sentence(evaluation),
        ]
    )
    if networks is not None:
        results += tuple(network_results(networks))
    return Manuscript(Paragraph(methods, numbering), Paragraph(results), reference_list(numbering))


def headline(evaluation: Evaluation) -> Paragraph:
    """Say first what was found: the AUCs, and what the main cut-offs made of them."""
    return Paragraph(tuple(headline_sentences(evaluation)))


def findings(evaluation: Evaluation) -> list[Finding]:
    """Say in a few lines what was found and how sure one can be; empty topics are left out."""
    told = {
        "Models compared": sentences.comparison_sentence(evaluation),
        "The same-set way": flattering_sentence(evaluation),
        "Optimism": sentences.optimism_sentence(evaluation),
        "All labels": sentences.overall_sentence(evaluation, ("macro_auc",)),
        "Over-fitting": sentences.overfitting_sentence(evaluation),
        "Strata": sentences.interaction_sentence(evaluation),
        "Sample size": sentences.sample_size_sentence(evaluation),
    }
    return [Finding(topic, Paragraph(tuple(said))) for topic, said in told.items() if said]


def _joined(parts: list[list[Fragment]]) -> tuple[Fragment, ...]:
    joined: list[Fragment] = []
    for part in parts:
        if part:
            joined += [" ", *part] if joined else part
    return tuple(joined)

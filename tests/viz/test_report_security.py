"""What comes from a file never becomes markup or script, and the page asks for nothing."""

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import pytest
from biomark.viz.control_characters import legible
from biomark.viz.report import report_html
from biomark.viz.theme import literal
from hypothesis import given
from hypothesis import strategies as st


class Page(HTMLParser):
    """The elements of a page, its scripts and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.styles, self.words = [], [], [], []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = tag
            (self.scripts if tag == "script" else self.styles).append("")

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "style":
            self.styles[-1] += data
        else:
            self.words.append(data)


@pytest.fixture(scope="module")
def hostile_text(evaluation_of, names):
    return report_html(evaluation_of("hostile"), title=f"{names.evil} & {names.markup}")


@pytest.fixture(scope="module")
def hostile(hostile_text):
    return Page(hostile_text)


@pytest.fixture(scope="module")
def harmless(evaluation_of):
    return Page(report_html(evaluation_of("three models"), title="harmless"))


def test_names_make_no_element_of_their_own(hostile, harmless):
    kinds = {tag for tag, _ in hostile.elements}
    assert kinds <= {tag for tag, _ in harmless.elements}
    assert not kinds & {"img", "iframe", "object", "embed", "b", "form", "base"}
    assert len(hostile.scripts) == 3


def test_no_element_has_a_handler(hostile):
    assert not [attrs for _, attrs in hostile.elements if any(name.startswith("on") for name in attrs)]


def test_names_are_shown_as_they_are_written(hostile, names):
    text = "".join(hostile.words)
    for name in (names.evil, names.long, names.right_to_left, names.markup, legible(names.override)):
        assert name in text
    assert "49" not in re.findall(r"%\{x\} (\d+)", text)


def test_no_character_that_reverses_text_reaches_the_page(hostile):
    assert not re.search("[\u202a-\u202e\u2028\u2029]", "".join(hostile.words))


def test_data_cannot_end_its_script_element(hostile, names):
    data = next(text for text in hostile.scripts if text.startswith("{"))
    assert not set(data) & set("<>&\u2028\u2029")
    assert json.loads(data)["models"] == [names.evil, names.long, names.override]


def test_policy_allows_the_own_scripts_by_hash_and_nothing_else(hostile):
    policy = next(
        attrs["content"]
        for tag, attrs in hostile.elements
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    code = [text for text in hostile.scripts if not text.startswith("{")]
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in code
    }
    assert set(rules["script-src"].split()) == hashes
    assert "connect-src" not in rules
    assert rules["base-uri"] == rules["form-action"] == "'none'"


def test_the_page_names_no_other_place(hostile):
    for tag, attrs in hostile.elements:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            target = attrs.get(name)
            assert target is None or target.startswith(("#", "data:,")), (tag, name, target)
    styles = "".join(hostile.styles)
    assert "url(" not in styles
    assert "@import" not in styles


def test_a_page_without_figures_is_small_and_has_no_plotly(evaluation_of):
    page = Page(report_html(evaluation_of("plain"), figures=False))
    assert len(page.scripts) == 2
    assert sum(map(len, page.scripts)) < 60_000
    assert not [attrs for tag, attrs in page.elements if attrs.get("class") == "plot"]


@given(st.text())
def test_plotly_gets_no_character_that_it_would_interpret(text):
    drawn = literal(text)
    assert not set(re.sub(r"&#\d+;", "", drawn)) & set("<>&%$")
    assert html.unescape(drawn) == legible(text)

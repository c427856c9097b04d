"""The report in headless Chromium: desktop and phone, light and dark, offline, by mouse and by keyboard."""

import itertools
import re
import time
from pathlib import Path

import pytest
from biomark.viz.prose import manuscript
from biomark.viz.report import report_html
from biomark.viz.theme import DARK, LIGHT

pytestmark = pytest.mark.browser

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LOOKS = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]
SCHEMES = {"light": LIGHT, "dark": DARK}
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


class Opened:
    """A page with all that it says and asks for."""

    def __init__(self, browser, path, size, scheme):
        width, height = SIZES[size]
        self.size, self.scheme = size, scheme
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, offline=True,
            has_touch=size == "phone", reduced_motion="reduce",
        )  # fmt: skip
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.said, self.asked = [], []
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = path.as_uri()
        self.page.goto(self.address)
        self.page.wait_for_selector("html[data-figures=ready]", timeout=120_000)

    def quiet(self):
        others = [url for url in self.asked if url != self.address and not url.startswith(("data:", "blob:"))]
        return self.said == [] and others == []


def opened_at(browser, tmp_path_factory, evaluation, size, scheme, **options):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report_html(evaluation, **options), encoding="utf-8")
    return Opened(browser, path, size, scheme)


@pytest.fixture(scope="module", params=LOOKS, ids="-".join)
def opened(request, browser, tmp_path_factory, evaluation_of):
    page = opened_at(browser, tmp_path_factory, evaluation_of("plain"), *request.param)
    yield page
    page.context.close()


@pytest.fixture(autouse=True)
def _silent_and_offline(request):
    yield
    if "opened" in request.fixturenames:
        page = request.getfixturevalue("opened")
        assert page.quiet(), (page.said, page.asked)


def until(page, condition):
    """Wait for a condition; Playwright's own wait compiles code in the page, which the policy forbids."""
    last = time.monotonic() + 120
    while not page.evaluate(condition):
        assert time.monotonic() < last, condition
        page.wait_for_timeout(20)


def traces(page, panel):
    """Return model, part and visibility of every trace of a plot."""
    return page.evaluate(
        "id => document.getElementById(id).data.map("
        "t => [(t.meta || {}).model || null, (t.meta || {}).part || null, t.visible])",
        panel,
    )


def drawn(page):
    return page.evaluate(
        """() => [...document.querySelectorAll('.plot.js-plotly-plot')].filter(p => p.checkVisibility()).map(plot => ({
            id: plot.id,
            wanted: plot.data.filter(t => t.visible === true && t.x.length).length,
            marks: plot.querySelectorAll('.scatterlayer .trace, .barlayer .trace').length,
            paths: plot.querySelectorAll('.scatterlayer path, .barlayer path').length,
            width: plot.querySelector('svg.main-svg').getBoundingClientRect().width,
            room: plot.clientWidth,
            paper: plot.layout.paper_bgcolor,
        }))"""
    )


def open_folds(page):
    """Open every fold and wait until the figures in it are drawn."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    until(
        page,
        "document.documentElement.dataset.figures === 'ready' && "
        "[...document.querySelectorAll('.plot')].every(p => p.querySelector('svg.main-svg') || p.textContent)",
    )


def close_folds(page):
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = false; })")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_every_figure_is_drawn(opened, evaluation_of):
    evaluation = evaluation_of("plain")
    found = drawn(opened.page)
    labels, models = len(evaluation.labels), len(evaluation.models)
    assert len(found) == labels + labels * models + labels + 1  # ROC, scores, strata with the macro AUC
    for plot in found:
        assert plot["marks"] == plot["wanted"] > 0, plot
        assert plot["paths"] > 0, plot
        assert abs(plot["width"] - plot["room"]) <= 1, plot
        assert plot["paper"] == SCHEMES[opened.scheme].paper, plot


FOLDS = {
    "baseline": 0, "calibration": 2, "decision": 2, "precision-recall": 0, "paired-accuracy": 0, "other-cutoffs": 0,
}  # fmt: skip


def in_fold(page, fold):
    """Return whether a fold is open, and the plots in it that are drawn."""
    until(page, "document.documentElement.dataset.figures === 'ready'")
    is_open = page.evaluate("id => document.getElementById(id).open", fold)
    inside = page.evaluate("id => [...document.querySelectorAll(`#${id} .plot`)].map(plot => plot.id)", fold)
    return is_open, [plot for plot in drawn(page) if plot["id"] in inside]


def test_what_was_in_the_first_report_stays_first_and_the_rest_folds(opened):
    page = opened.page
    sections = page.evaluate("[...document.querySelectorAll('main > section')].map(s => s.id)")
    assert sections[:3] == ["found", "read", "individual"]
    assert sections[-3:] == ["warnings", "further", "provenance"]
    folds = page.evaluate("[...document.querySelectorAll('.fold')].map(fold => [fold.id, fold.open])")
    assert folds == [[name, False] for name in FOLDS]
    told = page.evaluate("[...document.querySelectorAll('.fold > p:first-of-type')].map(p => p.textContent)")
    assert all("does not" in said for said in told)


@pytest.mark.parametrize("fold", ["baseline", "calibration", "decision", "other-cutoffs"])
def test_a_fold_opens_by_click_by_key_and_by_link(opened, fold):
    page, summary = opened.page, opened.page.locator(f"#{fold} > summary")

    def is_whole():
        until(page, f"document.getElementById('{fold}').open")
        if FOLDS[fold]:
            until(page, f"document.querySelectorAll('#{fold} .plot .main-svg').length > 0")
        found, plots = in_fold(page, fold)
        assert found
        assert len(plots) == FOLDS[fold]
        for plot in plots:
            assert plot["marks"] == plot["wanted"] > 0, plot
            assert plot["paths"] > 0
            assert abs(plot["width"] - plot["room"]) <= 1, plot
            assert plot["paper"] == SCHEMES[opened.scheme].paper
        assert page.locator(f"#{fold} table").first.is_visible()

    summary.click()
    is_whole()
    summary.focus()
    page.keyboard.press("Enter")
    assert in_fold(page, fold) == (False, [])
    page.keyboard.press("Space")
    is_whole()
    summary.click()
    page.evaluate("id => { location.hash = id; }", fold)
    is_whole()
    assert summary.is_visible()
    page.evaluate("history.replaceState(null, '', location.pathname); scrollTo(0, 0)")
    close_folds(page)


def test_a_link_to_a_fold_opens_the_page_there(browser, opened):
    if (opened.size, opened.scheme) != ("desktop", "light"):
        return
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.goto(f"{opened.address}#decision")
    until(page, "document.querySelectorAll('#decision .plot .main-svg').length > 0")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 1
    until(page, "Math.abs(document.getElementById('decision').getBoundingClientRect().top) < innerHeight")
    assert page.evaluate("document.querySelectorAll('#calibration .main-svg').length") == 0
    context.close()


def test_a_fold_opened_in_another_look_is_drawn_in_it(opened):
    page, other = opened.page, "dark" if opened.scheme == "light" else "light"
    page.evaluate("document.getElementById('calibration').open = true")
    until(page, "document.querySelectorAll('#calibration .plot .main-svg').length > 0")
    close_folds(page)
    page.locator("#theme").click()
    page.evaluate("document.getElementById('calibration').open = true")
    wanted = SCHEMES[other].paper
    until(page, f"document.getElementById('calibration-0').layout.paper_bgcolor === '{wanted}'")
    page.locator("[data-group=calibration] [data-part=bin]").uncheck()
    assert {part for _, part, shown in traces(page, "calibration-0") if shown is not True} == {"bin"}
    page.locator("[data-group=calibration] [data-part=bin]").check()
    close_folds(page)
    page.locator("#theme").click()


def test_no_horizontal_overflow_and_tables_scroll_in_their_boxes(opened):
    page = opened.page
    open_folds(page)
    assert overflow(page) <= 0
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('table')].map(table => {
            const box = table.parentElement;
            return [getComputedStyle(box).overflowX, box.getBoundingClientRect().right, innerWidth, box.tabIndex];
        })"""
    )
    assert len(boxes) >= 22
    for scrolls, right, width, tab_index in boxes:
        assert scrolls == "auto"
        assert right <= width
        assert tab_index == 0
    close_folds(page)


def test_numbers_of_the_tables_do_not_run_into_each_other(opened):
    page = opened.page
    open_folds(page)
    too_wide = page.evaluate(
        """() => [...document.querySelectorAll('td, th:not([scope=rowgroup])')].filter(cell => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            const [text, box] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
            return text.width > 0 && (text.right > box.right + 1 || text.left < box.left - 1);
        }).map(cell => cell.textContent)"""
    )
    close_folds(page)
    assert too_wide == []


def test_set_control_shows_the_other_set(opened):
    page = opened.page
    name = "() => document.getElementById('roc-0').getAttribute('aria-label')"
    curve = "() => document.getElementById('roc-0').data.find(t => t.meta.part === 'curve').x"
    first, first_curve = page.evaluate(name), page.evaluate(curve)
    assert "in the test set" in first
    page.locator("[data-group=roc] label", has_text="validation").click()
    assert "in the validation set" in page.evaluate(name)
    assert page.evaluate(curve) != first_curve
    page.locator("[data-group=roc] label", has_text="test").click()
    assert page.evaluate(name) == first
    assert page.evaluate(curve) == first_curve


def test_model_control_hides_one_model_in_every_panel(opened, evaluation_of):
    page, hidden = opened.page, evaluation_of("plain").models[0]
    box = page.locator("[data-group=roc] [data-model='0']")
    box.uncheck()
    for panel in ("roc-0", "roc-1"):
        for model, part, visible in traces(page, panel):
            shown = visible is True
            assert shown == (model != hidden), (panel, model, part, visible)
    box.focus()
    page.keyboard.press("Space")
    assert box.is_checked()
    assert all(visible is True for panel in ("roc-0", "roc-1") for _, _, visible in traces(page, panel))


@pytest.mark.parametrize(
    ("group", "panel", "part"),
    [
        ("roc", "roc-0", "band"), ("roc", "roc-0", "same-set"), ("scores", "scores-0-0", "patient"),
        ("scores", "scores-0-0", "same-set"),
    ],
)  # fmt: skip
def test_part_control_takes_its_part_away(opened, group, panel, part):
    page = opened.page
    assert part in {found for _, found, _ in traces(page, panel)}
    box = page.locator(f"[data-group={group}] [data-part={part}]")
    box.uncheck()
    assert all(visible == (found != part) for _, found, visible in traces(page, panel))
    box.check()
    assert all(visible is True for _, _, visible in traces(page, panel))


def test_legend_and_controls_agree(opened):
    page = opened.page
    page.locator("#roc-0 .legendtoggle").first.click()
    until(page, "!document.querySelector('[data-group=roc] [data-model=\"0\"]').checked")
    page.locator("[data-group=roc] [data-model='0']").check()


@pytest.mark.parametrize(
    ("panel", "trace", "words"),
    [
        ("roc-0", "curve", ("sensitivity", "specificity", "cut-off")),
        ("roc-1", "locked", ("cut-off", "locked on validation")),
        ("scores-0-0", "positive", ("positive", "score")),
        ("strata-0", "estimate", ("mm", "positive")),
        ("calibration-0", "curve", ("predicted", "observed")),
        ("decision-0", "curve", ("threshold", "net benefit")),
    ],
)
def test_hover_tells_the_numbers(opened, panel, trace, words):
    page = opened.page
    group = panel.split("-")[0]
    if group in FOLDS:
        page.evaluate("id => { document.getElementById(id).open = true; }", group)
        until(page, f"document.querySelector('#{panel} .main-svg') !== null")
        until(page, "document.documentElement.dataset.figures === 'ready'")
    plot = page.locator(f"#{panel}")
    plot.scroll_into_view_if_needed()
    place = """([id, part]) => {
        const plot = document.getElementById(id);
        const at = plot.data.findIndex(t => t.meta.part === part);
        const trace = plot.data[at], layout = plot._fullLayout;
        let point = Math.floor(trace.x.length / 2);
        if (part === 'positive') point = trace.y.indexOf(Math.max(...trace.y));
        if (part === 'estimate') point = 1;
        const box = plot.querySelector('.nsewdrag').getBoundingClientRect();
        const y = trace.y[point] / (part === 'positive' ? 2 : 1);
        return [box.left + layout.xaxis.d2p(trace.x[point]), box.top + layout.yaxis.d2p(y)];
    }"""
    told = f"(document.querySelector('#{panel} .hoverlayer .hovertext') || {{}}).textContent || ''"
    last = time.monotonic() + 60
    # On a slow machine the page may still move, and Plotly looks at the pointer now and then only: point again.
    while not all(word in page.evaluate(told) for word in words):
        assert time.monotonic() < last, page.evaluate(told)
        x, y = page.evaluate(place, [panel, trace])
        # Beside the point: where a marker lies exactly on its curve, the curve would answer first.
        page.mouse.move(x - 4, y - 4)
        page.mouse.move(x - 2, y - 2)
        page.wait_for_timeout(100)
    page.mouse.move(0, 0)
    close_folds(page)


def test_theme_button_switches_page_and_figures(opened):
    page, other = opened.page, "dark" if opened.scheme == "light" else "light"
    background = "() => getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.locator("#theme").click()
    assert page.evaluate(background) != before
    assert {plot["paper"] for plot in drawn(page)} == {SCHEMES[other].paper}
    assert page.locator("#theme").get_attribute("aria-pressed") == str(other == "dark").lower()
    page.locator("#theme").click()
    assert page.evaluate(background) == before
    assert {plot["paper"] for plot in drawn(page)} == {SCHEMES[opened.scheme].paper}


@pytest.mark.parametrize("clipboard", ["granted", "refused"])
def test_copy_buttons_give_the_paragraphs(opened, evaluation_of, clipboard):
    page, written = opened.page, manuscript(evaluation_of("plain"))
    wanted = {"methods": written.methods.text, "results": written.results.text, "both": written.text}
    if clipboard == "refused":
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    # The page says it for two seconds, which a slow machine may look away for.
    page.evaluate(
        """() => {
            const status = document.getElementById('status');
            window.told = [];
            new MutationObserver(() => window.told.push(status.textContent)).observe(status, { childList: true });
        }"""
    )
    for name, text in wanted.items():
        page.evaluate("window.told.length = 0")
        page.locator(f"[data-copy={name}]").click()
        until(page, "window.told.some(text => text.startsWith('Copied'))")
        assert page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n") == text
    if clipboard == "refused":
        page.evaluate("delete navigator.clipboard.writeText")


def test_contents_lead_to_every_section(opened):
    page = opened.page
    targets = page.evaluate("[...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
    sections = page.evaluate(
        "[...document.querySelectorAll('main > section, #further > .fold')].map(s => s.id)"
    )
    assert targets == sections
    if opened.size == "phone":
        menu = page.locator("#menu")
        assert not page.locator("nav").is_visible()
        menu.click()
        assert menu.get_attribute("aria-expanded") == "true"
        page.keyboard.press("Escape")
        assert not page.locator("nav").is_visible()
        menu.click()
    page.locator("nav a[href='#provenance']").click()
    assert page.locator("#provenance h2").is_visible()
    page.evaluate("history.replaceState(null, '', location.pathname); scrollTo(0, 0)")


def test_everything_can_be_reached_and_seen_with_the_keyboard(opened):
    page = opened.page
    close_folds(page)
    until(page, "document.documentElement.dataset.figures === 'ready'")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reached, unseen = set(), []
    for step in range(160):
        page.keyboard.press("Tab")
        kind, outlined, visible = page.evaluate(
            """() => {
                const at = document.activeElement, style = getComputedStyle(at);
                const kind = at.id === 'theme' || at.id === 'menu' ? at.id : at.className === 'skip' ? 'skip'
                    : at.dataset.copy ? 'copy' : at.type || (at.className || at.tagName).toString();
                const box = at.getBoundingClientRect();
                const seen = box.right > 0 && box.bottom > 0;
                return [kind.toLowerCase(), style.outlineStyle !== 'none' && style.outlineWidth !== '0px', seen];
            }"""
        )
        reached.add(kind)
        if kind != "body" and not (outlined and visible):
            unseen.append(kind)
        if step == 0:
            assert kind == "skip"
        if kind == "body":
            break
    wanted = {"skip", "theme", "radio", "checkbox", "scroll", "summary", "copy"}
    missed = (wanted | ({"menu"} if opened.size == "phone" else set())) - reached
    assert (missed, unseen) == (set(), []), (step, kind)


def test_structure_speaks_to_a_screen_reader(opened):
    found = opened.page.evaluate(
        """() => {
            const all = (selector) => [...document.querySelectorAll(selector)];
            const ids = all('[id]').filter(e => !e.closest('svg')).map(e => e.id);
            return {
                lang: document.documentElement.lang, title: document.title,
                headings: all('h1, h2, h3, h4').filter(h => h.checkVisibility()).map(h => Number(h.tagName[1])),
                captionless: all('table').filter(t => !(t.caption && t.caption.textContent.trim())).length,
                scopeless: all('th').filter(th => !['col', 'row', 'rowgroup'].includes(th.scope)).length,
                headless: all('tbody tr').filter(tr => !tr.querySelector('th') && !tr.closest('tbody').querySelector(
                    'th[rowspan]')).length,
                silent: all('.plot').filter(p => p.getAttribute('role') !== 'img' || !p.ariaLabel.includes('set'))
                    .length,
                nameless: all('input').filter(i => !i.labels.length || !i.labels[0].textContent.trim()).length
                    + all('button').filter(b => !(b.ariaLabel || b.textContent).trim()).length,
                drawings: all('table svg, label svg').filter(s => s.getAttribute('aria-hidden') !== 'true').length,
                landmarks: ['header', 'nav[aria-label]', 'main'].map(s => all(s).length),
                unnamed: all('section').filter(s => !document.getElementById(s.getAttribute('aria-labelledby')))
                    .length,
                twice: ids.filter((id, at) => ids.indexOf(id) !== at),
                live: all('[role=status][aria-live]').length,
            };
        }"""
    )
    assert found["lang"] == "en"
    assert found["title"]
    levels = found["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    none = ("captionless", "scopeless", "headless", "silent", "nameless", "drawings", "unnamed")
    assert {key: found[key] for key in none} == dict.fromkeys(none, 0)
    assert found["landmarks"] == [1, 1, 1]
    assert found["twice"] == []
    assert found["live"] == 1


def test_every_text_has_contrast(opened):
    page = opened.page
    open_folds(page)
    result = page.evaluate(CONTRAST)
    close_folds(page)
    assert result["seen"] > 500
    assert result["found"] == []


def test_print_is_light_and_complete(opened):
    page = opened.page
    before = [plot["paper"] for plot in drawn(page)]
    page.emulate_media(media="print")
    until(page, "document.querySelectorAll('details:not([open])').length === 0")
    found = drawn(page)
    assert {plot["paper"] for plot in found} == {LIGHT.paper}
    assert all(plot["marks"] == plot["wanted"] > 0 for plot in found)
    assert {"calibration-0", "decision-1"} <= {plot["id"] for plot in found}
    assert page.locator("#calibration summary h3").is_visible()
    assert not page.locator("#calibration .teaser").is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    assert not page.locator("#theme").is_visible()
    page.emulate_media(media="screen")
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF-")
    assert len(paper) > 50_000
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) >= 4
    until(page, "document.querySelectorAll('details[open]').length === 0")
    assert [plot["paper"] for plot in drawn(page)] == before


def test_figures_follow_a_turned_phone(opened):
    page, (width, height) = opened.page, SIZES[opened.size]
    page.set_viewport_size({"width": height, "height": width})
    until(
        page,
        "[...document.querySelectorAll('.plot')].filter(p => p.checkVisibility()).every("
        "p => Math.abs(p.querySelector('svg.main-svg').getBoundingClientRect().width - p.clientWidth) <= 1)",
    )
    assert overflow(page) <= 0
    page.set_viewport_size({"width": width, "height": height})
    until(
        page,
        "[...document.querySelectorAll('.plot')].filter(p => p.checkVisibility()).every("
        "p => Math.abs(p.querySelector('svg.main-svg').getBoundingClientRect().width - p.clientWidth) <= 1)",
    )


@pytest.mark.parametrize("size", SIZES)
def test_hostile_names_stay_text(browser, tmp_path_factory, evaluation_of, names, size):
    opened = opened_at(
        browser,
        tmp_path_factory,
        evaluation_of("hostile"),
        size,
        "light",
        title=f"{names.evil} {names.markup}",
    )
    page = opened.page
    assert page.title() == f"{names.evil} {names.markup}"
    assert page.evaluate("window.hit") is None
    assert page.evaluate("document.querySelectorAll('img, b, iframe, [onerror]').length") == 0
    assert page.evaluate("document.scripts.length") == 3
    assert names.evil in page.locator("main").text_content()
    legend = page.evaluate("document.querySelector('#roc-0 .legend').textContent")
    assert "</script><img" in legend
    page.locator("#roc-2").scroll_into_view_if_needed()
    box = page.locator("#roc-2 .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    page.locator("[data-group=roc] input").nth(1).click()
    if size == "phone":
        open_folds(page)
    assert overflow(page) <= 0
    assert page.evaluate("window.hit") is None
    assert page.evaluate("document.querySelectorAll('img, b, iframe, [onerror]').length") == 0
    assert opened.quiet(), (opened.said, opened.asked)
    opened.context.close()


@pytest.mark.parametrize(
    "case",
    [
        "one of each", "one class everywhere", "missing labels", "three models", "carried columns", "mixed scales",
    ],
)  # fmt: skip
def test_difficult_tables_make_whole_pages(browser, tmp_path_factory, evaluation_of, case):
    opened = opened_at(browser, tmp_path_factory, evaluation_of(case), "phone", "light")
    open_folds(opened.page)
    assert overflow(opened.page) <= 0
    assert all(plot["marks"] == plot["wanted"] for plot in drawn(opened.page))
    ids = {plot["id"] for plot in drawn(opened.page)}
    assert "calibration-0" in ids
    assert ("strata-more-2-1" in ids) == (case == "carried columns")
    assert opened.quiet(), (opened.said, opened.asked)
    opened.context.close()


def test_foreign_script_is_blocked_by_the_policy(browser, tmp_path_factory, evaluation_of):
    opened = opened_at(
        browser, tmp_path_factory, evaluation_of("one of each"), "desktop", "light", figures=False
    )
    opened.page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.hit = 1';
            document.body.append(script);
            const image = document.createElement('img');
            image.setAttribute('onerror', 'window.hit = 2');
            image.src = 'data:,';
            document.body.append(image);
        }"""
    )
    last = time.monotonic() + 120
    while len(opened.said) < 2:  # the browser says that it refused both
        assert time.monotonic() < last, opened.said
        opened.page.wait_for_timeout(20)
    assert opened.page.evaluate("window.hit") is None
    opened.context.close()

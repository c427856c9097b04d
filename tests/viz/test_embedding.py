"""Embeddings: the paper's settings, what they are warned of, and the page in a browser."""

import inspect
import time

import numpy as np
import pytest
from biomark.errors import BiomarkError, MissingExtraError
from biomark.stats import embedding_separation
from biomark.stats.nearest_neighbours import neighbour_auc
from biomark.viz import neighbour_embedding
from biomark.viz.embedding import EmbeddingPanel, embedding_figure, separation_in_words
from biomark.viz.embedding_of_runs import embed
from biomark.viz.embedding_page import embedding_html
from biomark.viz.neighbour_embedding import Embedding, pca, perplexity_warning, tsne
from sklearn.manifold import TSNE

EVIL = "</script><img src=x onerror=alert(1)>"


def features(n=70, d=12, effect=3.0, seed=0):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 2).astype(float)
    return rng.normal(size=(n, d)) + effect * y[:, None] * (np.arange(d) < 3), y


def test_defaults_are_the_papers_settings():
    defaults = {name: p.default for name, p in inspect.signature(tsne).parameters.items()}
    assert defaults["n_components"] == 3 and defaults["perplexity"] == 30 and defaults["learning_rate"] == 80
    assert defaults["max_iter"] == 1000 and defaults["min_grad_norm"] == 1e-7 and defaults["init"] == "pca"
    points, _ = features(40)
    found = tsne(points, perplexity=5, rng=np.random.default_rng(7))
    seed = int(np.random.default_rng(7).integers(2**31))
    slow = TSNE(
        n_components=3,
        perplexity=5,
        learning_rate=80,
        max_iter=1000,
        min_grad_norm=1e-7,
        init="pca",
        random_state=seed,
    )
    np.testing.assert_allclose(found.coordinates, slow.fit_transform(points), rtol=1e-6)


def test_tsne_keeps_two_distant_groups_apart_and_is_the_same_again():
    points, y = features(effect=12.0)
    found = tsne(points, perplexity=10, learning_rate=20, rng=3)
    again = tsne(points, perplexity=10, learning_rate=20, rng=3)
    np.testing.assert_array_equal(found.coordinates, again.coordinates)
    assert found.coordinates.shape == (70, 3)
    assert neighbour_auc(found.coordinates, y, k=3) > 0.95
    assert found.settings["iterations"] <= 1000 and found.settings["divergence"] > 0
    assert "perplexity 10" in found.caption


def test_pca_is_the_singular_value_decomposition():
    points, _ = features()
    found = pca(points)
    u, s, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(u[:, :3] * s[:3]), atol=1e-9)
    np.testing.assert_allclose(found.settings["variance shown"], (s[:3] ** 2).sum() / (s**2).sum())


@pytest.mark.parametrize(
    ("perplexity", "n", "warned"), [(30, 91, False), (30, 90, True), (5, 16, False), (29, 88, False)]
)
def test_perplexity_is_warned_of_where_there_are_too_few_neighbours(perplexity, n, warned):
    assert bool(perplexity_warning(perplexity, n)) == warned
    if warned:
        assert f"at most {(n - 1) // 3}" in perplexity_warning(perplexity, n)


def test_a_picture_that_keeps_no_neighbours_is_warned_of():
    noise = np.random.default_rng(0).normal(size=(100, 400))
    found = pca(noise)
    assert found.settings["trustworthiness"] < 0.8 and "do not read groups" in found.warning
    flat = pca(noise[:, :3])
    assert flat.settings["trustworthiness"] == 1.0 and flat.warning == ""
    assert "trustworthiness" not in pca(np.eye(2), n_components=1).settings


def test_umap_without_its_package_names_the_extra(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name="umap")

    monkeypatch.setattr(neighbour_embedding, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"biomark\[umap\]"):
        neighbour_embedding.umap(features()[0])


def test_umap_where_it_is_installed_keeps_groups_apart_and_is_the_same_again():
    pytest.importorskip("umap", reason="umap-learn is not installed (biomark[umap])")
    points, y = features(effect=12.0)
    found = neighbour_embedding.umap(points, rng=3)
    np.testing.assert_array_equal(found.coordinates, neighbour_embedding.umap(points, rng=3).coordinates)
    assert found.method == "UMAP" and found.coordinates.shape == (70, 3)
    assert neighbour_auc(found.coordinates, y, k=3) > 0.95
    assert "neighbours 15" in found.caption
    panels = embed({"m": points}, {"ER": y}, list(range(70)), with_umap=True, n_permutations=9).panels
    assert [one.embedding.method for one in panels] == ["t-SNE", "PCA", "UMAP"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tsne(np.zeros(5)), "shape (n, d)"),
        (lambda: tsne([["a"]]), "numbers"),
        (lambda: tsne(np.full((50, 4), np.nan)), "row 0"),
        (lambda: tsne(np.zeros((20, 4)), perplexity=20), "below the 20"),
        (lambda: tsne(np.zeros((50, 5)), n_components=4), "2 or 3"),
        (lambda: pca(np.zeros((2, 9))), "cannot be shown in 3"),
    ],
)
def test_what_cannot_be_embedded_is_refused(call, says):
    with pytest.raises(BiomarkError) as caught:
        call()
    assert says in str(caught.value)


def panel(model="multi-task", label="ER", dimensions=3, missing=True, separation=True):
    points, y = features()
    embedding = pca(points, n_components=dimensions)
    if missing:
        y[5] = np.nan
    known = ~np.isnan(y)
    measured = embedding_separation(points[known], y[known], rng=0, n_permutations=99) if separation else None
    return EmbeddingPanel(model, label, embedding, y, [f"P{i}" for i in range(len(y))], measured)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_patient_is_drawn_once_in_its_class(dimensions):
    figure = embedding_figure(
        panel(dimensions=dimensions), models=["single-task", "multi-task"], labels=["PR", "ER"]
    )
    parts = {trace.meta["part"]: trace for trace in figure.data}
    assert {part: len(trace.x) for part, trace in parts.items()} == {
        "negative": 35,
        "positive": 34,
        "unknown": 1,
    }
    assert parts["unknown"].text == ("P5",)
    assert parts["positive"].text[0] == "P1"
    assert parts["positive"].marker.symbol == "square" and parts["negative"].marker.symbol == "square-open"
    assert parts["positive"].marker.color == "#0B49A5"
    assert parts["positive"].name == "ER positive (n = 34)"
    points = panel(dimensions=dimensions).embedding.coordinates
    np.testing.assert_allclose(parts["unknown"].y, points[5:6, 1])


def test_symbols_that_three_dimensions_lack_are_replaced():
    labels = [f"L{i}" for i in range(9)]
    for label in labels:
        embedding_figure(panel(label=label), labels=labels)


def test_separation_is_told_with_chance_and_p():
    words = separation_in_words(panel().separation)
    assert "silhouette" in words and "p = 0.010" in words and "99 permutations, n = 69, 34 positive" in words


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"y_true": np.zeros(3)}, "70 entries"),
        ({"patient_id": ["a"]}, "70 entries"),
        ({"y_true": np.full(70, 2.0)}, "0, 1 and NaN"),
        ({"embedding": Embedding(np.zeros((70, 4)), "PCA", {})}, "two or three"),
    ],
    ids=["y", "ids", "values", "dimensions"],
)
def test_what_cannot_be_drawn_is_refused(change, says):
    good = panel(separation=False)
    fields = {name: getattr(good, name) for name in good.__slots__} | change
    with pytest.raises(BiomarkError) as caught:
        embedding_figure(EmbeddingPanel(**fields))
    assert says in str(caught.value)


def test_two_panels_of_the_same_choice_are_refused():
    with pytest.raises(BiomarkError, match="same method"):
        embedding_html([panel(), panel()])
    with pytest.raises(BiomarkError, match="at least one"):
        embedding_html([])


def at_rest(page, value):
    """Return a value once it has been the same for 30 frames: the camera glides on after the button is let go."""
    return page.evaluate(
        f"""() => new Promise(resolve => {{
            let [last, same] = [NaN, 0];
            const look = () => {{
                const now = {value};
                same = now === last ? same + 1 : 0;
                last = now;
                if (same === 30) resolve(now);
                else requestAnimationFrame(look);
            }};
            look();
        }})"""
    )


@pytest.mark.browser
def test_the_page_turns_switches_and_tells(browser, tmp_path):
    panels = [panel(m, k, 3) for m in ("multi-task", "single-task") for k in ("ER", EVIL)]
    points, y = features()
    warned = tsne(points, perplexity=30, max_iter=250)
    panels.append(EmbeddingPanel("multi-task", "ER", warned, y, [EVIL] * 70))
    path = tmp_path / "embedding.html"
    text = embedding_html(panels, path, title=EVIL, simulated=True, note="The test set.")
    assert len(text) < 3_000_000
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    eye = "document.getElementById('plot-0')._fullLayout.scene._scene.getCamera().eye.x"
    before = page.evaluate(eye)
    box = page.query_selector("#plot-0").bounding_box()
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # A drag that ends before the scene has drawn a frame turns nothing: draw between the steps, and drag again.
    frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    last = time.monotonic() + 120
    while abs(page.evaluate(eye) - before) <= 0.05:
        assert time.monotonic() < last
        page.mouse.move(*at)
        page.mouse.down()
        for step in range(1, 5):
            page.evaluate(frame)
            page.mouse.move(at[0] + 30 * step, at[1])
        page.evaluate(frame)
        page.mouse.up()
        at_rest(page, eye)
    turned = at_rest(page, eye)
    page.check("input[name=label][value='1']")
    assert page.evaluate("document.getElementById('plot-1').getAttribute('aria-label')").count(EVIL) == 1
    assert abs(at_rest(page, eye) - turned) < 1e-3
    page.check("input[name=label][value='0']")
    assert page.is_hidden("#warning-0")
    page.check("input[name=method][value='1']")
    assert "Perplexity 30 asks for 90 neighbours and there are 69" in page.inner_text("#warning-0")
    assert page.inner_text("#plot-1") == "Nothing to show for this choice."
    assert "Simulated patients." in page.inner_text("body") and "The test set." in page.inner_text("body")
    assert page.query_selector("img") is None
    assert said == []
    assert [url for url in asked if url != path.as_uri() and not url.startswith(("data:", "blob:"))] == []
    context.close()

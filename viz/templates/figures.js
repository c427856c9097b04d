// What the pages of figures share: plotly.js out of its packed text, and figures drawn for the page's width and theme.
const figures = (() => {
  "use strict";
  const darkScheme = matchMedia("(prefers-color-scheme: dark)");
  const finePointer = matchMedia("(pointer: fine)").matches;
  let dark = {};

  // The policy of the page knows the unpacked text by its hash.
  async function loadPlotly() {
    const text = atob(document.getElementById("block-plotly").textContent);
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // Where a plot of three dimensions is looked at from, also while it still glides; Plotly saves that once a button is
  // let go, which may be before the view has moved.
  function cameraOf(place) {
    const scene = place._fullLayout && place._fullLayout.scene && place._fullLayout.scene._scene;
    return scene && scene.getCamera ? scene.getCamera() : null;
  }

  // A view that was turned stays turned as long as ``kept`` is the same.
  function draw(place, figure, alternative, kept = "") {
    const camera = place.dataset.kept === kept ? cameraOf(place) : null;
    place.dataset.kept = kept;
    if (!place.querySelector(".plot-container")) place.textContent = "";
    const shown = shownFigure(figure, place.clientWidth, darkScheme.matches ? dark : null);
    if (camera) shown.layout.scene.camera = camera;
    // A finger that drags over a flat figure scrolls the page.
    const layout = { ...shown.layout, width: place.clientWidth, dragmode: finePointer ? shown.layout.dragmode : false };
    Plotly.react(place, shown.data, layout, {
      displaylogo: false, displayModeBar: finePointer ? "hover" : false,
      modeBarButtons: [["toImage", figure.layout.scene ? "resetCameraDefault3d" : "resetScale2d"]],
      toImageButtonOptions: { format: "svg", filename: place.id },
    });
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", alternative);
  }

  // Draws once plotly.js is there, and again for another width or colour scheme.
  async function start(table, drawAll) {
    dark = table;
    await loadPlotly();
    drawAll();
    darkScheme.addEventListener("change", drawAll);
    let lastWidth = innerWidth;
    let waiting = 0;
    addEventListener("resize", () => {
      if (innerWidth === lastWidth) return;
      lastWidth = innerWidth;
      clearTimeout(waiting);
      waiting = setTimeout(drawAll, 120);
    });
    document.documentElement.dataset.viewer = "ready";
  }

  return { draw, start };
})();

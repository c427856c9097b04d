// What the pages of figures share: plotly.js out of its packed text, and light figures turned to dark ones.
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

  function darkColour(value) {
    if (Array.isArray(value)) return value.map(darkColour);
    if (typeof value !== "string") return recoloured(value);
    const parts = /^rgba\((\d+),(\d+),(\d+),([\d.]+)\)$/.exec(value);
    if (!parts) return dark[value.toUpperCase()] || value;
    const hex = "#" + parts.slice(1, 4).map((n) => Number(n).toString(16).padStart(2, "0")).join("").toUpperCase();
    if (!dark[hex]) return value;
    const rgb = [1, 3, 5].map((at) => parseInt(dark[hex].slice(at, at + 2), 16));
    return `rgba(${rgb.join(",")},${parts[4]})`;
  }

  function recoloured(node) {
    if (Array.isArray(node)) return node.map(recoloured);
    if (node === null || typeof node !== "object") return node;
    const copy = {};
    for (const [key, value] of Object.entries(node)) {
      copy[key] = /(color|fillcolor)$/.test(key) ? darkColour(value) : recoloured(value);
    }
    return copy;
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
    const shown = darkScheme.matches ? recoloured(figure) : JSON.parse(JSON.stringify(figure));
    if (camera) shown.layout.scene.camera = camera;
    else if (shown.layout.scene && place.clientWidth < 430) {
      // On a phone the titles of the axes need room.
      const { eye } = shown.layout.scene.camera;
      for (const axis of "xyz") eye[axis] *= 1.25;
    }
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

// The page of embeddings: one plot a model, redrawn when the label or the method is switched.
(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const state = { label: 0, method: 0 };

  function draw() {
    data.models.forEach((model, k) => {
      const place = element(`plot-${k}`);
      const panel = data.panels.find(
        (p) => p.model === model && p.label === data.labels[state.label] && p.method === data.methods[state.method],
      );
      for (const part of ["separation", "caption", "warning"]) {
        element(`${part}-${k}`).textContent = panel ? panel[part] : "";
      }
      element(`warning-${k}`).hidden = !(panel && panel.warning);
      if (panel) {
        figures.draw(place, panel.figure, panel.alternative, panel.method);
      } else {
        Plotly.purge(place);
        place.textContent = "Nothing to show for this choice.";
        place.removeAttribute("aria-label");
      }
    });
    root.dataset.drawn = String(Number(root.dataset.drawn || 0) + 1);
  }

  element("controls").addEventListener("submit", (event) => event.preventDefault());
  element("controls").addEventListener("change", (event) => {
    state[event.target.name] = Number(event.target.value);
    draw();
  });
  document.querySelectorAll(".swatch").forEach((swatch, k) => {
    swatch.style.background = `var(--model-${data.slots[k]})`;
  });
  figures.start(data.dark, draw).catch((error) => {
    element("panels").textContent = `The plots cannot be shown: ${error.message}. A current browser is needed.`;
    throw error;
  });
})();

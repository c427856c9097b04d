// The page of training curves: its figures, and which runs they show.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const hidden = new Set();
  const plots = [...document.querySelectorAll(".plot")];
  const draw = () =>
    data.figures.forEach(({ figure, alternative }, k) => {
      const shown = figure.data.map((trace) => ({ ...trace, visible: !hidden.has(trace.meta.model) }));
      figures.draw(plots[k], { ...figure, data: shown }, alternative);
    });
  const controls = document.getElementById("controls");
  if (controls) {
    controls.addEventListener("submit", (event) => event.preventDefault());
    controls.addEventListener("change", ({ target }) => {
      const name = data.runs[Number(target.value)];
      if (target.checked) hidden.delete(name);
      else hidden.add(name);
      draw();
    });
  }
  figures.start(data.dark, draw);
})();

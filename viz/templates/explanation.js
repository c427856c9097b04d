// The first page of an explanation: its figures.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const draw = () =>
    data.figures.forEach(({ figure, alternative }, k) => figures.draw(document.getElementById(`plot-${k}`), figure, alternative));
  figures.start(data.dark, draw);
})();

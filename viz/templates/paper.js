// Draws figures for paper, and leaves them as text in the page, for whoever reads it from the browser.
(async () => {
  "use strict";
  const leave = (result) => {
    const place = document.createElement("pre");
    place.id = "result";
    const bytes = new TextEncoder().encode(JSON.stringify(result));
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    place.textContent = btoa(text);
    document.body.replaceChildren(place);
  };
  try {
    const drawn = [];
    for (const { data, layout, width, height, scale } of JSON.parse(document.getElementById("jobs").textContent)) {
      const as = (format, more) => Plotly.toImage({ data, layout }, { format, width, height, ...more });
      const svg = decodeURIComponent((await as("svg", {})).replace(/^data:image\/svg\+xml,/, ""));
      drawn.push({ svg, png: scale ? await as("png", { scale }) : "" });
    }
    leave({ figures: drawn });
  } catch (error) {
    leave({ error: String(error) });
  }
})();

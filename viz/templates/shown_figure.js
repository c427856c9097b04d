// A light specification of a figure as it is shown: in the colours of the theme, with room for what a narrow plot cuts.
const shownFigure = (() => {
  "use strict";
  const colourKey = /(^|_|[a-z])(color|fillcolor)$/;

  function darkColour(value, dark) {
    if (Array.isArray(value)) return value.map((one) => darkColour(one, dark));
    if (typeof value !== "string") return recoloured(value, dark);
    const parts = /^rgba\((\d+),(\d+),(\d+),([\d.]+)\)$/.exec(value);
    if (!parts) return dark[value.toUpperCase()] || value;
    const hex = "#" + parts.slice(1, 4).map((n) => Number(n).toString(16).padStart(2, "0")).join("").toUpperCase();
    if (!dark[hex]) return value;
    const rgb = [1, 3, 5].map((at) => parseInt(dark[hex].slice(at, at + 2), 16));
    return `rgba(${rgb.join(",")},${parts[4]})`;
  }

  function recoloured(node, dark) {
    if (Array.isArray(node)) return node.map((one) => recoloured(one, dark));
    if (node === null || typeof node !== "object") return node;
    const copy = {};
    for (const [key, value] of Object.entries(node)) {
      copy[key] = colourKey.test(key) ? darkColour(value, dark) : recoloured(value, dark);
    }
    return copy;
  }

  // ``dark`` gives each colour's dark counterpart; without it the figure stays light.
  return (figure, width, dark = null) => {
    const shown = dark ? recoloured(figure, dark) : JSON.parse(JSON.stringify(figure));
    if (shown.layout.scene) {
      // The titles of turned axes need room: where the plot is narrow, look from further away.
      const { eye } = shown.layout.scene.camera;
      const further = Math.min(Math.max(600 / width, 1), 1.8);
      for (const axis of "xyz") eye[axis] *= further;
    }
    return shown;
  };
})();

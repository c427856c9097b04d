// The slice viewer: slices are cut and coloured here on a canvas, with contours and crosshair as SVG above it and
// Plotly's axes around it. A step touches one canvas and some paths: a redraw by Plotly would take longer than a frame.
(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const AXES = ["z", "y", "x"];
  // Volume axes: 0 from feet to head, 1 from front to back, 2 from right to left.
  const PLANES = [
    { name: "Axial", fixed: 0, across: 2, down: 1, flip: false, marks: ["R", "L", "A", "P"] },
    { name: "Coronal", fixed: 1, across: 2, down: 0, flip: true, marks: ["R", "L", "H", "F"] },
    { name: "Sagittal", fixed: 2, across: 1, down: 0, flip: true, marks: ["A", "P", "H", "F"] },
  ];
  const MARGIN = { l: 46, r: 8, t: 26, b: 38 };
  const SVG = "http://www.w3.org/2000/svg";
  const turbo = Uint8Array.from(data.turbo.flat());

  const state = {
    patient: 0, label: 0, models: data.models.length ? [0] : [-1], at: [0, 0, 0], active: 0, zoom: 1,
    opacity: data.opacity, threshold: data.threshold, window: 1, level: 0.5,
    heat: true, mask: true, segmentation: true, cross: true,
  };
  let patient = null; // unpacked
  let panels = [];
  const unpackedPatients = new Map();

  // ---- packed bytes ----

  async function unpacked(name) {
    const text = atob(element(`block-${name}`).textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function volume(name, shape) {
    if (!name) return null;
    const values = await unpacked(name);
    const width = shape[2];
    for (let row = 0; row < values.length; row += width) {
      for (let i = row + 1; i < row + width; i++) values[i] += values[i - 1];
    }
    return values;
  }

  async function loaded(which) {
    if (unpackedPatients.has(which)) return unpackedPatients.get(which);
    const meta = data.patients[which];
    const read = (name) => volume(name, meta.shape);
    const found = {
      meta,
      strides: [meta.shape[1] * meta.shape[2], meta.shape[2], 1],
      image: await read(meta.image),
      mask: await read(meta.mask),
      segmentations: new Map(),
      maps: new Map(),
    };
    for (const [model, name] of Object.entries(meta.segmentations)) found.segmentations.set(model, await read(name));
    for (const map of meta.maps) {
      found.maps.set(JSON.stringify([map.model, map.label]), { ...map, values: await read(map.block) });
    }
    unpackedPatients.clear(); // one at a time: each takes tens of megabytes
    unpackedPatients.set(which, found);
    return found;
  }

  const mapOf = (model) => patient.maps.get(JSON.stringify([data.models[model], data.labels[state.label]])) || null;
  const extent = (axis) => patient.meta.shape[axis] * patient.meta.spacing[axis];

  // ---- one plane ----

  function cut(plane, values) {
    const { shape } = patient.meta;
    const { strides } = patient;
    const [wide, high] = [shape[plane.across], shape[plane.down]];
    const slice = new Uint8Array(wide * high);
    const start = state.at[plane.fixed] * strides[plane.fixed];
    for (let row = 0, to = 0; row < high; row++) {
      let from = start + (plane.flip ? high - 1 - row : row) * strides[plane.down];
      for (let i = 0; i < wide; i++, to++, from += strides[plane.across]) slice[to] = values[from];
    }
    return slice;
  }

  function greys() {
    const table = new Uint8Array(256);
    const low = state.level - state.window / 2;
    for (let i = 0; i < 256; i++) table[i] = Math.max(0, Math.min(255, ((i / 255 - low) / state.window) * 255));
    return table;
  }

  function compose(panel) {
    const { plane } = panel;
    const { shape } = patient.meta;
    const [wide, high] = [shape[plane.across], shape[plane.down]];
    const grey = greys();
    const image = cut(plane, patient.image);
    const map = state.heat ? mapOf(panel.model) : null;
    const heat = map && cut(plane, map.values);
    const pixels = new ImageData(wide, high);
    const to = pixels.data;
    const least = Math.max(1, Math.round(state.threshold * 255));
    for (let i = 0, at = 0; i < image.length; i++, at += 4) {
      const value = grey[image[i]];
      to[at] = to[at + 1] = to[at + 2] = value;
      to[at + 3] = 255;
      if (heat && heat[i] >= least) {
        const colour = 3 * heat[i];
        for (let c = 0; c < 3; c++) to[at + c] = value + (turbo[colour + c] - value) * state.opacity;
      }
    }
    panel.source.width = wide;
    panel.source.height = high;
    panel.source.getContext("2d").putImageData(pixels, 0, 0);
  }

  // The borders of voxels between inside and outside as the text of a path, in mm from the left and the top.
  function outline(plane, values) {
    const { shape, spacing } = patient.meta;
    const slice = cut(plane, values);
    const [wide, high] = [shape[plane.across], shape[plane.down]];
    const [dx, dy] = [spacing[plane.across], spacing[plane.down]];
    const inside = (i, j) => i >= 0 && j >= 0 && i < wide && j < high && slice[j * wide + i] > 0;
    const mm = (value) => Number(value.toFixed(4));
    const path = [];
    for (let j = 0; j <= high; j++) {
      for (let i = 0, from = -1; i <= wide; i++) {
        const border = i < wide && inside(i, j - 1) !== inside(i, j);
        if (border && from < 0) from = i;
        if (!border && from >= 0) {
          path.push(`M${mm(from * dx)} ${mm(j * dy)}H${mm(i * dx)}`);
          from = -1;
        }
      }
    }
    for (let i = 0; i <= wide; i++) {
      for (let j = 0, from = -1; j <= high; j++) {
        const border = j < high && inside(i - 1, j) !== inside(i, j);
        if (border && from < 0) from = j;
        if (!border && from >= 0) {
          path.push(`M${mm(i * dx)} ${mm(from * dy)}V${mm(j * dy)}`);
          from = -1;
        }
      }
    }
    return path.join("");
  }

  const middle = (axis) => (state.at[axis] + 0.5) * patient.meta.spacing[axis];

  // What is seen of an axis: all of it, or a part around the crosshair that stays inside.
  function view(axis) {
    const all = extent(axis);
    const part = all / state.zoom;
    const start = Math.max(0, Math.min(all - part, middle(axis) - part / 2));
    return [start, start + part];
  }

  // The part of a plane that is seen, in mm from the left and the top.
  function frame(plane) {
    const [across, down] = [view(plane.across), view(plane.down)];
    const top = plane.flip ? extent(plane.down) - down[1] : down[0];
    return { left: across[0], top, width: across[1] - across[0], height: down[1] - down[0] };
  }

  function paint(panel) {
    const { plane, canvas, source, area } = panel;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [wide, high] = [Math.round(area.width * ratio), Math.round(area.height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
    }
    const { left, top, width, height } = frame(plane);
    const [dx, dy] = [patient.meta.spacing[plane.across], patient.meta.spacing[plane.down]];
    canvas.getContext("2d").drawImage(source, left / dx, top / dy, width / dx, height / dy, 0, 0, wide, high);
  }

  function crosshair(panel) {
    const { plane, area } = panel;
    const { left, top, width, height } = frame(plane);
    const gap = (12 * width) / area.width;
    const x = middle(plane.across);
    const y = plane.flip ? extent(plane.down) - middle(plane.down) : middle(plane.down);
    const across = `M${left} ${y}H${x - gap}M${x + gap} ${y}H${left + width}`;
    const down = `M${x} ${top}V${y - gap}M${x} ${y + gap}V${top + height}`;
    for (const path of panel.paths.cross) path.setAttribute("d", state.cross ? across + down : "");
  }

  // A scale bar of 1, 2 or 5 times a power of ten, at most a third of the view, and the box of all paths.
  function scaleBar(panel) {
    const { plane, area, overlay } = panel;
    const { left, top, width, height } = frame(plane);
    overlay.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
    const power = 10 ** Math.floor(Math.log10(width / 3));
    const length = [5, 2, 1].map((step) => step * power).find((step) => step <= width / 3);
    const pixel = width / area.width;
    const [x, y] = [left + width - 10 * pixel, top + height - 10 * pixel];
    for (const path of panel.paths.scale) path.setAttribute("d", `M${x - length} ${y}H${x}`);
    panel.scaleText.textContent = `${Number(length.toPrecision(3))} mm`;
    panel.box.dataset.scaleMm = String(length);
    panel.box.dataset.scalePx = (length / pixel).toFixed(2);
  }

  function contours(panel) {
    const mask = state.mask && patient.mask ? outline(panel.plane, patient.mask) : "";
    const predicted = patient.segmentations.get(data.models[panel.model]);
    const found = state.segmentation && predicted ? outline(panel.plane, predicted) : "";
    for (const path of panel.paths.mask) path.setAttribute("d", mask);
    for (const path of panel.paths.segmentation) path.setAttribute("d", found);
  }

  function describe(panel) {
    const { plane, model } = panel;
    const map = mapOf(model);
    const shown = map && state.heat ? `, heat map of ${map.model} for ${map.label}` : "";
    const count = patient.meta.shape[plane.fixed];
    panel.plot.setAttribute(
      "aria-label",
      `${plane.name} plane of ${patient.meta.id}, slice ${state.at[plane.fixed] + 1} of ${count}${shown}`,
    );
  }

  function layout(panel) {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const { plane, area } = panel;
    const axis = (title, range) => ({
      title: { text: title, standoff: 4 }, range, showgrid: false, zeroline: false, showline: true, nticks: 6,
      linecolor: colour("line"), tickcolor: colour("line"), ticks: "outside", ticklen: 4, automargin: false,
    });
    const down = view(plane.down);
    const letter = (text, x, y) => ({
      text, x, y, xref: "paper", yref: "paper", showarrow: false, font: { color: "#FFFFFF", size: 12 },
      bgcolor: "rgba(0,0,0,0.45)", borderpad: 1,
    });
    const [left, right, top, bottom] = plane.marks;
    return {
      width: area.width + MARGIN.l + MARGIN.r, height: area.height + MARGIN.t + MARGIN.b, margin: MARGIN,
      font: { family: style.getPropertyValue("--sans"), size: 12, color: colour("ink") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: false, dragmode: false,
      title: { text: plane.name, x: 0, xref: "paper", y: 1, yref: "container", yanchor: "top", pad: { t: 4 }, font: { size: 13 } },
      xaxis: axis(`${AXES[plane.across]} (mm)`, view(plane.across)),
      yaxis: axis(`${AXES[plane.down]} (mm)`, plane.flip ? down : [down[1], down[0]]),
      annotations: [letter(left, 0.015, 0.5), letter(right, 0.985, 0.5), letter(top, 0.5, 0.985), letter(bottom, 0.5, 0.015)],
    };
  }

  // Each line lies on a wider black one, to be seen on any ground.
  function overlayOf(panel) {
    const overlay = document.createElementNS(SVG, "svg");
    overlay.setAttribute("preserveAspectRatio", "none");
    overlay.setAttribute("aria-hidden", "true");
    panel.paths = {};
    for (const name of ["cross", "mask", "segmentation", "scale"]) {
      panel.paths[name] = ["under", "over"].map((which) => {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("class", `${name} ${which}`);
        path.setAttribute("vector-effect", "non-scaling-stroke");
        overlay.append(path);
        return path;
      });
    }
    panel.scaleText = document.createElement("span");
    panel.scaleText.className = "scale";
    return overlay;
  }

  function build() {
    const rows = element("rows");
    for (const panel of panels) Plotly.purge(panel.plot);
    rows.textContent = "";
    panels = [];
    const titles = state.models.map((model) => {
      const row = document.createElement("section");
      row.className = "row";
      const heading = document.createElement("h2");
      row.append(heading);
      const planes = document.createElement("div");
      planes.className = "planes";
      row.append(planes);
      rows.append(row);
      return { model, heading, planes };
    });
    // One scale for all planes: the widest fills its column.
    const column = titles[0].planes.clientWidth;
    const columns = getComputedStyle(titles[0].planes).gridTemplateColumns.split(" ").length;
    const room = (column - 12 * (columns - 1)) / columns - 4 - MARGIN.l - MARGIN.r;
    const widest = Math.max(...PLANES.map((plane) => extent(plane.across)));
    const highest = Math.max(...PLANES.map((plane) => extent(plane.down)));
    const pixels = Math.min(room / widest, Math.max(240, innerHeight * 0.75) / highest);
    for (const { model, heading, planes } of titles) {
      title(heading, model);
      PLANES.forEach((plane, which) => {
        const box = document.createElement("div");
        box.className = "plane";
        const canvas = document.createElement("canvas");
        const plot = document.createElement("div");
        plot.className = "plot";
        plot.setAttribute("role", "img");
        planes.append(box);
        const area = { width: extent(plane.across) * pixels, height: extent(plane.down) * pixels };
        const panel = { plane, which, model, box, canvas, plot, area, source: document.createElement("canvas") };
        panel.overlay = overlayOf(panel);
        box.append(canvas, panel.overlay, plot, panel.scaleText);
        for (const layer of [canvas, panel.overlay]) {
          Object.assign(layer.style, {
            left: `${MARGIN.l}px`, top: `${MARGIN.t}px`, width: `${area.width}px`, height: `${area.height}px`,
          });
        }
        Object.assign(panel.scaleText.style, {
          left: `${MARGIN.l}px`, width: `${area.width - 10}px`, top: `${MARGIN.t + area.height - 29}px`,
        });
        panels.push(panel);
        Plotly.newPlot(plot, [{ type: "scatter", x: [], y: [] }], layout(panel), { staticPlot: true });
        scaleBar(panel);
        listen(panel);
      });
    }
    activate(state.active);
    draw([0, 1, 2]);
  }

  function title(heading, model) {
    heading.textContent = "";
    if (model < 0) return;
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = `var(--model-${data.slots[model] % 7})`;
    const name = document.createElement("bdi");
    const map = mapOf(model);
    name.textContent = data.models[model] + (data.labels.length ? `, ${data.labels[state.label]}` : "");
    const facts = document.createElement("small");
    facts.textContent = map ? map.facts.map(([key, value]) => ` · ${key} ${value}`).join("") : " · no heat map";
    heading.append(swatch, name, facts);
  }

  // Slices of the planes in ``changed`` are new; the others only show the crosshair at another place.
  function draw(changed) {
    for (const panel of panels) {
      if (changed.includes(panel.which)) {
        compose(panel);
        contours(panel);
        describe(panel);
      }
      if (changed.includes(panel.which) || state.zoom > 1 || !changed.length) paint(panel);
      crosshair(panel);
    }
    for (const { fixed } of PLANES) {
      const slider = element(`slice-${fixed}`);
      slider.max = String(patient.meta.shape[fixed] - 1);
      slider.value = String(state.at[fixed]);
      element(`out-slice-${fixed}`).textContent = `${state.at[fixed] + 1} / ${patient.meta.shape[fixed]}`;
    }
    tell(state.at, PLANES[state.active]);
    root.dataset.drawn = String(Number(root.dataset.drawn || 0) + 1);
  }

  function tell(at, plane) {
    const { spacing, low, high } = patient.meta;
    const index = at.reduce((sum, i, axis) => sum + i * patient.strides[axis], 0);
    const place = [2, 1, 0].map((axis) => `${AXES[axis]} ${((at[axis] + 0.5) * spacing[axis]).toFixed(1)}`);
    const grey = low + (patient.image[index] / 255) * (high - low);
    const parts = [
      `${plane.name}: ${place.join(", ")} mm`, `voxel ${[2, 1, 0].map((axis) => at[axis]).join(", ")}`,
      `grey ${Number(grey.toPrecision(3))}`,
    ];
    for (const model of state.models) {
      const map = model < 0 ? null : mapOf(model);
      if (!map) continue;
      const whose = state.models.length > 1 ? ` of ${map.model}` : "";
      parts.push(`heat${whose} ${(map.values[index] / 255).toFixed(2)}`);
    }
    if (patient.mask) parts.push(patient.mask[index] ? "in the lesion" : "outside the lesion");
    element("readout").textContent = parts.join(" · ");
  }

  // ---- what the reader does ----

  let waiting = null;

  function move(to) {
    const changed = new Set(waiting);
    PLANES.forEach((plane, which) => {
      const value = Math.max(0, Math.min(patient.meta.shape[plane.fixed] - 1, to[plane.fixed]));
      if (value !== state.at[plane.fixed]) changed.add(which);
      to[plane.fixed] = value;
    });
    if (!changed.size) return;
    state.at = to;
    // Several events of one frame are drawn once; with a zoomed view every plane moves along.
    if (waiting === null) {
      requestAnimationFrame(() => {
        const now = [...waiting];
        waiting = null;
        if (state.zoom > 1) reframe();
        draw(now);
      });
    }
    waiting = changed;
  }

  function reframe() {
    for (const panel of panels) {
      Plotly.relayout(panel.plot, layout(panel));
      scaleBar(panel);
    }
  }

  function step(by) {
    const to = [...state.at];
    to[PLANES[state.active].fixed] += by;
    move(to);
  }

  function activate(which) {
    state.active = (which + 3) % 3;
    for (const panel of panels) panel.box.classList.toggle("active", panel.which === state.active);
  }

  function zoom(factor) {
    state.zoom = Math.max(1, Math.min(8, factor));
    reframe();
    draw([]);
  }

  function voxelAt(panel, event) {
    const { plane, canvas } = panel;
    const box = canvas.getBoundingClientRect();
    const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (u < 0 || v < 0 || u >= 1 || v >= 1) return null;
    const [across, down] = [view(plane.across), view(plane.down)];
    const at = [...state.at];
    const { shape, spacing } = patient.meta;
    const put = (axis, mm) => { at[axis] = Math.max(0, Math.min(shape[axis] - 1, Math.floor(mm / spacing[axis]))); };
    put(plane.across, across[0] + u * (across[1] - across[0]));
    put(plane.down, plane.flip ? down[1] - v * (down[1] - down[0]) : down[0] + v * (down[1] - down[0]));
    return at;
  }

  function listen(panel) {
    const { box } = panel;
    box.addEventListener("pointerdown", (event) => {
      const at = voxelAt(panel, event);
      activate(panel.which);
      if (!at) return;
      box.setPointerCapture(event.pointerId);
      move(at);
    });
    box.addEventListener("pointermove", (event) => {
      const at = voxelAt(panel, event);
      if (!at) return;
      if (event.buttons & 1) move(at);
      else tell(at, panel.plane);
    });
    box.addEventListener("pointerleave", () => tell(state.at, PLANES[state.active]));
    box.addEventListener("wheel", (event) => {
      event.preventDefault();
      activate(panel.which);
      step(Math.sign(event.deltaY) * (event.shiftKey ? 10 : 1));
    }, { passive: false });
  }

  function toggle(id) {
    const box = element(id);
    if (!box) return;
    box.checked = !box.checked;
    state[id] = box.checked;
    draw([0, 1, 2]);
  }

  const KEYS = {
    ArrowUp: () => step(1), ArrowDown: () => step(-1), PageUp: () => step(10), PageDown: () => step(-10),
    ArrowLeft: () => activate(state.active - 1), ArrowRight: () => activate(state.active + 1),
    "+": () => zoom(state.zoom * 1.5), "=": () => zoom(state.zoom * 1.5), "-": () => zoom(state.zoom / 1.5), 0: () => zoom(1),
    h: () => toggle("heat"), m: () => toggle("mask"), s: () => toggle("segmentation"), c: () => toggle("cross"),
    Home: () => move([...patient.meta.centre]),
  };

  addEventListener("keydown", (event) => {
    if (!patient || event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = event.target.tagName;
    // Sliders, lists and radio buttons keep the keys that they use themselves.
    const own = focused === "SELECT" || (focused === "INPUT" && event.target.type !== "checkbox");
    if (own && (event.key.length > 1 || focused === "SELECT")) return;
    const act = KEYS[event.key] || KEYS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  function percent(id) {
    const out = element(`out-${id}`);
    if (out) out.textContent = `${Math.round(state[id] * 100)}%`;
  }

  element("controls").addEventListener("submit", (event) => event.preventDefault());
  element("controls").addEventListener("input", (event) => {
    if (!patient) return;
    const { id, name, value, checked, type } = event.target;
    if (id.startsWith("slice-")) {
      const to = [...state.at];
      to[Number(id.slice(6))] = Number(value);
      activate(Number(id.slice(6)));
      move(to);
    } else if (type === "range") {
      state[id] = Number(value) / 100;
      percent(id);
      draw([0, 1, 2]);
    } else if (type === "checkbox") {
      state[id] = checked;
      draw([0, 1, 2]);
    } else if (name === "label") {
      state.label = Number(value);
      build();
      notes();
    } else if (name === "model") {
      state.models = value === "all" ? data.models.map((_, k) => k) : [Number(value)];
      build();
      notes();
    } else if (id === "patient") {
      show(Number(value));
    }
  });

  function notes() {
    const facts = patient.meta.facts.map(([key, value]) => `${key} ${value}`);
    element("facts").textContent = [patient.meta.id, ...facts].join(" · ");
    const said = state.models.map((model) => (model < 0 ? null : mapOf(model))).filter(Boolean).map((map) => map.note);
    element("note").textContent = [...new Set(said)].join(" ");
  }

  async function show(which) {
    root.removeAttribute("data-viewer");
    patient = await loaded(which);
    state.patient = which;
    state.at = [...patient.meta.centre];
    state.zoom = 1;
    build();
    notes();
    root.dataset.viewer = "ready";
  }

  function bar() {
    const place = element("bar");
    if (!place) return;
    const style = getComputedStyle(root);
    const scale = data.turbo.map((rgb, i) => [i / 255, `rgb(${rgb})`]);
    Plotly.newPlot(
      place,
      [{
        type: "scatter", x: [null], y: [null], mode: "markers", hoverinfo: "skip",
        marker: {
          color: [0], cmin: 0, cmax: 1, colorscale: scale, showscale: true,
          colorbar: {
            orientation: "h", x: 0, xanchor: "left", y: 0.5, yanchor: "middle", len: 1, thickness: 12, xpad: 10, ypad: 0,
            title: { text: "Heat map, share of its peak", side: "top" }, outlinewidth: 0, tickvals: [0, 0.25, 0.5, 0.75, 1],
          },
        },
      }],
      {
        width: place.clientWidth, height: 54, margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)", xaxis: { visible: false }, yaxis: { visible: false },
        font: { family: style.getPropertyValue("--sans"), size: 11, color: style.getPropertyValue("--ink").trim() },
      },
      { staticPlot: true },
    );
  }

  let lastWidth = innerWidth;
  let resizing = 0;
  addEventListener("resize", () => {
    if (innerWidth === lastWidth || !patient) return;
    lastWidth = innerWidth;
    clearTimeout(resizing);
    resizing = setTimeout(build, 120);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (patient) { bar(); build(); } });

  async function start() {
    // The policy knows this very text by its hash.
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(await unpacked("plotly"));
    document.head.append(script);
    for (const id of ["opacity", "threshold", "window", "level"]) {
      const slider = element(id);
      if (slider) slider.value = String(state[id] * 100);
      percent(id);
    }
    bar();
    await show(0);
  }

  start().catch((error) => {
    element("readout").textContent = `The volume cannot be shown: ${error.message}. A current browser is needed.`;
    throw error;
  });
})();

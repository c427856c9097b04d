// The page's own script: theme, contents, copy buttons, and the figures with their controls.
(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const darkScheme = matchMedia("(prefers-color-scheme: dark)");
  const finePointer = matchMedia("(pointer: fine)").matches;
  root.classList.add("js");
  let printing = false;

  const isDark = () => !printing && (root.dataset.theme || (darkScheme.matches ? "dark" : "light")) === "dark";

  // ---- figures: one light specification each ----

  const config = {
    displaylogo: false,
    responsive: false,
    scrollZoom: false,
    displayModeBar: finePointer ? "hover" : false,
    showTips: false,
  };

  const states = new Map();

  function visibleTraces(traces, state) {
    return traces.map((trace) => {
      const { model, part } = trace.meta || {};
      const hidden = state.hiddenModels.has(model);
      const off = state.hiddenParts.has(part) || (hidden && trace.showlegend === false);
      return { ...trace, visible: off ? false : hidden ? "legendonly" : true };
    });
  }

  function fitted(layout, width) {
    const margin = layout.margin;
    // A ROC plot is square: its height follows from its width, margins apart.
    const square = layout.meta && layout.meta.square;
    const height = square ? width - margin.l - margin.r + margin.t + margin.b : layout.height;
    return { ...layout, width, height, dragmode: finePointer ? layout.dragmode : false };
  }

  function draw(state, panel) {
    const element = document.getElementById(panel.id);
    const figure = panel.figures[state.set];
    if (!figure) {
      Plotly.purge(element);
      element.textContent = "Nothing to show for this choice.";
      element.removeAttribute("role");
      element.removeAttribute("aria-label");
      return;
    }
    if (!element.querySelector(".plot-container")) element.textContent = "";
    const width = printing ? 318 : element.clientWidth;
    const shown = shownFigure(figure, width, isDark() ? data.dark : null);
    Plotly.react(element, visibleTraces(shown.data, state), fitted(shown.layout, width), {
      ...config,
      modeBarButtons: [["toImage", figure.layout.scene ? "resetCameraDefault3d" : "resetScale2d"]],
      toImageButtonOptions: { format: "svg", filename: panel.id },
    });
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", panel.alternatives[state.set]);
    if (!element.dataset.listening) listen(element, state);
  }

  function listen(element, state) {
    element.dataset.listening = "yes";
    element.on("plotly_legendclick", (event) => {
      const model = event.data[event.curveNumber].meta.model;
      if (model === undefined) return true;
      setModel(state, model, state.hiddenModels.has(model));
      return false;
    });
    element.on("plotly_legenddoubleclick", (event) => {
      const model = event.data[event.curveNumber].meta.model;
      if (model === undefined) return true;
      const alone = data.models.every((other) => other === model || state.hiddenModels.has(other));
      for (const other of data.models) setModel(state, other, alone || other === model, false);
      drawGroup(state);
      return false;
    });
  }

  function setModel(state, model, on, redraw = true) {
    if (on) state.hiddenModels.delete(model);
    else state.hiddenModels.add(model);
    const box = state.element.querySelector(`[data-model="${data.models.indexOf(model)}"]`);
    if (box) box.checked = on;
    if (redraw) drawGroup(state);
  }

  function drawGroup(state) {
    for (const panel of state.group.panels) draw(state, panel);
  }

  // What lies in a closed fold is drawn once it opens: the page appears sooner, and a hidden plot has no width.
  const folded = (element) => !printing && element.closest("details:not([open])") !== null;

  function drawAll() {
    for (const state of states.values()) if (!folded(state.element)) drawGroup(state);
  }

  function startGroup(group) {
    const element = document.querySelector(`[data-group="${group.name}"]`);
    const state = { group, element, set: 0, hiddenModels: new Set(), hiddenParts: new Set() };
    states.set(group.name, state);
    element.querySelector(".controls").addEventListener("change", (event) => {
      const input = event.target;
      if (input.type === "radio") {
        state.set = Number(input.value);
        drawGroup(state);
      } else if (input.dataset.model !== undefined) {
        setModel(state, data.models[Number(input.dataset.model)], input.checked);
      } else {
        if (input.checked) state.hiddenParts.delete(input.dataset.part);
        else state.hiddenParts.add(input.dataset.part);
        drawGroup(state);
      }
    });
    return state;
  }

  // One plot at a time, so that the page can be read while the later ones are still being drawn.
  const queue = [];

  function drawNext() {
    const next = queue.shift();
    if (!next) {
      root.dataset.figures = "ready";
      return;
    }
    if (!folded(next[0].element)) draw(...next);
    setTimeout(drawNext, 0);
  }

  function drawInTurn(wanted) {
    const idle = root.dataset.figures !== "drawing";
    root.dataset.figures = "drawing";
    queue.push(...wanted.flatMap((state) => state.group.panels.map((panel) => [state, panel])));
    if (idle) drawNext();
  }

  if (data.groups.length) {
    drawInTurn(data.groups.map(startGroup));
    for (const fold of document.querySelectorAll("details")) {
      fold.addEventListener("toggle", () => {
        if (!fold.open || printing) return;
        drawInTurn([...states.values()].filter((state) => fold.contains(state.element)));
      });
    }
    let lastWidth = innerWidth;
    let waiting = 0;
    addEventListener("resize", () => {
      // Phones report a resize whenever their address bar slides away; only a new width matters.
      if (innerWidth === lastWidth) return;
      lastWidth = innerWidth;
      clearTimeout(waiting);
      waiting = setTimeout(drawAll, 120);
    });
  } else {
    root.dataset.figures = "ready";
  }

  // ---- theme ----

  const themeButton = document.getElementById("theme");

  function showTheme() {
    const dark = isDark();
    themeButton.textContent = dark ? "Light" : "Dark";
    themeButton.setAttribute("aria-pressed", String(dark));
    themeButton.setAttribute("aria-label", dark ? "Switch to light colours" : "Switch to dark colours");
  }

  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
    drawAll();
  });
  darkScheme.addEventListener("change", () => {
    showTheme();
    drawAll();
  });
  showTheme();

  // ---- folds: a link to one, or into one, opens it ----

  function reveal(hash) {
    const target = document.getElementById(hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    return target;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) reveal(link.hash);
  });
  addEventListener("hashchange", () => reveal(location.hash));
  if (location.hash) {
    const target = reveal(location.hash);
    if (target) target.scrollIntoView();
  }

  // ---- contents ----

  const nav = document.getElementById("contents");
  const menu = document.getElementById("menu");

  function openMenu(open) {
    nav.classList.toggle("open", open);
    menu.setAttribute("aria-expanded", String(open));
  }

  menu.addEventListener("click", () => openMenu(!nav.classList.contains("open")));
  nav.addEventListener("click", (event) => {
    if (event.target.closest("a")) openMenu(false);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && nav.classList.contains("open")) {
      openMenu(false);
      menu.focus();
    }
  });

  const links = new Map([...nav.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id).setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "-10% 0px -80% 0px" },
  );
  for (const id of links.keys()) watcher.observe(document.getElementById(id));

  // ---- copy ----

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without the clipboard's permission: select the text in a field and copy the selection.
      const field = document.createElement("textarea");
      field.value = text;
      field.setAttribute("readonly", "");
      field.className = "skip";
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  }

  const status = document.getElementById("status");
  for (const button of document.querySelectorAll(".copy")) {
    const called = button.textContent;
    button.addEventListener("click", async () => {
      const done = await copy(data.copy[button.dataset.copy]);
      status.textContent = done ? "Copied to the clipboard." : "Could not copy; select the text instead.";
      button.textContent = done ? "Copied" : called;
      setTimeout(() => {
        button.textContent = called;
        status.textContent = "";
      }, 2000);
    });
  }

  // ---- print: light figures at the width of half a page, every fold open ----

  let opened = [];

  function startPrint() {
    if (printing) return;
    printing = true;
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
    drawAll();
  }

  function endPrint() {
    if (!printing) return;
    printing = false;
    for (const fold of opened) fold.open = false;
    drawAll();
  }

  addEventListener("beforeprint", startPrint);
  addEventListener("afterprint", endPrint);
  matchMedia("print").addEventListener("change", (event) => (event.matches ? startPrint() : endPrint()));
})();

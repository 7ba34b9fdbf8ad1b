"use strict";

const byId = (id) => document.getElementById(id);

/* Build an element; whatever comes from the data is set as text, never as markup. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/* Tables: a click on a heading sorts by its column, up, then down, then as it was. */
function sortable(table) {
  const body = table.tBodies[0];
  const rows = [...table.tBodies].flatMap((part) => [...part.rows]);
  const headings = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    return a.localeCompare(b, "en", { numeric: true });
  };
  const sort = (heading, column) => {
    const next = { ascending: "descending", descending: "none" };
    const order = next[heading.getAttribute("aria-sort")] ?? "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    if (order !== "none") heading.setAttribute("aria-sort", order);
    const sign = { ascending: 1, descending: -1, none: 0 }[order];
    const isMissing = (row) => ["", "–", "no objects"].includes(value(row, column));
    const sorted = rows.toSorted((a, b) =>
      sign && (isMissing(a) - isMissing(b) || sign * compare(value(a, column), value(b, column))));
    body.append(...sorted);
  };
  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", title: "Sort by this column" });
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading, column));
  });
}

/* Figures: what a mark stands for, under the pointer, or by the arrow keys once a figure has focus. */
function tips() {
  const box = make("div", { id: "tip", role: "status", hidden: true });
  document.body.append(box);
  let shown = null;
  const hide = () => {
    shown?.classList.remove("here");
    shown = null;
    box.hidden = true;
  };
  const show = (mark) => {
    hide();
    shown = mark;
    mark.classList.add("here");
    box.textContent = mark.dataset.tip;
    box.hidden = false;
    const at = mark.getBoundingClientRect();
    const left = at.left + at.width / 2 - box.offsetWidth / 2;
    const above = at.top - box.offsetHeight - 8;
    box.style.left = `${Math.max(4, Math.min(left, document.documentElement.clientWidth - box.offsetWidth - 4))}px`;
    box.style.top = `${above > 4 ? above : at.bottom + 8}px`;
  };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest?.("[data-tip]");
    if (mark) show(mark);
    else if (shown) hide();
  });
  document.addEventListener("scroll", hide, { passive: true });
  for (const figure of document.querySelectorAll("svg")) {
    const marks = [...figure.querySelectorAll("[data-tip]")];
    if (!marks.length) continue;
    let place = -1;
    figure.setAttribute("tabindex", "0");
    figure.setAttribute("aria-roledescription", "figure; arrow keys read its values");
    figure.addEventListener("blur", hide);
    figure.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      place = (place + step + marks.length) % marks.length;
      show(marks[place]);
    });
  }
}

/* Contents: the section that is being read is marked. */
function contents() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      const link = links.get(target.id);
      link.setAttribute("aria-current", "true");
      const list = link.closest("ul");
      list.scrollLeft = link.offsetLeft - list.clientWidth / 2;
    }
  }, { rootMargin: "-15% 0px -80% 0px" });
  for (const id of links.keys()) watcher.observe(byId(id));
}

/* The gallery. */
function explorer() {
  const page = 48;
  const data = JSON.parse(byId("explorer-data").textContent);
  const form = document.querySelector(".filters");
  const list = document.querySelector("#explorer .tiles");
  const dialog = byId("instance");
  const size = 2 * 96;
  let found = [];
  let current = -1;

  const objects = data.objects.map((object, number) => ({
    ...object,
    id: `object-${object.image}-${object.object}`,
    number,
    views: object.views.map((view) => Object.fromEntries(data.view.map((name, i) => [name, view[i]]))),
  }));
  const turn = new Map();
  const place = { group: {} };
  for (const object of objects) {
    place.group[object.group] = (place.group[object.group] ?? 0) + 1;
    turn.set(object, place.group[object.group]);
  }

  const pictures = new Map();
  const picture = (object) => {
    if (!pictures.has(object)) {
      const image = new Image();
      image.src = object.pictures;
      pictures.set(object, image.decode().then(() => image));
    }
    return pictures.get(object);
  };
  const values = (object) => Uint8Array.from(atob(object.maps), (letter) => letter.charCodeAt(0));

  /* Colours of a map, enlarged bilinearly as the analysis does; `top` is the brightest value. */
  const palette = data.stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  function heat(cells, scale) {
    const n = data.cells;
    const image = new ImageData(96, 96);
    const along = Array.from({ length: 96 }, (_, at) => {
      const x = Math.min(Math.max(((at + 0.5) * n) / 96 - 0.5, 0), n - 1);
      const low = Math.floor(x);
      return [low, Math.min(low + 1, n - 1), x - low];
    });
    along.forEach(([top, bottom, down], y) => along.forEach(([left, right, across], x) => {
      const row = (at) => cells[at * n + left] * (1 - across) + cells[at * n + right] * across;
      const value = ((row(top) * (1 - down) + row(bottom) * down) / 255) * scale;
      const step = Math.min(value, 1) * (palette.length - 1);
      const low = Math.floor(step);
      const high = Math.min(low + 1, palette.length - 1);
      const colour = palette[low].map((part, i) => part + (palette[high][i] - part) * (step - low));
      image.data.set([...colour, 255], 4 * (96 * y + x));
    }));
    const canvas = make("canvas", { width: 96, height: 96 });
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  function draw(object, condition, { map = false, top = null } = {}) {
    const view = object.views[condition];
    const wide = view.ratio >= 4 / 3;
    const width = wide ? (size * 4) / 3 : size * view.ratio;
    const height = wide ? width / view.ratio : size;
    const frame = [(size * 4) / 3, size];
    const canvas = make("canvas", { width: frame[0], height: frame[1] });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${data.categories[object.category]} under ${data.conditions[condition].label}${map ? ", its map" : ""}`);
    picture(object).then((image) => {
      const context = canvas.getContext("2d");
      context.translate((frame[0] - width) / 2, (frame[1] - height) / 2);
      const side = image.naturalHeight;
      if (side * condition < image.naturalWidth) {
        context.drawImage(image, side * condition, 0, side, side, 0, 0, width, height);
        if (map) {
          const cells = values(object).subarray(data.cells ** 2 * condition, data.cells ** 2 * (condition + 1));
          context.globalAlpha = data.alpha;
          context.drawImage(heat(cells, top ? view.peak / top : 1), 0, 0, width, height);
          context.globalAlpha = 1;
        }
      } else {
        context.fillStyle = getComputedStyle(canvas).color;
        context.font = "16px sans-serif";
        context.fillText("picture not kept", 10, 24);
      }
      const box = [view.x * width - 2, view.y * height - 2, view.w * width + 4, view.h * height + 4];
      for (const [colour, line] of [["#10151c", 4], ["#ffffff", 1.8]]) {
        context.strokeStyle = colour;
        context.lineWidth = line;
        context.strokeRect(...box);
      }
    });
    return canvas;
  }

  const outcome = (view) => make("b", { className: view.failed ? "wrong" : "right" },
    `${view.failed ? "✗" : "✓"} ${data.categories[view.named]}`);
  const percent = (share) => `${(100 * share).toFixed(0)}%`;

  function tile(object, condition, map) {
    const view = object.views[condition];
    const button = make("button", { type: "button", className: "tile" },
      draw(object, condition, { map }),
      make("span", {}, outcome(view)),
      make("span", { className: "what" }, `${data.categories[object.category]}, ${object.group}, ${object.side} px`));
    button.addEventListener("click", () => { location.hash = object.id; });
    return make("li", {}, button);
  }

  const orders = {
    "": (a, b) => turn.get(a) - turn.get(b) || a.number - b.number,
    smallest: (a, b) => a.side - b.side,
    largest: (a, b) => b.side - a.side,
    sure: (a, b, at) => b.views[at].confidence - a.views[at].confidence,
    lift: (a, b, at) => (b.views[at].lift ?? -1) - (a.views[at].lift ?? -1),
  };

  function more() {
    const at = Number(form.elements.condition.value);
    const start = list.children.length;
    list.append(...found.slice(start, start + page).map((object) => tile(object, at, form.elements.maps.checked)));
    const left = found.length - list.children.length;
    byId("more").hidden = left <= 0;
    byId("more").textContent = `Show ${Math.min(left, page)} more`;
    byId("found").textContent = `${found.length} of ${objects.length} objects; ${list.children.length} shown.`;
    return start;
  }

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const at = Number(wanted.condition);
    const fits = {
      group: (object) => object.group,
      category: (object) => object.category,
      outcome: (object) => object.views[at].failed,
      cause: (object) => object.cause,
    };
    found = objects.filter((object) =>
      Object.entries(fits).every(([name, of]) => !wanted[name] || String(of(object)) === wanted[name]));
    found.sort((a, b) => orders[wanted.order](a, b, at));
    list.replaceChildren();
    more();
  }

  function open(object) {
    current = found.indexOf(object);
    const category = data.categories[object.category];
    byId("instance-title").textContent = `${category}, ${object.group}, side ${object.side} px`;
    const facts = [
      ["Object", `image ${object.image}, object ${object.object}${object.file ? `, ${object.file}` : ""}`],
      ["Suggested cause", object.cause === undefined ? "none: it is recognised" : (data.causes[object.cause] ?? "none suggested")],
    ];
    if (object.neighbour) facts.push(["Neighbour so named", object.neighbour]);
    if (object.rescued) facts.push(["Rescued by", object.rescued.join("; ") || "nothing that was tried"]);
    byId("instance-facts").replaceChildren(...facts.map(([term, said]) =>
      make("div", {}, make("dt", {}, term), make("dd", {}, said))));
    const top = Math.max(...object.views.map((view) => view.peak ?? 0));
    dialog.querySelector(".ends span:last-child").textContent = top.toPrecision(2);
    dialog.querySelector(".views").replaceChildren(...object.views.map((view, condition) => make("li", {},
      make("h4", {}, data.conditions[condition].label),
      draw(object, condition),
      draw(object, condition, { map: true, top }),
      make("p", {}, outcome(view), ` ${Math.round(view.right * data.seeds)} of ${data.seeds} seeds right`),
      make("p", { className: "what" },
        `map for ${data.categories[view.predicted]} (${percent(view.confidence)}), lift ${view.lift ?? "–"}`))));
    for (const button of dialog.querySelectorAll("[data-step]")) {
      button.disabled = !found[current + Number(button.dataset.step)] || current < 0;
    }
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    byId("instance-title").focus();
  }

  const step = (by) => {
    const next = current < 0 ? undefined : found[current + by];
    if (next) history.replaceState(null, "", `#${next.id}`), open(next);
  };
  const follow = () => {
    const object = objects.find(({ id }) => `#${id}` === location.hash);
    if (object) open(object);
    else if (dialog.open) dialog.close();
  };

  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  byId("more").addEventListener("click", () => list.children[more()].firstChild.focus());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    const button = event.target.closest("[data-step]");
    if (button) step(Number(button.dataset.step));
  });
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) step(by);
  });
  dialog.addEventListener("close", () => {
    if (location.hash.startsWith("#object-")) history.replaceState(null, "", "#galleries");
  });
  addEventListener("hashchange", follow);
  byId("explorer").hidden = false;
  filter();
  follow();
}

document.querySelectorAll("table.sortable").forEach(sortable);
tips();
contents();
explorer();

"use strict";

/* Makes figures, tables and objects answer to pointer and keys. Without it the page is still whole,
   but for the gallery. Whatever comes from the data is set as text, never as markup. */

const byId = (id) => document.getElementById(id);
const isPlain = (event) => !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/* Tables ------------------------------------------------------------------------------------- */

const letters = new Intl.Collator("en");

/* What a cell is sorted by: texts and numbers in turn; null where it says nothing. */
function sortKey({ dataset, textContent }) {
  const text = textContent.trim();
  if (dataset.sort === undefined) {
    return ["", "–", "no objects"].includes(text) ? null : text.split(/(\d+(?:\.\d+)?)/);
  }
  const number = Number(dataset.sort);
  return Number.isNaN(number) ? null : ["", number];
}

function compareKeys(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = i % 2 ? a[i] - b[i] : letters.compare(a[i], b[i]);
    if (order) return order;
  }
  return a.length - b.length;
}

/* A click on a heading sorts by its column, up, then down, then as it was. */
function sortable(table) {
  const parts = [...table.tBodies].map((body) => ({ body, rows: [...body.rows] }));
  const rows = parts.flatMap((part) => part.rows);
  const headings = [...table.tHead.rows[0].cells];

  const sort = (heading, column) => {
    const next = { ascending: "descending", descending: "none" };
    const order = next[heading.getAttribute("aria-sort")] ?? "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    if (order === "none") {
      parts.forEach((part) => part.body.append(...part.rows));
      return;
    }
    heading.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keys = new Map(rows.map((row) => [row, sortKey(row.cells[column])]));
    const known = rows.filter((row) => keys.get(row) !== null);
    const missing = rows.filter((row) => keys.get(row) === null);
    known.sort((a, b) => sign * compareKeys(keys.get(a), keys.get(b)));
    parts[0].body.append(...known, ...missing);
  };

  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", title: "Sort by this column" }, ...heading.childNodes);
    button.addEventListener("click", () => sort(heading, column));
    heading.append(button);
  });
}

/* Figures ------------------------------------------------------------------------------------ */

/* The mark within reach of the pointer that is nearest: marks are smaller than a fingertip. */
function nearest(marks, { clientX: x, clientY: y }) {
  let least = 12;
  let found = null;
  for (const mark of marks) {
    const { left, right, top, bottom } = mark.getBoundingClientRect();
    const distance = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
    if (distance < least) [least, found] = [distance, mark];
  }
  return found;
}

/* What a mark stands for: near the pointer, or by the arrow keys once a figure has focus. */
function tips() {
  // Always there, empty or not: a status that comes and goes is not read out.
  const box = make("div", { id: "tip", role: "status" });
  document.body.append(box);
  let shown = null;

  const place = () => {
    if (!shown) return;
    const at = shown.getBoundingClientRect();
    const left = at.left + at.width / 2 - box.offsetWidth / 2;
    const most = document.documentElement.clientWidth - box.offsetWidth - 4;
    const above = at.top - box.offsetHeight - 8;
    box.style.left = `${Math.max(4, Math.min(left, most))}px`;
    box.style.top = `${above > 4 ? above : at.bottom + 8}px`;
  };
  const show = (mark) => {
    if (mark === shown) return;
    shown?.classList.remove("here");
    shown = mark;
    shown?.classList.add("here");
    box.textContent = mark?.dataset.tip ?? "";
    place();
  };
  const hide = () => show(null);

  const listen = (figure, marks) => {
    figure.setAttribute("tabindex", "0");
    // As an image it would keep no arrow key from a screen reader.
    figure.setAttribute("role", "application");
    figure.setAttribute("aria-roledescription", "figure; arrow keys read its values");
    figure.addEventListener("blur", hide);
    figure.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || !isPlain(event)) return;
      event.preventDefault();
      const from = marks.includes(shown) ? marks.indexOf(shown) : Math.min(-step, 0);
      const mark = marks[(from + step + marks.length) % marks.length];
      mark.scrollIntoView({ block: "nearest" });
      show(mark);
    });
    for (const type of ["pointermove", "pointerdown"]) {
      figure.addEventListener(type, (event) => show(nearest(marks, event)));
    }
    // The pointer may go on to the text; a finger that is lifted leaves it to be read.
    figure.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && event.relatedTarget !== box) hide();
    });
  };

  for (const figure of document.querySelectorAll("svg")) {
    const marks = [...figure.querySelectorAll("[data-tip]")];
    if (marks.length) listen(figure, marks);
  }
  box.addEventListener("pointerleave", hide);
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("svg, #tip")) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  document.addEventListener("scroll", place, { capture: true, passive: true });
}

/* Contents ----------------------------------------------------------------------------------- */

/* The section that is being read is marked, and in view: the last one that begins in the upper fifth
   of the window or above. By scroll events: an IntersectionObserver can tell of the section left
   after the one jumped to. */
function contents() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...document.querySelectorAll("main > section")].filter(({ id }) => links.has(id));
  let current = null;

  const mark = () => {
    const line = innerHeight / 5;
    const read = sections.findLast((section) => section.getBoundingClientRect().top <= line);
    const link = links.get(read?.id) ?? null;
    if (link === current) return;
    current?.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
    current = link;
    if (!link) return;
    const list = link.closest("ul");
    list.scrollLeft = link.offsetLeft + (link.offsetWidth - list.clientWidth) / 2;
  };
  document.addEventListener("scroll", mark, { passive: true });
  addEventListener("resize", mark);
  mark();
}

/* Objects ------------------------------------------------------------------------------------ */

/* All objects, each with its id in addresses, and its turn among those of its size. */
function readObjects() {
  const data = JSON.parse(byId("explorer-data").textContent);
  const turns = {};
  for (const object of data.objects) {
    object.id = `object-${object.image}-${object.object}`;
    object.turn = turns[object.group] = (turns[object.group] ?? 0) + 1;
  }
  return data;
}

/* An object under a condition. Values stand in the page without their names, to keep it small. */
function viewOf(data, object, at) {
  return Object.fromEntries(data.view.map((name, i) => [name, object.views[at][i]]));
}

/* As the tables round it, but for what is small; the unit stays on its line. */
const pixels = (side) => `${side.toFixed(side < 10 ? 1 : 0)}\u00a0px`;

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/* All pictures of an object, side by side. Browsers keep what an image element has decoded, and
   hundreds of objects may be looked at: a bitmap goes when it is drawn. */
function decoded(object) {
  const [head, content] = object.pictures.split(",");
  return createImageBitmap(new Blob([bytesOf(content)], { type: head.slice(5, head.indexOf(";")) }));
}

/* Empty a list of pictures. A canvas that is merely taken out keeps its pixels for long. */
function clear(list) {
  for (const canvas of list.querySelectorAll("canvas")) canvas.width = 0;
  list.replaceChildren();
}

/* What an object was named, by most seeds where there are several. */
function outcome(data, view) {
  const [className, sign, label] = view.failed ? ["wrong", "✗", "failed, named"] : ["right", "✓", "recognised as"];
  const mark = make("span", { role: "img", ariaLabel: label }, sign);
  return make("b", { className }, mark, ` ${data.categories[view.named]}`);
}

/* The box; and where it is hard to find, four strokes that point at it, as on paper. */
function outline(context, x, y, width, height) {
  const lines = new Path2D();
  lines.rect(x - 2, y - 2, width + 4, height + 4);
  if (Math.min(width, height) < 23) {
    for (const [right, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      const at = (far) => [x + width / 2 + right * (width / 2 + far), y + height / 2 + down * (height / 2 + far)];
      lines.moveTo(...at(8));
      lines.lineTo(...at(30));
    }
  }
  for (const [colour, line] of [["#10151c", 4], ["#ffffff", 1.8]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.stroke(lines);
  }
}

/* 256 colours, evenly between the stops of the colour map. */
function palette(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, step) => {
    const place = (step / 255) * (parts.length - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, parts.length - 1);
    return parts[low].map((part, i) => part + (parts[high][i] - part) * (place - low));
  });
}

/* Gives a function that draws an object under a condition, and one that says whether it can. */
function drawing(data) {
  const [wide, high] = [256, 192];
  const side = 96;
  const count = data.cells ** 2;
  const colours = palette(data.stops);
  // Maps are enlarged bilinearly, as the analysis does: cells before and after, and how far between.
  const between = Array.from({ length: side }, (_, at) => {
    const place = Math.min(Math.max(((at + 0.5) * data.cells) / side - 0.5, 0), data.cells - 1);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, data.cells - 1), place - low];
  });
  const scratch = make("canvas");

  const isKept = (object, at) => bytesOf(object.maps).length >= count * (at + 1);

  /* One of an object's pictures by itself: from a row of them, its edge would take up the next one's. */
  function cut(thumbnails, at) {
    scratch.width = scratch.height = thumbnails.height;
    scratch.getContext("2d").drawImage(thumbnails, -thumbnails.height * at, 0);
    return scratch;
  }

  /* The colours of a map; its greatest cell is 255 times the scale. */
  function heat(cells, scale) {
    const image = new ImageData(side, side);
    between.forEach(([top, bottom, down], y) => between.forEach(([left, right, across], x) => {
      const row = (at) => cells[at * data.cells + left] * (1 - across) + cells[at * data.cells + right] * across;
      const value = (row(top) * (1 - down) + row(bottom) * down) * scale;
      image.data.set(colours[Math.min(Math.round(value), 255)], 4 * (side * y + x));
      image.data[4 * (side * y + x) + 3] = 255;
    }));
    scratch.width = scratch.height = side;
    scratch.getContext("2d").putImageData(image, 0, 0);
    return scratch;
  }

  /* `top` is the value that has the brightest colour; without, the map's own greatest. A picture
     without a label is one that the text beside it describes. */
  function draw(object, at, image, { map = false, top = null, label = null } = {}) {
    if (!isKept(object, at)) return make("span", { className: "unkept" }, "picture not kept");
    const view = viewOf(data, object, at);
    // Pictures are square as the network sees them; here they have their own proportions.
    const width = Math.min(wide, high * view.ratio);
    const height = width / view.ratio;
    const attributes = label ? { role: "img", ariaLabel: label } : { ariaHidden: "true" };
    const canvas = make("canvas", { width: wide, height: high, ...attributes });
    image.then((thumbnails) => {
      const context = canvas.getContext("2d");
      context.translate((wide - width) / 2, (high - height) / 2);
      context.drawImage(cut(thumbnails, at), 0, 0, width, height);
      if (map) {
        const cells = bytesOf(object.maps).subarray(count * at, count * (at + 1));
        context.globalAlpha = data.alpha;
        context.drawImage(heat(cells, top ? view.peak / top : 1), 0, 0, width, height);
        context.globalAlpha = 1;
      }
      outline(context, view.x * width, view.y * height, view.w * width, view.h * height);
    });
    return canvas;
  }

  return { draw, isKept };
}

/* The gallery: gives what it shows now, in order, and the tile of an object that has one. */
function gallery(data, { draw }) {
  const page = 48;
  const form = document.querySelector(".filters");
  const list = byId("objects");
  const orders = {
    "": (a, b) => a.turn - b.turn || data.groups.indexOf(a.group) - data.groups.indexOf(b.group),
    smallest: (a, b) => a.side - b.side,
    largest: (a, b) => b.side - a.side,
    sure: (a, b) => b.now.confidence - a.now.confidence,
    lift: (a, b) => (b.now.lift ?? -1) - (a.now.lift ?? -1),
  };
  const traits = {
    group: (object) => object.group,
    category: (object) => object.category,
    outcome: (object) => object.now.failed,
    cause: (object) => object.cause,
  };
  let condition = -1;
  let found = [];

  function tile(object) {
    const what = `${data.categories[object.category]}, ${object.group}, ${pixels(object.side)}`;
    return make("li", {}, make("a", { className: "tile", href: `#${object.id}` },
      draw(object, condition, decoded(object), { map: form.elements.maps.checked }),
      outcome(data, object.now),
      make("span", { className: "what" }, what)));
  }

  function more() {
    const start = list.children.length;
    list.append(...found.slice(start, start + page).map(tile));
    const left = found.length - list.children.length;
    byId("more").hidden = left === 0;
    byId("more").textContent = `Show ${Math.min(left, page)} more`;
    byId("found").textContent = `${found.length} of ${data.objects.length} objects; ${list.children.length} shown.`;
    return list.children[start]?.firstChild;
  }

  function choose(at) {
    if (at === condition) return;
    condition = at;
    for (const object of data.objects) object.now = viewOf(data, object, at);
  }

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    choose(Number(wanted.condition));
    const asked = Object.entries(traits).filter(([name]) => wanted[name]);
    found = data.objects.filter((object) => asked.every(([name, of]) => String(of(object)) === wanted[name]));
    found.sort(orders[wanted.order]);
    clear(list);
    more();
  }

  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  // Fields have their first values only after this event.
  form.addEventListener("reset", () => setTimeout(filter));
  byId("more").addEventListener("click", () => more().focus());
  byId("explorer").hidden = false;
  filter();
  return {
    shown: () => found,
    tileOf: (object) => list.children[found.indexOf(object)]?.firstChild,
  };
}

/* One object in all that is shown of it, in a dialog that has an address of its own. */
function instance(data, { draw, isKept }, { shown, tileOf }) {
  const dialog = byId("instance");
  const title = byId("instance-title");
  const steps = [...dialog.querySelectorAll("[data-step]")];
  const objects = new Map(data.objects.map((object) => [`#${object.id}`, object]));
  let around = [];
  let current = null;
  let opener = null;

  function factsOf(object) {
    const recognised = object.cause === undefined;
    return [
      ["Object", `image ${object.image}, object ${object.object}${object.file ? `, ${object.file}` : ""}`],
      ["Suggested cause", recognised ? "none: it is recognised in the whole picture" : data.causes[object.cause]],
      ["Neighbour so named", object.neighbour],
      ["Right given", object.given && (object.given.join("; ") || "nothing that was tried")],
      [`Its ${data.task} is right under`, object.rescued && (object.rescued.join("; ") || "nothing that was tried")],
    ].filter(([, text]) => text);
  }

  function viewItem(object, at, image, top) {
    const view = viewOf(data, object, at);
    const label = data.conditions[at].label;
    const pictures = [draw(object, at, image, { label: `${label}: the object, boxed` })];
    if (isKept(object, at)) {
      pictures.push(draw(object, at, image, { map: true, top, label: `${label}: its map` }));
    }
    const share = `${(100 * view.confidence).toFixed(0)}%`;
    const map = `map for ${data.categories[view.predicted]} (${share}), lift ${view.lift?.toFixed(2) ?? "–"}`;
    return make("li", {},
      make("h4", {}, label),
      ...pictures,
      make("p", {}, outcome(data, view), data.seeds > 1 ? ` ${Math.round(view.right * data.seeds)} of ${data.seeds} seeds right` : ""),
      make("p", { className: "what" }, map));
  }

  function fill(object) {
    const index = around.indexOf(object);
    const top = Math.max(...data.conditions.map((_, at) => viewOf(data, object, at).peak ?? 0));
    const image = decoded(object);
    title.textContent = `${data.categories[object.category]}, ${object.group}, side ${pixels(object.side)}`;
    byId("instance-place").textContent = `${index + 1} of ${around.length}`;
    byId("instance-facts").replaceChildren(...factsOf(object).map(([term, text]) =>
      make("div", {}, make("dt", {}, term), make("dd", {}, text))));
    dialog.querySelector(".ends span:last-child").textContent = Number(top.toPrecision(2));
    clear(byId("views"));
    byId("views").append(...data.conditions.map((_, at) => viewItem(object, at, image, top)));
    for (const button of steps) button.disabled = !around[index + Number(button.dataset.step)];
    dialog.scrollTop = 0;
  }

  function open(object) {
    // Previous and next lead through what the gallery shows, or through all where it is not there.
    if (!dialog.open || !around.includes(object)) around = shown().includes(object) ? shown() : data.objects;
    current = object;
    fill(object);
    const isNew = !dialog.open;
    if (isNew) {
      opener = document.activeElement;
      dialog.showModal();
    }
    // A button that was just disabled takes no keys any more.
    if (isNew || !dialog.contains(document.activeElement) || document.activeElement.disabled) title.focus();
  }

  function step(by) {
    const next = around[around.indexOf(current) + by];
    if (!next) return;
    history.replaceState(null, "", `#${next.id}`);
    open(next);
  }

  /* Back to where the reader was: a link, the tile of the object seen last, or the gallery. */
  function leave() {
    if (!objects.has(location.hash)) return;
    const link = opener?.closest("a");
    const target = link?.matches(":not(.tile)") ? link : tileOf(current) ?? link;
    if (!target) {
      location.replace("#galleries");
      return;
    }
    history.replaceState(null, "", `#${target.closest("section").id}`);
    target.focus();
  }

  function follow() {
    const object = objects.get(location.hash);
    if (object) open(object);
    else dialog.close();
  }

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && isPlain(event)) step(by);
  });
  for (const button of steps) button.addEventListener("click", () => step(Number(button.dataset.step)));
  dialog.addEventListener("close", leave);
  addEventListener("hashchange", follow);
  follow();
}

document.querySelectorAll("table.sortable").forEach(sortable);
tips();
contents();
if (byId("explorer")) {
  const explored = readObjects();
  const drawn = drawing(explored);
  instance(explored, drawn, gallery(explored, drawn));
}

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
function sortable(table, sorted) {
  const parts = [...table.tBodies].map((body) => ({ body, rows: [...body.rows] }));
  const rows = parts.flatMap((part) => part.rows);
  const headings = [...table.tHead.rows[0].cells];

  const sort = (heading, column) => {
    const next = { ascending: "descending", descending: "none" };
    const order = next[heading.getAttribute("aria-sort")] ?? "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    if (order === "none") {
      parts.forEach((part) => part.body.append(...part.rows));
    } else {
      heading.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const keys = new Map(rows.map((row) => [row, sortKey(row.cells[column])]));
      const known = rows.filter((row) => keys.get(row) !== null);
      const missing = rows.filter((row) => keys.get(row) === null);
      known.sort((a, b) => sign * compareKeys(keys.get(a), keys.get(b)));
      parts[0].body.append(...known, ...missing);
    }
    sorted();
  };

  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", title: "Sort by this column" }, ...heading.childNodes);
    button.addEventListener("click", () => sort(heading, column));
    heading.append(button);
  });
  oneStop(table.tHead, "button", alongRow);
}

const ROWS_A_PAGE = 25;

/* Shows a long table page by page; gives what shows its first one. */
function paged(table, shown) {
  const rows = () => [...table.tBodies].flatMap((body) => [...body.rows]);
  const count = rows().length;
  if (count <= 2 * ROWS_A_PAGE) return () => {};
  let start = 0;
  let size = ROWS_A_PAGE;
  const told = make("span", { role: "status" });
  const back = make("button", { type: "button" }, "‹ Back");
  const next = make("button", { type: "button" }, "Next ›");
  const whole = make("button", { type: "button" });

  function show(from) {
    start = from;
    rows().forEach((row, at) => row.classList.toggle("off", at < start || at >= start + size));
    const end = Math.min(start + size, count);
    told.textContent = `Rows ${start + 1} to ${end} of ${count}`;
    whole.textContent = size === count ? `${ROWS_A_PAGE} a page` : "Show all";
    back.disabled = start === 0;
    next.disabled = end === count;
    shown();
  }

  function turn(button, by) {
    show(start + by * size);
    // From below the next page, its first row is out of sight.
    if (table.getBoundingClientRect().top < 0) table.closest(".scroll").scrollIntoView();
    // A button that was just disabled takes no keys any more.
    if (button.disabled) (button === back ? next : back).focus({ preventScroll: true });
  }

  back.addEventListener("click", () => turn(back, -1));
  next.addEventListener("click", () => turn(next, 1));
  whole.addEventListener("click", () => {
    size = size === count ? ROWS_A_PAGE : count;
    show(0);
  });
  table.closest(".scroll").after(make("div", { className: "pager" }, back, told, next, whole));
  show(0);
  return () => show(0);
}

/* What is wider than its place scrolls, says so, and takes focus so that keys can scroll it; in one
   that fits, nothing scrolls, and the heads stick to the window. */
function fit(region) {
  const handle = make("p", { className: "handle", ariaHidden: "true", hidden: true }, "More columns to the right →");
  region.before(handle);

  const mark = () => {
    region.classList.toggle("more", region.scrollLeft + region.clientWidth < region.scrollWidth - 1);
  };
  const measure = () => {
    region.classList.remove("fits");
    const isWide = region.scrollWidth > region.clientWidth + 1;
    region.classList.toggle("fits", !isWide);
    handle.hidden = !isWide;
    // Whoever reaches something inside it can scroll it from there.
    if (isWide && !region.querySelector("button, a")) region.tabIndex = 0;
    else region.removeAttribute("tabindex");
    mark();
  };
  region.addEventListener("scroll", mark, { passive: true });
  // Measured in the next frame: what changes in this one would be observed again.
  new ResizeObserver(() => requestAnimationFrame(measure)).observe(region);
  measure();
}

/* A narrow screen shows the answer's table row by row, each number after the name of its column. */
function stacked(table) {
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  for (const body of table.tBodies) {
    for (const row of body.rows) {
      [...row.cells].forEach((cell, at) => {
        cell.dataset.column = names[at];
        cell.classList.toggle("nothing", cell.textContent.trim() === "–");
      });
    }
  }
  table.classList.add("stacked");
}

function tables() {
  document.querySelectorAll("#summary .scroll > table").forEach(stacked);
  for (const table of document.querySelectorAll(".scroll > table")) {
    const links = table.querySelector("tbody a") ? oneStop(table, "tbody a", alongColumn) : () => {};
    const first = paged(table, links);
    if (table.matches(".sortable")) sortable(table, first);
  }
  document.querySelectorAll(".scroll").forEach(fit);
}

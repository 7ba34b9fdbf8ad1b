/* Contents ----------------------------------------------------------------------------------- */

/* Open what an address leads into. */
function unfold(element) {
  const own = element?.querySelector(":scope > details.fold");
  for (let fold = own ?? element?.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    fold.open = true;
  }
}

/* The chapter that is being read is marked, and in view: that of the last section that begins in
   the upper fifth of the window or above. By scroll events: an IntersectionObserver can tell of the
   section left after the one jumped to. */
function contents() {
  const bar = document.querySelector("nav ul");
  const links = new Map([...bar.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...document.querySelectorAll("main > section")];
  let current = null;

  const mark = () => {
    const line = innerHeight / 5;
    const read = sections.findLast((section) => section.getBoundingClientRect().top <= line);
    const link = links.get(read?.dataset.chapter) ?? null;
    if (link === current) return;
    current?.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
    current = link;
    if (link) bar.scrollLeft = link.offsetLeft + (link.offsetWidth - bar.clientWidth) / 2;
  };
  const edge = () => bar.classList.toggle("more", bar.scrollLeft + bar.clientWidth < bar.scrollWidth - 1);
  document.addEventListener("scroll", mark, { passive: true });
  bar.addEventListener("scroll", edge, { passive: true });
  addEventListener("resize", () => {
    mark();
    edge();
  });
  mark();
  edge();
}

function folds() {
  const all = [...document.querySelectorAll("details.fold")];
  const button = byId("unfold");
  const say = () => {
    button.textContent = all.every((fold) => fold.open) ? "Fold all" : "Unfold all";
  };
  button.hidden = all.length === 0;
  button.addEventListener("click", () => {
    const open = !all.every((fold) => fold.open);
    for (const fold of all) fold.open = open;
  });
  // By a click too where the address stays as it is, which is no change of it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) unfold(byId(link.hash.slice(1)));
  });
  for (const fold of all) fold.addEventListener("toggle", say);
  const follow = () => unfold(byId(readAddress().anchor));
  addEventListener("hashchange", follow);
  follow();
  say();
}

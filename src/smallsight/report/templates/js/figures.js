/* Figures ------------------------------------------------------------------------------------ */

/* The mark within reach of the pointer that is nearest: marks are smaller than a fingertip. Cells
   that are not, and lead elsewhere, have no reach: the empty one beside them is none of theirs. */
function nearest(marks, { clientX: x, clientY: y }) {
  const far = 12;
  const leads = marks.some((mark) => mark.dataset.to);
  let least = far;
  let found = null;
  for (const mark of marks) {
    const { left, right, top, bottom } = mark.getBoundingClientRect();
    if (leads && right - left >= far && (x < left || x > right || y < top || y > bottom)) continue;
    const distance = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
    if (distance < least) [least, found] = [distance, mark];
  }
  return found;
}

/* What a mark stands for: near the pointer, or by the arrow keys once a figure has focus. A mark
   that has an address leads there, by a click or by Enter. */
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
    // Beside a mark, and over its number, a click leads there as well.
    document.body.classList.toggle("leads", Boolean(shown?.dataset.to));
    box.textContent = mark?.dataset.tip ?? "";
    place();
  };
  const hide = () => show(null);
  // Browsers tell of moves too where the pointer rests and the page moves below it.
  let rest = [];
  const hasMoved = ({ clientX, clientY }) => clientX !== rest[0] || clientY !== rest[1];
  const follow = () => {
    const address = shown?.dataset.to;
    if (!address) return;
    hide();
    location.hash = address;
  };

  /* All panels of a figure are one stop. As an image it would keep arrow keys from a screen reader. */
  const listen = (figure, drawings) => {
    const marks = drawings.flatMap((drawing) => [...drawing.querySelectorAll("[data-tip]")]);
    if (!marks.length) return;
    const names = drawings.map((drawing) => drawing.querySelector("title")?.textContent);
    figure.setAttribute("tabindex", "0");
    figure.setAttribute("role", "application");
    figure.setAttribute("aria-roledescription", "figure; arrow keys read its values");
    figure.setAttribute("aria-label", names.filter(Boolean).join("; "));
    figure.addEventListener("blur", hide);
    figure.addEventListener("keydown", (event) => {
      if (event.key === "Enter") follow();
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || !isPlain(event)) return;
      event.preventDefault();
      const from = marks.includes(shown) ? marks.indexOf(shown) : Math.min(-step, 0);
      const mark = marks[(from + step + marks.length) % marks.length];
      mark.scrollIntoView({ block: "nearest" });
      show(mark);
    });
    for (const type of ["pointermove", "pointerdown"]) {
      figure.addEventListener(type, (event) => {
        if (type === "pointerdown" || hasMoved(event)) show(nearest(marks, event));
      });
    }
    // The pointer may go on to the text; a finger that is lifted leaves it to be read.
    figure.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && event.relatedTarget !== box && hasMoved(event)) hide();
    });
    figure.addEventListener("click", (event) => {
      show(nearest(marks, event));
      follow();
    });
  };

  const figures = new Map();
  for (const drawing of document.querySelectorAll("main svg")) {
    const figure = drawing.closest(".panels") ?? drawing;
    figures.set(figure, [...(figures.get(figure) ?? []), drawing]);
  }
  figures.forEach((drawings, figure) => listen(figure, drawings));
  box.addEventListener("pointerleave", (event) => {
    if (hasMoved(event)) hide();
  });
  document.addEventListener("pointermove", ({ clientX, clientY }) => {
    rest = [clientX, clientY];
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("svg, #tip")) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  document.addEventListener("scroll", place, { capture: true, passive: true });
}

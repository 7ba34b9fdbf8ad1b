/* Stops of the Tab key ----------------------------------------------------------------------- */

/* One stop for many elements of a kind: the arrow keys lead from one to another. `stepOf` says by
   how many a key moves on, or gives nothing. Call what it gives when others stand there. */
function oneStop(group, selector, stepOf) {
  const items = () => [...group.querySelectorAll(selector)].filter((item) => !item.closest(".off"));
  const settle = (current) => {
    for (const item of group.querySelectorAll(selector)) item.tabIndex = item === current ? 0 : -1;
  };
  const refresh = () => {
    const all = items();
    settle(all.find((item) => item.tabIndex === 0 && item.hasAttribute("tabindex")) ?? all[0]);
  };
  group.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) settle(item);
  });
  group.addEventListener("keydown", (event) => {
    const item = event.target.closest(selector);
    if (!item || !isPlain(event)) return;
    const all = items();
    const ends = { Home: 0, End: all.length - 1 };
    const step = stepOf(event.key, all);
    const next = all[event.key in ends ? ends[event.key] : all.indexOf(item) + step];
    if (step === undefined && !(event.key in ends)) return;
    event.preventDefault();
    next?.focus();
  });
  refresh();
  return refresh;
}

const alongRow = (key) => ({ ArrowRight: 1, ArrowLeft: -1 })[key];
const alongColumn = (key) => ({ ArrowDown: 1, ArrowUp: -1 })[key];

/* In a grid, a step down is as many elements as stand beside each other. */
function alongGrid(key, items) {
  const top = items[0].getBoundingClientRect().top;
  const across = items.findIndex((item) => item.getBoundingClientRect().top > top + 1);
  const row = across < 0 ? items.length : across;
  return { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[key];
}

/* One object --------------------------------------------------------------------------------- */

/* One object in all that is shown of it, in a dialog that has an address of its own. */
function dialog(data, { draw, isKept }, { shown, address, tileOf }) {
  const box = byId("instance");
  const title = byId("instance-title");
  const steps = [...box.querySelectorAll("[data-step]")];
  const objects = new Map(data.objects.map((object) => [object.id, object]));
  const wholePicture = data.conditions.findIndex(({ task }) => task === "scene");
  let around = [];
  let current = null;
  let opener = null;

  function factItems(object) {
    const facts = factsOf(data, object);
    return [
      ["Object", `image ${object.image}, object ${object.object}${object.file ? `, ${object.file}` : ""}`],
      ["Suggested cause", facts.cause],
      ["Neighbour so named", facts.neighbour],
      ["Right given", facts.given],
      [`Its ${data.task} is right under`, facts.rescued],
    ]
      .filter(([, text]) => text)
      .map(([term, text]) => make("div", {}, make("dt", {}, term), make("dd", {}, text)));
  }

  function viewItem(object, at, image, top) {
    const view = viewOf(data, object, at);
    const label = data.conditions[at].label;
    const pictures = [draw(object, at, image, { label: `${label}: the object, boxed` })];
    if (isKept(object, at)) {
      pictures.push(draw(object, at, image, { map: true, top, label: `${label}: its map` }));
    }
    return make("li", {},
      make("h4", {}, label),
      ...pictures,
      make("p", {}, outcome(view), data.seeds > 1 ? ` ${Math.round(view.right * data.seeds)} of ${data.seeds} seeds right` : ""),
      make("p", { className: "what" }, `${answerOfMap(data, view)}, lift ${view.lift?.toFixed(2) ?? "–"}`));
  }

  /* All objects of the picture, numbered and boxed in it where whole pictures were shown. */
  function fillPicture(object, image) {
    const all = object.together;
    const others = all.map((one, i) => [one, i + 1]).filter(([one]) => one !== object);
    const at = Math.max(wholePicture, 0);
    const item = (one) => make("li", {},
      one === object ? make("b", {}, "this object") : make("a", { href: addressOf(one.id, readAddress().query) }, describeObject(one)),
      " ", outcome(viewOf(data, one, at)));
    byId("together").hidden = all.length === 1;
    byId("together-title").textContent = `In the same picture: ${all.length} objects of the sample`;
    byId("together-all").href = addressOf(document.querySelector(".filters").closest("section").id, `id=${object.image}/`);
    byId("together-list").replaceChildren(...all.map(item));
    clear(byId("together-picture"));
    if (wholePicture >= 0 && all.length > 1) {
      byId("together-picture").append(draw(object, at, image, { label: "The whole picture: its objects, boxed and numbered", others }));
    }
  }

  function fill(object) {
    const index = around.indexOf(object);
    const top = Math.max(...data.conditions.map((_, at) => viewOf(data, object, at).peak ?? 0));
    const image = decoded(object);
    title.textContent = `${object.category}, ${object.group}, side ${pixels(object.side)}`;
    byId("instance-place").textContent = `${index + 1} of ${around.length}`;
    byId("instance-facts").replaceChildren(...factItems(object));
    box.querySelector(".ends span:last-child").textContent = Number(top.toPrecision(2));
    clear(byId("views"));
    byId("views").append(...data.conditions.map((_, at) => viewItem(object, at, image, top)));
    fillPicture(object, image);
    for (const button of steps) button.disabled = !around[index + Number(button.dataset.step)];
    box.scrollTop = 0;
  }

  function open(object) {
    // Previous and next lead through what the gallery shows, or through all where it is not there.
    if (!box.open || !around.includes(object)) around = shown().includes(object) ? shown() : data.objects;
    current = object;
    fill(object);
    const isNew = !box.open;
    if (isNew) {
      opener = document.activeElement;
      box.showModal();
    }
    // A button that was just disabled takes no keys any more.
    if (isNew || !box.contains(document.activeElement) || document.activeElement.disabled) title.focus();
  }

  function step(by) {
    const next = around[around.indexOf(current) + by];
    if (!next) return;
    replaceEntry(addressOf(next.id, readAddress().query));
    open(next);
  }

  /* Back to where the reader was: a link, the tile of the object seen last, or the gallery. */
  function leave() {
    if (!objects.has(readAddress().anchor)) return;
    const link = opener?.closest("a");
    const target = link?.matches(":not(.tile)") ? link : tileOf(current) ?? link;
    if (!target?.isConnected) {
      location.replace(address());
      return;
    }
    replaceEntry(target.matches(".tile") ? address() : `#${target.closest("section").id}`);
    target.focus();
  }

  function follow() {
    const object = objects.get(readAddress().anchor);
    if (object) open(object);
    else box.close();
  }

  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.closest("[data-close]")) box.close();
  });
  box.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && isPlain(event)) step(by);
  });
  for (const button of steps) button.addEventListener("click", () => step(Number(button.dataset.step)));
  box.addEventListener("close", leave);
  addEventListener("hashchange", follow);
  follow();
}

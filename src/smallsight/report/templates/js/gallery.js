/* Gallery ------------------------------------------------------------------------------------ */

/* What the fields of a form say, but for those that are as they were at first. */
function wantedOf(form) {
  const wanted = new URLSearchParams();
  for (const field of form.elements) {
    const isSet = field.type === "checkbox" ? field.checked : field.value && field.selectedIndex !== 0;
    if (field.name && isSet) wanted.set(field.name, field.type === "checkbox" ? "1" : field.value);
  }
  return wanted;
}

/* Put fields in the state that an address asks for; what it cannot ask for is left out. */
function setFields(form, wanted) {
  form.reset();
  for (const [name, value] of wanted) {
    const field = form.elements.namedItem(name);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = true;
    else if (!field.options || [...field.options].some((option) => option.value === value)) field.value = value;
  }
}

/* Whether an object goes by these letters: its picture's number, its own, "picture/object" as the
   tables write it, or its file's name. A slash ends a picture's number. */
function hasId({ image, object, file }, letters) {
  if (/^[\d/]*$/.test(letters)) return `${image}/${object}`.startsWith(letters) || object.startsWith(letters);
  return file.toLowerCase().includes(letters.toLowerCase());
}

/* The gallery: gives what it shows now, in order, its address, and the tile of an object that has one. */
function gallery(data, { draw }) {
  const page = 48;
  const form = document.querySelector(".filters");
  const list = byId("objects");
  const section = form.closest("section");
  const heading = section.querySelector("h2");
  const entry = document.querySelector(`nav a[href="#${section.id}"]`);
  const orders = {
    "": (a, b) => a.turn - b.turn || data.groups.indexOf(a.group) - data.groups.indexOf(b.group),
    smallest: (a, b) => a.side - b.side,
    largest: (a, b) => b.side - a.side,
    sure: (a, b) => b.now.confidence - a.now.confidence,
    lift: (a, b) => (b.now.lift ?? -1) - (a.now.lift ?? -1),
  };
  const settle = oneStop(list, ".tile", alongGrid);
  let condition = -1;
  let query = null;
  let found = [];
  let isTyping = false;

  function tile(object) {
    const map = form.elements.maps.checked;
    return make("li", {}, make("a", { className: "tile", href: addressOf(object.id, query) },
      draw(object, condition, decoded(object), { map }),
      outcome(object.now),
      make("span", { className: "what" }, describeObject(object)),
      map ? make("span", { className: "what" }, answerOfMap(data, object.now)) : ""));
  }

  function more() {
    const start = list.children.length;
    list.append(...found.slice(start, start + page).map(tile));
    const left = found.length - list.children.length;
    byId("more").hidden = left === 0;
    byId("more").textContent = `Show ${Math.min(left, page)} more`;
    byId("found").textContent = `${found.length} of ${data.objects.length} objects; ${list.children.length} shown.`;
    byId("csv").disabled = found.length === 0;
    byId("no-objects").hidden = found.length > 0;
    settle();
    return list.children[start]?.firstChild;
  }

  function choose(at) {
    if (at === condition) return;
    condition = at;
    for (const object of data.objects) object.now = viewOf(data, object, at);
  }

  /* On a phone some filters are out of sight until they are asked for. */
  function showRare(isShown) {
    form.classList.toggle("whole", isShown);
    byId("rare").setAttribute("aria-expanded", isShown);
  }

  /* Show what the fields ask for. */
  function filter() {
    const wanted = wantedOf(form);
    query = queryOf(wanted);
    entry.href = addressOf(section.id, query);
    choose(form.elements.condition.selectedIndex);
    const asked = data.filters.filter((name) => wanted.has(name));
    if (asked.some((name) => form.elements[name].closest(".rare"))) showRare(true);
    const fits = (object, name) => [object.now[name] ?? object[name] ?? []].flat().includes(wanted.get(name));
    found = data.objects.filter((object) => asked.every((name) => fits(object, name)));
    if (wanted.has("id")) found = found.filter((object) => hasId(object, wanted.get("id").trim()));
    found.sort(orders[form.elements.order.value]);
    clear(list);
    more();
  }

  /* What the reader asks for is a new entry of the history; a word that is typed is one, not many. */
  function ask(event) {
    filter();
    const address = addressOf(section.id, query);
    const wasTyping = isTyping;
    isTyping = event.type === "input";
    if (isTyping && wasTyping) replaceEntry(address);
    else addEntry(address);
  }

  /* Addresses of the gallery, and the bare one of the page, say all that it is narrowed down to; one
     of an object may. Others leave it as it is. */
  function follow() {
    const { anchor, query: asked, wanted } = readAddress();
    const isOwn = anchor === section.id;
    if ((isOwn || !anchor || asked) && queryOf(wanted) !== query) {
      setFields(form, wanted);
      filter();
    }
    isTyping = false;
    if (isNewEntry() && isOwn) {
      section.scrollIntoView();
      heading.focus({ preventScroll: true });
    }
  }

  form.addEventListener("change", (event) => {
    if (event.target.name !== "id") ask(event);
  });
  form.elements.id.addEventListener("input", ask);
  form.addEventListener("submit", (event) => event.preventDefault());
  const startOver = byId("start-over");
  startOver.addEventListener("click", (event) => {
    form.reset();
    ask(event);
  });
  // The button goes with what it stands beside: keys go on from the bar's own.
  byId("reset-all").addEventListener("click", () => {
    startOver.click();
    startOver.focus();
  });
  byId("rare").addEventListener("click", () => showRare(!form.matches(".whole")));
  byId("more").addEventListener("click", () => more().focus());
  byId("csv").addEventListener("click", () => download("objects.csv", spreadsheet(data, found, condition)));
  addEventListener("hashchange", follow);
  heading.tabIndex = -1;
  byId("explorer").hidden = false;
  setFields(form, readAddress().wanted);
  filter();
  follow();
  return {
    shown: () => found,
    address: () => addressOf(section.id, query),
    tileOf: (object) => list.children[found.indexOf(object)]?.firstChild,
  };
}

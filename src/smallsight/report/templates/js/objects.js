/* Objects ------------------------------------------------------------------------------------ */

/* All objects, each with its id in addresses, its turn among those of its size, and the others of
   its picture. */
function readObjects() {
  const data = JSON.parse(byId("explorer-data").textContent);
  const turns = {};
  const pictures = new Map();
  for (const object of data.objects) {
    object.id = `object-${object.image}-${object.object}`;
    object.turn = turns[object.group] = (turns[object.group] ?? 0) + 1;
    object.together = pictures.get(object.image) ?? [];
    object.together.push(object);
    pictures.set(object.image, object.together);
  }
  return data;
}

/* An object under a condition. Values stand in the page without their names, to keep it small. */
function viewOf(data, object, at) {
  const view = Object.fromEntries(data.view.map((name, i) => [name, object.views[at][i]]));
  view.outcome = view.failed ? "failed" : "recognised";
  view.named = data.categories[view.named];
  view.predicted = data.categories[view.predicted];
  return view;
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

/* What an object was named, by most seeds where there are several. */
function outcome(view) {
  const [className, sign, label] = view.failed ? ["wrong", "✗", "failed, named"] : ["right", "✓", "recognised as"];
  const mark = make("span", { role: "img", ariaLabel: label }, sign);
  return make("b", { className }, mark, ` ${view.named}`);
}

/* Whose answer a map is of: one seed's, which need not say what most of them do. */
function answerOfMap(data, view) {
  const answer = `${view.predicted} (${(100 * view.confidence).toFixed(0)}%)`;
  if (data.seeds === 1) return `map for ${answer}`;
  return view.predicted === view.named ? `seed 1’s map, for ${answer}` : `the map is of the first seed’s own answer, ${answer}`;
}

function describeObject(object) {
  return `${object.category}, ${object.group}, ${pixels(object.side)}`;
}

/* What is known of an object that failed, in words, by its name. */
function factsOf(data, object) {
  const labels = (names, known) => names && (names.map((name) => known[name]).join("; ") || "nothing that was tried");
  return {
    cause: object.cause === undefined ? "none: it is recognised in the whole picture" : data.causes[object.cause],
    neighbour: object.neighbour,
    given: object.given && (object.given.join("; ") || "nothing that was tried"),
    rescued: labels(object.rescued, data.rescuers),
  };
}

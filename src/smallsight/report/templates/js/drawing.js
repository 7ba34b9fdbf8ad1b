/* Pictures ----------------------------------------------------------------------------------- */

/* Empty a list of pictures. A canvas that is merely taken out keeps its pixels for long. */
function clear(list) {
  for (const canvas of list.querySelectorAll("canvas")) canvas.width = 0;
  list.replaceChildren();
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

/* Another object's box, thinner and with its number. */
function secondary(context, x, y, width, height, number) {
  context.font = "bold 11px sans-serif";
  for (const [colour, line] of [["#10151c", 3], ["#ffffff", 1]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x, y, width, height);
    context.lineWidth = 3;
    if (colour === "#10151c") context.strokeText(number, x + 3, y + 11);
  }
  context.fillStyle = "#ffffff";
  context.fillText(number, x + 3, y + 11);
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
     without a label is one that the text beside it describes. `others` are boxed too, with their
     numbers. */
  function draw(object, at, image, { map = false, top = null, label = null, others = [] } = {}) {
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
      const place = ({ x, y, w, h }) => [x * width, y * height, w * width, h * height];
      for (const [other, number] of others) secondary(context, ...place(viewOf(data, other, at)), number);
      outline(context, ...place(view));
    });
    return canvas;
  }

  return { draw, isKept };
}

/* Spreadsheet -------------------------------------------------------------------------------- */

/* A spreadsheet takes what begins like this for a formula: with an apostrophe before it, it is text. */
function cellOf(value) {
  const text = String(value ?? "");
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/* Objects under a condition as CSV: what the gallery shows of them, and what it filters by. */
function spreadsheet(data, objects, at) {
  const { task, name } = data.conditions[at];
  const rows = objects.map((object) => ({
    image_id: object.image,
    ann_id: object.object,
    file_name: object.file,
    ...Object.fromEntries(data.traits.map((trait) => [trait, [object[trait] ?? []].flat().join("; ")])),
    side: object.side,
    neighbour: object.neighbour,
    right_given: object.given?.join("; "),
    task,
    condition: name,
    outcome: object.now.outcome,
    named: object.now.named,
    seeds_right: object.now.right,
    named_by_first_seed: object.now.predicted,
    confidence: object.now.confidence,
    lift: object.now.lift,
  }));
  const columns = Object.keys(rows[0] ?? {});
  return [columns, ...rows.map(Object.values)].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/* Addresses ---------------------------------------------------------------------------------- */

/* An address names a section or an object and, after a question mark, what the gallery is narrowed
   down to. All of it stands in the fragment: a page that is opened as a file has no other. */
function readAddress() {
  const [anchor, query = ""] = location.hash.slice(1).split("?");
  return { anchor, query, wanted: new URLSearchParams(query) };
}

function addressOf(anchor, query) {
  return `#${anchor}${query ? `?${query}` : ""}`;
}

/* As short as it can be written: a slash and a colon need no code inside a fragment. */
function queryOf(wanted) {
  return wanted.toString().replaceAll("%2F", "/").replaceAll("%3A", ":");
}

/* Whether the reader comes to this entry of the history for the first time, by a link, or back. */
function isNewEntry() {
  if (history.state?.seen) return false;
  history.replaceState({ seen: true }, "");
  return true;
}

function addEntry(address) {
  history.pushState({ seen: true }, "", address);
}

function replaceEntry(address) {
  history.replaceState({ seen: true }, "", address);
}

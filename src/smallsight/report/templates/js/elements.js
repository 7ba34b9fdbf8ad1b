/* Elements ----------------------------------------------------------------------------------- */

const byId = (id) => document.getElementById(id);
const isPlain = (event) => !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

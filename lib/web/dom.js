/** The one way this page makes elements. Text goes in as text nodes, never as markup. */

/**
 * An element with attributes and children. `class` and any other name become attributes; a function under a name that
 * begins with `on` listens. Children are nodes or text; what is null or false is left out.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function' && name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/** Puts children in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** A notice in place of content: why there is none, and what to do. */
export function notice(kind, title, text, ...more) {
  return el('div', { class: 'notice', 'data-kind': kind, role: kind === 'error' ? 'alert' : null }, el('strong', {}, title), el('p', {}, text), more);
}

/** Grey lines while something loads. */
export function loading(lines, label) {
  return el('div', { class: 'skeleton', role: 'status', 'aria-label': label }, Array.from({ length: lines }, () => el('span')));
}

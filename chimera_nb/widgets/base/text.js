// What every view uses: elements whose text is shown as it is, and numbers, sizes and times as a person reads them.

export const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u3164\ufff9-\ufffb]|^ | $| (?= )/gu;

/**
 * An element; `text` is shown as it is.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 */
export function make(tag, className = "", text = "", attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

/**
 * What stands for a character that has no looks of its own; joiners inside emoji stay what they are.
 * @param {string} char
 * @param {string} before the two characters before it
 */
export function picture(char, before) {
  const code = char.codePointAt(0) ?? 0;
  if (code === 0x200d && /\p{Extended_Pictographic}|\ufe0f/u.test(before)) return null;
  return code === 0x20 ? "␣" : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * Show a name: characters that cannot be seen become visible marks, and cannot turn the text around.
 * @param {Element} node
 * @param {string} name
 */
export function showName(node, name) {
  const plain = name.search(UNSEEN) < 0;
  if (plain) return setText(node, name);
  node.replaceChildren();
  let done = 0;
  for (const found of name.matchAll(UNSEEN)) {
    const shown = picture(found[0], name.slice(Math.max(0, found.index - 2), found.index));
    if (shown === null) continue;
    node.append(name.slice(done, found.index), make("span", "ch-unseen", shown));
    done = found.index + found[0].length;
  }
  node.append(name.slice(done));
}

const WHOLE = 34; // characters of a name that stands as it is
const TAIL = 14; // of a longer one that are always seen, since names differ at their ends

/**
 * Show a name that is cut in the middle where there is no room for it; style.css has how. The whole is what is copied.
 * @param {Element} node
 * @param {string} name
 */
export function showMiddle(node, name) {
  node.classList.toggle("ch-middle", name.length > WHOLE);
  if (name.length <= WHOLE) return showName(node, name);
  const low = name.charCodeAt(name.length - TAIL);
  const cut = name.length - TAIL - (low >= 0xdc00 && low < 0xe000 ? 1 : 0); // not within a character
  const [head, tail] = [make("span", "ch-middle-head"), make("span", "ch-middle-tail")];
  showName(head, name.slice(0, cut));
  showName(tail, name.slice(cut));
  node.replaceChildren(head, tail);
}

/**
 * The same text node with other data is drawn several times as fast as a new one, which counts while scrolling.
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  const [only, more] = node.childNodes;
  if (more || !(only instanceof Text)) node.textContent = text;
  else if (only.data !== text) only.data = text;
}

/**
 * Text of several lines, each shown as `showName` has it.
 * @param {Element} node
 * @param {string} text
 */
export function showLines(node, text) {
  node.replaceChildren();
  text.split(/\r?\n/).forEach((line, at) => {
    if (at) node.append("\n");
    showName(node.appendChild(make("span")), line);
  });
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** @param {number} count */
export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit ? `${value.toFixed(1)} ${UNITS[unit]}` : `${count} B`;
}

/** @param {number} count */
export const number = (count) => count.toLocaleString("en-US");
/** @param {number} count @param {string} noun */
export const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/**
 * The minute of a moment, as a clock here has it; "" for none.
 * @param {string | number | null} [stamp]
 */
export function when(stamp) {
  const at = stamp ? new Date(stamp) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  /** @param {number} value */
  const two = (value) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The time zone that times of this page are in, as of a moment. @param {string | number} stamp */
export function zone(stamp = Date.now()) {
  const minutes = -new Date(stamp).getTimezoneOffset();
  if (!minutes) return "UTC";
  /** @param {number} value */
  const two = (value) => String(value).padStart(2, "0");
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "-" : "+"}${two(hours)}:${two(rest)}`;
}

/**
 * The time of day of a moment, here; "" for none.
 * @param {string | number} stamp
 */
export function clock(stamp) {
  const at = new Date(stamp);
  return Number.isNaN(at.getTime()) ? "" : at.toLocaleTimeString("en-GB");
}

/**
 * "more than 12 files, 3.4 MB"
 * @param {{ files?: number, bytes?: number, more?: boolean }} counted
 */
export function tally({ files = 0, bytes: size = 0, more = false }) {
  return `${more ? "more than " : ""}${plural(files, "file")}, ${bytes(size)}`;
}

/**
 * "2 min 5 s"
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  /** @type {[string, number][]} */
  const units = [["d", Math.floor(whole / 86400)], ["h", Math.floor(whole / 3600) % 24], ["min", Math.floor(whole / 60) % 60], ["s", whole % 60]];
  const first = units.findIndex(([, count]) => count > 0);
  const shown = first < 0 ? units.slice(-1) : units.slice(first, first + 2).filter(([, count], at) => at === 0 || count > 0);
  return shown.map(([unit, count]) => `${count} ${unit}`).join(" ");
}

/**
 * `call`, so long after the last of the calls of what is returned, with its values; `cancel` takes it back.
 * @template {unknown[]} Values
 * @param {number} milliseconds
 * @param {(...values: Values) => void} call
 */
export function later(milliseconds, call) {
  let timer = 0;
  /** @param {Values} values */
  const run = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), milliseconds);
  };
  return Object.assign(run, { cancel: () => clearTimeout(timer) });
}

/**
 * An id of its own for an element: each widget has its own copy of this module, so none can count them.
 * @param {string} kind
 */
export const uniqueId = (kind) => `ch-${kind}-${Array.from(crypto.getRandomValues(new Uint32Array(2)), (n) => n.toString(36)).join("")}`;

/**
 * @param {string} className
 * @param {string} text
 * @param {(event: MouseEvent) => void} call
 * @param {Record<string, string | number>} [attributes]
 */
export function button(className, text, call, attributes = {}) {
  const node = make("button", `ch-button ${className}`, text, { type: "button", ...attributes });
  node.addEventListener("click", call);
  return node;
}

/**
 * The element of this selector that an event happened in; null where there is none.
 * @template {HTMLElement} [Found=HTMLElement]
 * @param {Event} event
 * @param {string} selector
 */
export function within(event, selector) {
  return event.target instanceof Element ? /** @type {Found | null} */ (event.target.closest(selector)) : null;
}

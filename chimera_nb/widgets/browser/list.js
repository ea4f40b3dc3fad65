// The list of BucketBrowser: rows are virtual, so that 100,000 of them scroll as well as ten.

import { later, make, uniqueId, within } from "../base/text.js";
import { ROW, Row } from "./row.js";
import { isHeld, windowOf } from "./rows.js";

const SPARE = 8; // rows drawn beyond the ones on screen
const AHEAD = 150; // rows before the end of what is loaded at which more is asked for
const STEP_MS = 200; // keys may run over many rows: only where they rest is told

/** @import { BrowserRequest, Gesture } from "./messages.js" */
/** @import { Rows } from "./rows.js" */

export class List {
  /** @type {Rows | null} */
  rows = null;
  /** @type {Set<string>} */
  selected = new Set();
  /** @type {Row[]} */
  pool = [];
  /** @type {Map<Element, Row>} */
  byNode = new Map();
  id = uniqueId("list");
  /** @type {number | null} */
  anchor = null;
  /** @type {number | null} */
  active = null;
  skeleton = false;
  folderCount = 0;
  frame = 0;
  /** @type {number | undefined} where to scroll to when the rows are there */
  keep;

  /**
   * @param {(request: BrowserRequest) => void} ask
   * @param {(uri: string | null) => void} onOpen is given a folder; null is the one above
   * @param {(text: string) => void} onType is given a character for the filter; "" clears it
   */
  constructor(ask, onOpen, onType) {
    this.ask = ask;
    this.onOpen = onOpen;
    this.onType = onType;
    this.restSoon = later(STEP_MS, (/** @type {number} */ generation, /** @type {number} */ at) => this.ask({ kind: "rest", generation, at }));
    this.node = make("div", "ch-grid", "", {
      role: "grid", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Folders and files", "aria-colcount": "4",
    });
    const head = make("div", "ch-head", "", { role: "row", "aria-rowindex": "1" });
    head.append(make("span", "ch-box", "", { role: "presentation" }));
    for (const [name, title] of [["name", "Name"], ["size", "Size"], ["codec", "Codec"], ["date", "Updated"]]) {
      head.append(make("span", `ch-cell ch-${name}`, title, { role: "columnheader" }));
    }
    this.scroller = make("div", "ch-scroller", "", { role: "rowgroup", tabindex: "-1" });
    this.spacer = make("div", "ch-spacer", "", { role: "presentation" });
    this.empty = make("div", "ch-empty");
    this.scroller.append(this.spacer, this.empty);
    this.node.append(head, this.scroller);
    this.scroller.addEventListener("scroll", () => this.paintSoon(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.spacer.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault()); // no text selection
    this.spacer.addEventListener("click", (event) => this.onClick(event));
    this.spacer.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    this.resized = new ResizeObserver(() => this.paintSoon());
    this.resized.observe(this.scroller);
  }

  close() {
    this.resized.disconnect();
    this.restSoon.cancel();
    cancelAnimationFrame(this.frame);
  }

  /**
   * Show these rows. Those of another folder begin at the top, at the folder one comes from if it is there.
   * @param {Rows} rows
   * @param {string | null} from
   */
  show(rows, from) {
    const before = this.rows;
    const grown = before === rows ? rows.folders.length - this.folderCount : 0;
    if (before !== rows) {
      this.active = rows.length ? rows.keyAt(0) : null;
      this.anchor = null;
      this.scroller.scrollTop = 0;
    } else if (grown > 0 && this.scroller.scrollTop > this.folderCount * ROW) {
      this.keep = this.scroller.scrollTop + grown * ROW; // folders came in above: what is on screen stays there
    }
    this.rows = rows;
    this.folderCount = rows.folders.length;
    if (this.active === null && rows.length) this.active = rows.keyAt(0);
    const left = from === null ? undefined : rows.keyOf(from);
    if (left !== undefined) this.move(rows, left);
    this.paint();
  }

  /** @param {Set<string>} selected */
  mark(selected) {
    this.selected = selected;
    this.paintSoon();
  }

  paintSoon() {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { rows } = this;
    if (!rows) return;
    const waiting = rows.length && !rows.complete && !rows.failed ? 3 : 0;
    const total = this.skeleton && !rows.length ? Math.ceil(this.scroller.clientHeight / ROW) : rows.length + waiting;
    this.spacer.style.height = `${total * ROW}px`;
    if (this.keep !== undefined) this.scroller.scrollTop = this.keep;
    this.keep = undefined;
    const [first, last] = windowOf({ top: this.scroller.scrollTop, height: this.scroller.clientHeight, row: ROW, total, spare: SPARE });
    const held = isHeld(rows.folder, this.selected);
    // As many as any part of the list needs: a row keeps its element while it is on screen, so that scrolling redraws
    // only what comes in, and who is about to click on one finds it there.
    const needed = Math.min(total, Math.ceil(this.scroller.clientHeight / ROW) + 1 + 2 * SPARE);
    while (this.pool.length < needed) this.pool.push(this.makeRow());
    for (const row of this.pool.splice(needed + 2 * SPARE)) {
      this.byNode.delete(row.node);
      row.node.remove();
    }
    const drawn = new Set();
    for (let index = first; index < last; index += 1) {
      const row = this.pool[index % this.pool.length];
      drawn.add(row);
      this.draw(row, rows, index, held);
    }
    for (const row of this.pool) row.node.hidden = !drawn.has(row);
    this.node.setAttribute("aria-rowcount", String(rows.complete ? rows.length + 1 : -1));
    this.node.setAttribute("aria-busy", String(Boolean(rows.loading)));
    if (this.active !== null && rows.has(this.active)) {
      this.node.setAttribute("aria-activedescendant", `${this.id}-${rows.indexOfKey(this.active)}`);
    } else {
      this.node.removeAttribute("aria-activedescendant");
    }
    if (last > rows.length - AHEAD && !rows.complete && !rows.loading && !rows.failed && !rows.rest) {
      rows.loading = true;
      this.ask({ kind: "more", generation: rows.generation });
    }
  }

  makeRow() {
    const row = new Row();
    this.byNode.set(this.spacer.appendChild(row.node), row);
    return row;
  }

  /** @param {Row} row @param {Rows} rows @param {number} index @param {boolean} held */
  draw(row, rows, index, held) {
    row.draw(rows, index);
    const { key, node } = row;
    node.id = key === null ? "" : `${this.id}-${index}`;
    node.setAttribute("aria-selected", String(key !== null && (held || this.selected.has(rows.uri(key)))));
    node.classList.toggle("ch-active", key !== null && key === this.active);
  }

  /** Make a row the active one, and bring it on screen. @param {Rows} rows @param {number} key */
  move(rows, key) {
    this.active = key;
    const top = rows.indexOfKey(key) * ROW;
    const room = this.scroller.clientHeight;
    this.spacer.style.height = `${Math.max(parseFloat(this.spacer.style.height) || 0, top + ROW)}px`;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW > this.scroller.scrollTop + room) this.scroller.scrollTop = top + ROW - room;
    this.paintSoon();
  }

  /** @param {Gesture["how"]} how @param {number} key */
  gesture(how, key) {
    if (!this.rows) return;
    if (how !== "range" && how !== "add-range") this.anchor = key;
    this.ask({ kind: "gesture", generation: this.rows.generation, how, at: this.anchor ?? key, to: key });
  }

  /** What is drawn where a mouse event happened, and its key there. @param {MouseEvent} event */
  at(event) {
    const node = within(event, ".ch-row");
    const { rows = null, key = null } = (node && this.byNode.get(node)) ?? {};
    return rows !== null && rows === this.rows && key !== null && rows.has(key) ? { rows, key } : null;
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const at = this.at(event);
    if (!at) return;
    const { rows, key } = at;
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (plain && rows.opens(key) && within(event, ".ch-label, .ch-icon")) return void this.onOpen(rows.uri(key));
    this.anchor ??= this.active;
    this.active = key;
    this.restSoon(rows.generation, key);
    if (event.shiftKey) this.gesture(event.ctrlKey || event.metaKey ? "add-range" : "range", key);
    else this.gesture(!plain || within(event, ".ch-box") ? "toggle" : "only", key);
    this.node.focus({ preventScroll: true });
    this.paintSoon();
  }

  /** @param {MouseEvent} event */
  onDoubleClick(event) {
    const at = this.at(event);
    if (at?.rows.opens(at.key) && !within(event, ".ch-box, .ch-label, .ch-icon")) this.onOpen(at.rows.uri(at.key));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { rows } = this;
    const command = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!rows || event.altKey || event.isComposing) return;
    if (event.key in steps && rows.length) {
      const at = this.active === null ? 0 : rows.indexOfKey(this.active);
      const before = this.active ?? rows.keyAt(0);
      this.move(rows, rows.keyAt(Math.min(rows.length - 1, Math.max(0, at + steps[event.key]))));
      if (event.shiftKey) {
        this.anchor ??= before;
        this.gesture(command ? "add-range" : "range", this.active ?? 0);
      } else {
        this.anchor = null;
      }
      this.restSoon(rows.generation, this.active ?? 0);
    } else if (event.key === " " && this.active !== null) {
      this.gesture(event.shiftKey && this.anchor !== null ? "range" : "toggle", this.active);
    } else if (event.key === "Enter" && this.active !== null) {
      if (rows.opens(this.active)) this.onOpen(rows.uri(this.active));
      else this.gesture("toggle", this.active);
    } else if (event.key === "Backspace") {
      this.onOpen(null);
    } else if (command && event.key.toLowerCase() === "a") {
      this.gesture("all", this.active ?? 0);
    } else if (event.key === "Escape") {
      this.onType("");
    } else if (event.key.length === 1 && !command) {
      this.onType(event.key);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}


// The list of BucketBrowser: rows are virtual, so that 100,000 of them scroll as well as ten.

import { meantBy } from "../base/press.js";
import { later, make, uniqueId, within } from "../base/text.js";
import { VirtualRows } from "../base/virtual_rows.js";
import { Head } from "./head.js";
import { onKey } from "./keys.js";
import { Row } from "./row.js";
import { chosenOf, isHeld, isSameRow, partsOf } from "./rows.js";

const AHEAD = 150; // rows before the end of what is loaded at which more is asked for
const STEP_MS = 200; // keys may run over many rows: only where they rest is told
const SORTED_AT_MOST = 100_000; // rows that are loaded for the sake of their order

/** @import { BrowserRequest, Gesture } from "./messages.js" */
/** @import { Order, Rows } from "./rows.js" */
/** @typedef {"box" | "name" | "rest"} Part of a row */

export class List {
  /** @type {Rows | null} */
  rows = null;
  /** @type {Set<string>} */
  selected = new Set();
  /** @type {Set<string>} folders on screen in which something is selected */
  parts = new Set();
  /** @type {import("./head.js").Chosen} */
  chosen = "none";
  /** @type {Order} */
  order = { by: "name", down: false };
  id = uniqueId("list");
  /** @type {number | null} */
  anchor = null;
  /** @type {number | null} */
  active = null;
  skeleton = false;
  folderCount = 0;
  current = ""; // the file that is looked into
  /** @type {number | undefined} where to scroll to when the rows are there */
  keep;
  /** @type {{ rows: Rows, key: number, part: Part, x: number, y: number } | null} what the pointer was pressed on */
  pressed = null;

  /**
   * @param {(request: BrowserRequest) => void} ask
   * @param {(uri: string | null) => void} onOpen is given a folder; null is the one above
   * @param {(uri: string) => void} onLook is given a file that somebody asks for a look into
   * @param {(text: string) => void} onType is given a character for the filter; "" clears it
   */
  constructor(ask, onOpen, onLook, onType) {
    this.ask = ask;
    this.onOpen = onOpen;
    this.onLook = onLook;
    this.onType = onType;
    this.restSoon = later(STEP_MS, (/** @type {number} */ generation, /** @type {number} */ at) => this.ask({ kind: "rest", generation, at }));
    this.node = make("div", "ch-grid", "", {
      role: "grid", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Folders and files", "aria-colcount": "5",
    });
    this.head = new Head(this.node, (how) => this.gesture(how, this.active ?? 0), (order) => this.sort(order));
    this.scroller = make("div", "ch-scroller", "", { role: "rowgroup", tabindex: "-1" });
    this.empty = make("div", "ch-empty");
    this.scroller.append(this.head.node); // it stays at the top, as wide as the rows
    this.virtual = new VirtualRows(this.scroller, () => new Row(), () => this.paint());
    this.scroller.append(this.empty);
    this.node.append(this.scroller);
    this.node.addEventListener("keydown", (event) => onKey(this, event));
    this.virtual.spacer.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault()); // no text selection
    this.scroller.addEventListener("pointerdown", (event) => this.onPress(event));
    this.scroller.addEventListener("click", (event) => this.onClick(event)); // its row may be gone by then
    this.virtual.spacer.addEventListener("dblclick", (event) => this.onDoubleClick(event));
  }

  close() {
    this.virtual.close();
    this.restSoon.cancel();
  }

  /** Pixels of a row. */
  get height() {
    return this.virtual.height;
  }

  /** Pixels below the head. */
  get room() {
    return this.scroller.clientHeight - this.head.node.offsetHeight;
  }

  /** @param {Order} order */
  sort(order) {
    this.order = order;
    if (!this.rows) return;
    this.rows.sort(order);
    this.scroller.scrollTop = 0;
    this.active = this.rows.length ? this.rows.keyAt(0) : null;
    this.anchor = null;
    this.paint();
  }

  /**
   * Show these rows. Those of another folder begin at the top, at the folder one comes from if it is there.
   * @param {Rows} rows
   * @param {string | null} from
   */
  show(rows, from) {
    const before = this.rows;
    if (before !== rows) rows.sort(this.order);
    const grown = before === rows ? rows.folders.length - this.folderCount : 0;
    if (before !== rows) {
      this.active = rows.length ? rows.keyAt(0) : null;
      this.anchor = null;
      this.scroller.scrollTop = 0;
    } else if (grown > 0 && this.scroller.scrollTop > this.folderCount * this.height) {
      this.keep = this.scroller.scrollTop + grown * this.height; // folders came in above: what is on screen stays there
    }
    this.rows = rows;
    this.folderCount = rows.folders.length;
    if (this.active === null && rows.length) this.active = rows.keyAt(0);
    const left = from === null ? undefined : rows.keyOf(from);
    if (left !== undefined) this.move(rows, left);
    this.markRows(rows);
    this.paint();
  }

  /** @param {Set<string>} selected */
  mark(selected) {
    this.selected = selected;
    if (this.rows) this.markRows(this.rows);
    this.paintSoon();
  }

  /** @param {string} uri */
  lookAt(uri) {
    this.current = uri;
    this.paintSoon();
  }

  /** Find out what of the rows is selected. @param {Rows} rows */
  markRows(rows) {
    this.parts = partsOf(rows.folder, this.selected);
    this.chosen = chosenOf(rows, this.selected, this.parts.size);
  }

  paintSoon() {
    this.virtual.soon();
  }

  paint() {
    const { rows } = this;
    if (!rows) return;
    const waiting = rows.length && !rows.complete && !rows.failed ? 3 : 0;
    const total = this.skeleton && rows.loading && !rows.length ? Math.ceil(this.scroller.clientHeight / this.height) : rows.length + waiting;
    this.virtual.stretch(total);
    if (this.keep !== undefined) this.scroller.scrollTop = this.keep;
    this.keep = undefined;
    const held = isHeld(rows.folder, this.selected);
    const last = this.virtual.draw(total, (index) => index, (each, index) => this.draw(each, rows, index, held));
    this.head.mark(held ? "all" : this.chosen, rows.folder !== "gs://" && rows.length > 0);
    this.node.setAttribute("aria-rowcount", String(rows.complete ? rows.length + 1 : -1));
    this.node.setAttribute("aria-busy", String(Boolean(rows.loading)));
    if (this.active !== null && rows.has(this.active)) {
      this.node.setAttribute("aria-activedescendant", `${this.id}-${rows.indexOfKey(this.active)}`);
    } else {
      this.node.removeAttribute("aria-activedescendant");
    }
    const sorting = rows.isSorted && rows.length < SORTED_AT_MOST; // the largest may be on the last page
    if ((sorting || last > rows.length - AHEAD) && !rows.complete && !rows.loading && !rows.failed && !rows.rest) {
      rows.loading = true;
      this.ask({ kind: "more", generation: rows.generation });
    }
  }

  /** @param {Row} row @param {Rows} rows @param {number} index @param {boolean} held */
  draw(row, rows, index, held) {
    row.draw(rows, index);
    const { key, node } = row;
    node.id = key === null ? "" : `${this.id}-${index}`;
    const uri = key === null ? "" : rows.uri(key);
    const isChosen = key !== null && (held || this.selected.has(uri));
    node.setAttribute("aria-selected", String(isChosen));
    if (uri && uri === this.current) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.classList.toggle("ch-part-chosen", !isChosen && this.parts.has(uri));
    node.classList.toggle("ch-active", key !== null && key === this.active);
  }

  /** Make a row the active one, and bring it on screen. @param {Rows} rows @param {number} key */
  move(rows, key) {
    this.active = key;
    this.virtual.reveal(rows.indexOfKey(key), this.room);
  }

  /** @param {Gesture["how"]} how @param {number} key @param {Rows | null} rows that it is made on */
  gesture(how, key, rows = this.rows) {
    if (!rows) return;
    const seen = rows.generation;
    if (rows !== this.rows) return this.ask({ kind: "gesture", seen, how, at: key, to: key });
    if (how !== "range") this.anchor = key;
    const at = this.anchor ?? key;
    if (how === "range" && rows.isSorted) this.ask({ kind: "selectRows", seen, keys: rows.between(at, key) });
    else this.ask({ kind: "gesture", seen, how, at, to: key });
  }

  /** What is drawn where a mouse event happened, and its key there. @param {MouseEvent} event */
  at(event) {
    const node = within(event, ".ch-row");
    const { rows = null, key = null } = (node && this.virtual.byNode.get(node)) ?? {};
    if (rows === null || key === null || rows !== this.rows || !rows.has(key)) return null;
    /** @type {Part} */
    const part = within(event, ".ch-box") ? "box" : within(event, ".ch-label, .ch-icon") ? "name" : "rest";
    return { rows, key, part };
  }

  /** @param {PointerEvent} event */
  onPress(event) {
    const at = this.at(event);
    this.pressed = at && { ...at, x: event.clientX, y: event.clientY };
  }

  /**
   * What a click is meant for: what the pointer was pressed on, though other rows may stand there by now.
   * @param {MouseEvent} event
   */
  meant(event) {
    const { pressed } = this;
    this.pressed = null;
    return meantBy(pressed, this.at(event), event, isSameRow);
  }

  /** A name opens, a box chooses, with Shift or Ctrl anything does; the rest of a row only moves the keyboard there. @param {MouseEvent} event */
  onClick(event) {
    const meant = this.meant(event);
    if (!meant) return;
    const { rows, key, part } = meant;
    const isShown = rows === this.rows;
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (plain && part === "name" && rows.opens(key)) return void this.onOpen(rows.uri(key));
    if (isShown) {
      this.anchor ??= this.active;
      this.active = key;
    }
    if (event.shiftKey) this.gesture("range", key, rows);
    else if (!plain || part === "box") this.gesture("toggle", key, rows);
    else if (part === "name") this.look(rows, key);
    if (!isShown) return;
    this.node.focus({ preventScroll: true });
    this.paintSoon();
  }

  /** Look into a file. @param {Rows} rows @param {number} key */
  look(rows, key) {
    this.restSoon.cancel();
    this.onLook(rows.uri(key));
  }

  /** @param {MouseEvent} event */
  onDoubleClick(event) {
    const at = this.at(event);
    if (at?.part === "rest" && at.rows.opens(at.key)) this.onOpen(at.rows.uri(at.key));
  }
}

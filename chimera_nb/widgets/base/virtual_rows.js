// The rows of a long list, of which only those near the view are in the document: 100,000 scroll as well as ten.

import { later, make } from "./text.js";

const SPARE = 8; // rows drawn beyond the ones on screen
const REST_MS = 150; // without a scroll: then elements are brought into the order of their rows

/**
 * The indexes to draw, [first, last), of a list of so many rows of so many pixels: those on screen and a few beyond.
 * @param {{ top: number, height: number, row: number, total: number, spare: number }} list
 * @returns {[number, number]}
 */
export function windowOf({ top, height, row, total, spare }) {
  const first = Math.min(total, Math.max(0, Math.floor(top / row) - spare));
  return [first, Math.min(total, Math.ceil((top + height) / row) + spare)];
}

/**
 * The top at which a list shows a row whole: the one it has, unless the row is above or below what is seen.
 * @param {{ top: number, room: number, row: number, index: number }} list
 */
export function topToShow({ top, room, row, index }) {
  const at = index * row;
  return at < top ? at : at + row > top + room ? at + row - room : top;
}

/**
 * Have these elements stand in this order, before all others in it; those that do already are not moved.
 * @param {Element} parent
 * @param {Element[]} nodes
 */
export function putFirst(parent, nodes) {
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = node.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

/**
 * @typedef {{ node: HTMLElement, top: number, clear: () => void }} Drawn a row's element, where it stands in pixels, and
 * what to do when it stands for nothing any more
 */

/** @template {Drawn} Row */
export class VirtualRows {
  height = 30; // pixels of a row: the style sheet has it as --ch-row, more for fingers
  spacer = make("div", "ch-spacer", "", { role: "presentation" }); // as high as all rows together
  /** @type {Map<unknown, Row>} what is drawn, by its key */
  drawn = new Map();
  /** @type {Row[]} */
  idle = [];
  /** @type {WeakMap<Element, Row>} */
  byNode = new WeakMap();
  frame = 0;
  scrolling = false;
  orderSoon = later(REST_MS, () => this.putInOrder());

  /**
   * @param {HTMLElement} scroller
   * @param {() => Row} makeRow
   * @param {() => void} paint everything; it comes to `draw`
   */
  constructor(scroller, makeRow, paint) {
    this.scroller = scroller;
    this.makeRow = makeRow;
    this.paint = paint;
    scroller.append(this.spacer);
    this.resized = new ResizeObserver(() => this.measure());
    this.resized.observe(scroller);
    scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
  }

  close() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    this.orderSoon.cancel();
  }

  onScroll() {
    this.scrolling = true;
    this.soon();
  }

  measure() {
    this.height = parseFloat(getComputedStyle(this.spacer).getPropertyValue("--ch-row")) || this.height;
    this.soon();
  }

  /** Paint with the next frame, once. */
  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  /** Let there be room for so many rows, without painting. @param {number} total */
  stretch(total) {
    this.spacer.style.height = `${total * this.height}px`;
  }

  /**
   * Draw what is near the view of so many rows; the index after the last that is drawn. A row keeps its element while it
   * is near: scrolling redraws only what comes in, and who is about to click on one finds it there. Elements stand in
   * the order of the rows, for who reads them one after another; while somebody scrolls that waits, for an element that
   * is moved is laid out anew.
   * @param {number} total
   * @param {(index: number) => unknown} keyAt
   * @param {(row: Row, index: number) => void} draw
   */
  draw(total, keyAt, draw) {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.stretch(total);
    const { scrollTop: top, clientHeight: height } = this.scroller;
    const [first, last] = windowOf({ top, height, row: this.height, total, spare: SPARE });
    const keys = Array.from({ length: Math.max(0, last - first) }, (_, at) => keyAt(first + at));
    const wanted = new Set(keys);
    for (const [key, row] of this.drawn) if (!wanted.has(key)) this.retire(key, row);
    keys.forEach((key, at) => {
      const row = this.drawn.get(key) ?? this.employ(key);
      this.place(row, first + at);
      draw(row, first + at);
    });
    for (const row of this.idle.splice(2 * SPARE)) row.node.remove();
    for (const { node } of this.idle) if (!node.hidden) node.hidden = true; // not before: one that is taken at once stays as it is
    if (this.scrolling) this.orderSoon();
    else this.putInOrder();
    this.scrolling = false;
    return last;
  }

  putInOrder() {
    this.orderSoon.cancel();
    putFirst(this.spacer, [...this.drawn.values()].sort((one, other) => one.top - other.top).map(({ node }) => node));
  }

  /** @param {Row} row @param {number} index */
  place(row, index) {
    row.node.setAttribute("aria-rowindex", String(index + 2)); // the head is the first
    if (row.top === index * this.height) return;
    row.top = index * this.height;
    row.node.style.transform = `translateY(${row.top}px)`;
  }

  /** @param {unknown} key @param {Row} row */
  retire(key, row) {
    this.drawn.delete(key);
    row.clear();
    this.idle.push(row);
  }

  /** @param {unknown} key */
  employ(key) {
    const row = this.idle.shift() ?? this.makeRow();
    if (!row.node.parentNode) this.spacer.append(row.node);
    if (row.node.hidden) row.node.hidden = false;
    this.drawn.set(key, row);
    this.byNode.set(row.node, row);
    return row;
  }

  /** Scroll so far that a row is seen whole. @param {number} index @param {number} room pixels in which rows are seen */
  reveal(index, room = this.scroller.clientHeight) {
    this.spacer.style.height = `${Math.max(parseFloat(this.spacer.style.height) || 0, (index + 1) * this.height)}px`;
    const top = topToShow({ top: this.scroller.scrollTop, room, row: this.height, index });
    if (top !== this.scroller.scrollTop) this.scroller.scrollTop = top;
    this.soon();
  }
}

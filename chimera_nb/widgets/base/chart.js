// A small chart: an area, a line, dots or bars, with axes, in SVG. Colours are custom properties, so it follows the theme.

import { make, plural, uniqueId } from "./text.js";

/** @typedef {[number, number]} Point */
/** @typedef {(value: number) => string} Written */
/** @typedef {((value: number) => number) & { low: number, high: number }} Scale */
/** @typedef {(low: number, high: number, wanted: number) => number[]} Ticks */

const SVG = "http://www.w3.org/2000/svg";
const ROOM = { right: 12, top: 10, bottom: 24 };
const LETTER = 6.4; // pixels that a letter of an axis takes, about

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 */
export function draw(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text) node.textContent = text;
  return node;
}

/**
 * Round values from 0 or the lowest to the highest, about as many as asked for.
 * @type {Ticks}
 */
export function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((size) => size >= rough) ?? 10 * unit;
  return stepped(low, high, step);
}

/** The multiples of a step in a range.
 * @param {number} low @param {number} high @param {number} step
 */
export function stepped(low, high, step) {
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) found.push(at ? at * step : 0);
  return found;
}

/**
 * 1234567 as "1.23M"; small numbers as they are.
 * @type {Written}
 */
export function brief(value) {
  return value.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: Math.abs(value) < 1000 ? 5 : 3 });
}

export class Chart {
  kind = "line";
  /** @type {Point[]} */
  points = [];
  id = uniqueId("chart");
  /** @type {Ticks | null} */
  ticksX = null;

  /**
   * `title` is said to a screen reader; `showX` and `showY` write values of the axes.
   * @param {{ title: string, showX?: Written, showY?: Written, empty?: string }} looks
   */
  constructor({ title, showX = brief, showY = brief, empty = "" }) {
    this.title = title;
    this.showX = showX;
    this.showY = showY;
    this.node = make("div", "ch-chart");
    this.svg = this.node.appendChild(draw("svg", { role: "img", "aria-labelledby": `${this.id}-title ${this.id}-desc` }));
    this.empty = this.node.appendChild(make("div", "ch-chart-empty ch-muted", empty));
    this.told = this.node.appendChild(make("div", "ch-chart-told ch-numbers", "", { "aria-hidden": "true" }));
    this.resized = new ResizeObserver(() => this.paint());
    this.resized.observe(this.node);
    this.node.addEventListener("pointermove", (event) => this.point(event));
    this.node.addEventListener("pointerleave", () => this.point(null));
  }

  close() {
    this.resized.disconnect();
  }

  /**
   * Show points, [x, y] each, in the order of x. The kind is area, line, dots or bars.
   * @param {Point[]} points
   * @param {"area" | "line" | "dots" | "bars"} kind
   * @param {{ title?: string, showX?: Written, showY?: Written, ticksX?: Ticks | null }} [changes]
   */
  show(points, kind, changes = {}) {
    Object.assign(this, changes, { points, kind });
    this.paint();
  }

  paint() {
    const { width, height } = this.node.getBoundingClientRect();
    const { points, kind } = this;
    this.empty.hidden = points.length > 0;
    this.svg.toggleAttribute("hidden", !points.length);
    this.told.textContent = "";
    if (!points.length || width < 120 || height < 60) return; // not on screen
    const ys = points.map(([, y]) => y);
    const xs = points.map(([x]) => x);
    const half = kind === "bars" ? 0.5 : 0;
    const grounded = kind === "area" || kind === "bars";
    const y = scale(...padded(Math.min(...ys), Math.max(...ys), grounded), height - ROOM.bottom, ROOM.top);
    /** @type {[number, string][]} */
    const levels = ticks(y.low, y.high, Math.max(2, height / 45)).map((at) => [y(at), this.showY(at)]);
    const left = Math.max(...levels.map(([, label]) => label.length)) * LETTER + 14;
    const x = scale(Math.min(...xs) - half, Math.max(...xs) + half, left, width - ROOM.right);
    this.placed = { x, y, width, height };
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.mark = draw("g", { class: "ch-chart-mark" });
    this.svg.replaceChildren(...this.words(xs, ys), this.axes(x, levels, left, width, height), this.shape(x, y, height - ROOM.bottom), this.mark);
  }

  /** @param {number[]} xs @param {number[]} ys */
  words(xs, ys) {
    const said = `${plural(this.points.length, "point")}, from ${this.showY(Math.min(...ys))} to ${this.showY(Math.max(...ys))}; the last is ${this.showY(ys[ys.length - 1])} at ${this.showX(xs[xs.length - 1])}`;
    return [draw("title", { id: `${this.id}-title` }, this.title), draw("desc", { id: `${this.id}-desc` }, said)];
  }

  /** @param {Scale} x @param {[number, string][]} levels @param {number} left @param {number} width @param {number} height */
  axes(x, levels, left, width, height) {
    const group = draw("g", { class: "ch-chart-axes" });
    for (const [y, label] of levels) {
      group.append(draw("line", { x1: left, x2: width - ROOM.right, y1: y, y2: y }));
      group.append(draw("text", { x: left - 8, y: y, "text-anchor": "end", "dominant-baseline": "middle" }, label));
    }
    const marks = this.ticksX ? this.ticksX(x.low, x.high, width / 110) : ticks(x.low, x.high, Math.max(2, width / 110));
    let free = 0;
    for (const at of marks) {
      const label = this.showX(at);
      const half = (label.length * LETTER) / 2;
      const center = Math.min(x(at), width - half - 2);
      if (center - half < free) continue; // labels do not run into each other
      free = center + half + 10;
      group.append(draw("text", { x: center, y: height - 7, "text-anchor": "middle" }, label));
    }
    return group;
  }

  /** @param {Scale} x @param {Scale} y @param {number} ground */
  shape(x, y, ground) {
    const { points, kind } = this;
    const group = draw("g", { class: `ch-chart-${kind}` });
    const line = points.map(([px, py], at) => `${at ? "L" : "M"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join("");
    if (kind === "dots") {
      for (const [px, py] of points) group.append(draw("circle", { cx: x(px).toFixed(1), cy: y(py).toFixed(1), r: 2 }));
    } else if (kind === "bars") {
      const room = Math.max(1, (x(1) - x(0)) * 0.8);
      const wide = Math.min(room, 48);
      for (const [px, py] of points) {
        group.append(draw("rect", { x: x(px) - wide / 2, width: wide, y: y(py), height: Math.max(1, ground - y(py)), rx: Math.min(3, wide / 4) }));
      }
    } else {
      if (kind === "area") {
        const fill = `${line}L${x(points[points.length - 1][0])} ${ground}L${x(points[0][0])} ${ground}Z`;
        group.append(draw("path", { class: "ch-chart-fill", d: fill }));
      }
      group.append(draw("path", { class: "ch-chart-line", d: line }));
    }
    return group;
  }

  /** Tell the values of the point nearest to the pointer.
   * @param {PointerEvent | null} event
   */
  point(event) {
    if (!this.mark || !this.placed || !this.points.length) return;
    this.mark.replaceChildren();
    this.told.textContent = "";
    if (!event) return;
    const { x, y, width } = this.placed;
    const box = this.node.getBoundingClientRect();
    const [atX, atY] = [event.clientX - box.left, event.clientY - box.top];
    /** @param {Point} point */
    const far = ([px, py]) => Math.abs(x(px) - atX) + (this.kind === "dots" ? Math.abs(y(py) - atY) : 0);
    const near = this.points.reduce((best, point) => (far(point) < far(best) ? point : best));
    this.mark.append(draw("circle", { cx: x(near[0]), cy: y(near[1]), r: 4 }));
    this.told.textContent = `${this.showX(near[0])}: ${this.showY(near[1])}`;
    this.told.classList.toggle("ch-at-left", x(near[0]) > width / 2);
  }
}

/** From values to pixels; a range of one value is drawn in the middle.
 * @param {number} low @param {number} high @param {number} from @param {number} to
 * @returns {Scale}
 */
export function scale(low, high, from, to) {
  const range = high - low;
  /** @param {number} value */
  const scale = (value) => (range ? from + ((value - low) / range) * (to - from) : (from + to) / 2);
  return Object.assign(scale, { low, high });
}

/** @param {number} low @param {number} high @param {boolean} grounded @returns {Point} */
export function padded(low, high, grounded) {
  if (grounded) return [0, high > 0 ? high * 1.1 : 1];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

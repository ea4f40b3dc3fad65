// A market on a canvas: prices on a scale of logarithms above, volume below, over one axis of time in UTC.

import { brief, scale, ticks } from "../base/chart.js";
import { make } from "../base/text.js";
import { priceMarks, priceRange, steps, volumes } from "./series.js";

/** @import { Range, Runner } from "./series.js" */
/** @typedef {{ runner: Runner, color: string }} Line */
/** @typedef {{ inPlay: Range[], suspended: Range[], off: number | null }} Marks */

const ROOM = { left: 52, right: 12, top: 10, between: 14, bottom: 24 };
const PRICES = 0.74; // of the height
const BAR = 6; // pixels
const STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800, 2592000]; // seconds between two marks
const LABEL = 90; // pixels that a time takes
const COLORS = ["#1f77b4", "#e07b00", "#2a9d4a", "#d1495b", "#8d6cc4", "#9c6b4e", "#d46fb3", "#7d8590", "#a3a300", "#14a3b8"];

export class Painter {
  node = make("div", "ch-market-plot", "", { role: "img", tabindex: "0" });
  canvas = this.node.appendChild(make("canvas"));
  pointer = this.node.appendChild(make("div", "ch-market-pointer", "", { hidden: "" }));
  /** @type {Range} */
  range = [0, 1];

  /** Of a runner by its place. @param {number} at */
  color(at) {
    return COLORS[at % COLORS.length];
  }

  get width() {
    return Math.max(1, this.node.clientWidth - ROOM.left - ROOM.right);
  }

  /** The moment at a place of the page. @param {number} clientX */
  time(clientX) {
    const [from, to] = this.range;
    return from + ((clientX - this.node.getBoundingClientRect().left - ROOM.left) / this.width) * (to - from);
  }

  /** Draw a line at a moment; none for null, and for one that is not in sight. @param {number | null} moment */
  point(moment) {
    const [from, to] = this.range;
    this.pointer.hidden = moment === null || moment < from || moment > to;
    if (moment !== null) this.pointer.style.left = `${ROOM.left + ((moment - from) / (to - from)) * this.width}px`;
  }

  /** @param {Line[]} lines @param {Range} range @param {Marks} marks */
  paint(lines, range, marks) {
    this.range = range;
    const { clientWidth, clientHeight } = this.node;
    if (clientWidth < 120 || clientHeight < 120) return; // not on screen
    const ratio = devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.scale(ratio, ratio);
    pen.font = `11px ${getComputedStyle(this.node).fontFamily}`;
    const ground = clientHeight - ROOM.bottom;
    const middle = ROOM.top + (ground - ROOM.top) * PRICES;
    const x = scale(range[0], range[1], ROOM.left, clientWidth - ROOM.right);
    this.bands(pen, marks, range, x, ground);
    this.times(pen, range, x, ground);
    this.prices(pen, lines, range, x, middle);
    this.volume(pen, lines, range, ground, middle + ROOM.between);
  }

  /** @param {string} name */
  look(name) {
    return getComputedStyle(this.node).getPropertyValue(name);
  }

  /**
   * @param {CanvasRenderingContext2D} pen @param {Marks} marks @param {Range} range
   * @param {(time: number) => number} x @param {number} ground
   */
  bands(pen, { inPlay, suspended, off }, [from, to], x, ground) {
    for (const [bands, color, alpha] of /** @type {[Range[], string, number][]} */ ([[inPlay, "#2a9d8f", 0.14], [suspended, "#8d99ae", 0.4]])) {
      pen.fillStyle = color;
      pen.globalAlpha = alpha;
      for (const [begin, end] of bands) {
        if (end < from || begin > to) continue;
        const left = x(Math.max(begin, from));
        pen.fillRect(left, ROOM.top, Math.max(1, x(Math.min(end, to)) - left), ground - ROOM.top);
      }
    }
    pen.globalAlpha = 1;
    if (off === null || off < from || off > to) return;
    pen.strokeStyle = pen.fillStyle = this.look("--ch-fg");
    pen.setLineDash([5, 4]);
    line(pen, [[x(off), ROOM.top], [x(off), ground]]);
    pen.setLineDash([]);
    pen.textAlign = x(off) > this.node.clientWidth / 2 ? "right" : "left";
    pen.fillText("the off", x(off) + (pen.textAlign === "right" ? -4 : 4), ROOM.top + 10);
  }

  /** @param {CanvasRenderingContext2D} pen @param {Range} range @param {(time: number) => number} x @param {number} ground */
  times(pen, [from, to], x, ground) {
    const wanted = this.width / LABEL;
    const step = 1000 * (STEPS.find((seconds) => (to - from) / (seconds * 1000) <= wanted) ?? STEPS[STEPS.length - 1]);
    pen.fillStyle = this.look("--ch-muted");
    pen.textAlign = "center";
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) pen.fillText(timeText(at, step), x(at), ground + 16);
    pen.textAlign = "left";
    pen.fillText("UTC", 4, ground + 16);
  }

  /**
   * @param {CanvasRenderingContext2D} pen @param {Line[]} lines @param {Range} range
   * @param {(time: number) => number} x @param {number} bottom
   */
  prices(pen, lines, range, x, bottom) {
    const found = priceRange(lines.map(({ runner }) => runner), range);
    if (!found) return;
    const [low, high] = [found[0] / 1.04, found[1] * 1.04];
    const level = scale(Math.log(low), Math.log(high), bottom, ROOM.top);
    const y = (/** @type {number} */ price) => level(Math.log(price));
    this.levels(pen, priceMarks(low, high).map((price) => [y(price), brief(price)]));
    pen.lineWidth = 1.4;
    pen.lineJoin = "round";
    for (const { runner, color } of lines) {
      pen.strokeStyle = color;
      line(pen, steps(runner, range, x, y));
    }
    pen.lineWidth = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Line[]} lines @param {Range} range @param {number} ground @param {number} top */
  volume(pen, lines, range, ground, top) {
    const parts = Math.max(10, Math.floor(this.width / BAR));
    const found = volumes(lines.map(({ runner }) => runner), range, parts);
    const most = Math.max(...found);
    pen.fillStyle = this.look("--ch-muted");
    pen.textAlign = "left";
    pen.fillText(most > 0 ? "GBP traded" : "nothing traded here", ROOM.left + 4, top + 8);
    if (!(most > 0)) return;
    const y = scale(0, most, ground, top);
    this.levels(pen, ticks(0, most, 2).map((size) => [y(size), brief(size)]));
    pen.fillStyle = this.look("--ch-accent");
    const wide = this.width / parts;
    for (const [at, size] of found.entries()) if (size) pen.fillRect(ROOM.left + at * wide, y(size), Math.max(1, wide - 1), ground - y(size));
  }

  /** @param {CanvasRenderingContext2D} pen @param {[number, string][]} levels */
  levels(pen, levels) {
    pen.strokeStyle = this.look("--ch-line");
    pen.fillStyle = this.look("--ch-muted");
    pen.textAlign = "right";
    for (const [y, label] of levels) {
      line(pen, [[ROOM.left, y], [ROOM.left + this.width, y]]);
      pen.fillText(label, ROOM.left - 6, y + 4);
    }
  }
}

/** @param {CanvasRenderingContext2D} pen @param {([number, number] | null)[]} points */
function line(pen, points) {
  pen.beginPath();
  let begins = true;
  for (const point of points) {
    if (point && begins) pen.moveTo(...point);
    else if (point) pen.lineTo(...point);
    begins = !point;
  }
  pen.stroke();
}

/** A moment in UTC, as exact as the marks are apart. @param {number} at @param {number} step */
export function timeText(at, step) {
  const text = new Date(at).toISOString();
  if (step >= 86400e3) return text.slice(0, 10);
  if (at % 86400e3 === 0) return text.slice(5, 10); // midnight: the day that begins
  return step >= 60e3 ? text.slice(11, 16) : text.slice(11, 19);
}

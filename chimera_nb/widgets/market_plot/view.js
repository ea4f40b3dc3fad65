// The front end of MarketPlot (widget.py): a market's prices by runner and its volume, to zoom into and to read off.

import { brief } from "../base/chart.js";
import { button, make, setText, showName } from "../base/text.js";
import { Painter } from "./painter.js";
import { changed, numbers, priceAt, wholeRange } from "./series.js";

/** @import { Model } from "../base/model.js" */
/** @import { Range, Runner, View } from "./series.js" */
/** @typedef {{ label: string, times: View, prices: View, added: View }} DrawnRunner */
/** @typedef {{ market: string, runners: DrawnRunner[], inPlay: Range[], suspended: Range[], off: number | null }} Drawn */
/** @typedef {Model<{ drawn: Drawn, height: number }>} PlotModel */

const [CLOSER, FARTHER] = [0.8, 1.25]; // what a step of zoom makes of the time that is shown
const SHOWN = 12; // runners at first, those of the lowest prices
const HELP = "Wheel, + and - zoom; drag and the arrow keys move; a double click or 0 shows all";

class MarketPlotView {
  /** @type {Runner[]} */
  runners = [];
  /** @type {Drawn} */
  drawn = { market: "", runners: [], inPlay: [], suspended: [], off: null };
  /** @type {Range} */
  whole = [0, 1];
  /** @type {Range} what is shown of it */
  range = [0, 1];
  /** @type {Set<Runner>} */
  hidden = new Set();
  /** @type {HTMLElement[]} where each runner's price is written */
  prices = [];

  /** @param {PlotModel} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.node = make("div", "chimera ch-market", "", { "data-lm-suppress-shortcuts": "true", role: "group" });
    this.title = make("div", "ch-title");
    this.told = make("div", "ch-market-told ch-numbers ch-muted", "", { role: "status" });
    const tools = make("div", "ch-market-tools");
    tools.append(
      this.title,
      this.told,
      button("ch-icon", "+", () => this.zoom(CLOSER), { "aria-label": "Zoom in" }),
      button("ch-icon", "−", () => this.zoom(FARTHER), { "aria-label": "Zoom out" }),
      button("", "Show all", () => this.show(this.whole)),
    );
    this.painter = new Painter();
    this.canvas = this.painter.node;
    this.legend = make("div", "ch-market-legend", "", { role: "group", "aria-label": "Runners" });
    const body = make("div", "ch-market-body");
    body.append(this.canvas, this.legend);
    this.node.append(tools, body);
    el.append(this.node);
    this.resized = new ResizeObserver(() => this.paint());
    this.resized.observe(this.canvas);
    this.listen();
    this.read = () => this.onDrawn();
    this.model.on("change:drawn", this.read);
    this.model.on("change:height", this.read);
    this.onDrawn();
  }

  close() {
    this.model.off("change:drawn", this.read);
    this.model.off("change:height", this.read);
    this.resized.disconnect();
  }

  onDrawn() {
    const drawn = this.model.get("drawn");
    this.runners = drawn.runners.map(({ label, times, prices, added }) => ({ label, times: numbers(times), prices: numbers(prices), added: numbers(added) }));
    this.drawn = drawn;
    this.whole = wholeRange(this.runners);
    this.range = this.whole;
    this.hidden = new Set(this.runners.slice(SHOWN));
    setText(this.title, `Market ${drawn.market}`);
    this.canvas.setAttribute("aria-label", `Prices and volume of market ${drawn.market} over time. ${HELP}`);
    this.canvas.title = HELP;
    this.canvas.style.height = `${this.model.get("height")}px`;
    this.makeLegend();
    this.paint();
  }

  makeLegend() {
    this.prices = [];
    this.legend.replaceChildren(
      ...this.runners.map((runner, at) => {
        const toggle = button("ch-market-runner", "", () => this.toggle(runner, toggle), { "aria-pressed": String(!this.hidden.has(runner)) });
        toggle.style.setProperty("--ch-runner", this.painter.color(at));
        const name = toggle.appendChild(make("span", "ch-label"));
        showName(name, runner.label);
        this.prices.push(toggle.appendChild(make("span", "ch-numbers")));
        return toggle;
      }),
    );
    const all = button("", "All or none", () => {
      this.hidden = new Set(this.hidden.size ? [] : this.runners);
      for (const [at, toggle] of [...this.legend.querySelectorAll(".ch-market-runner")].entries()) toggle.setAttribute("aria-pressed", String(!this.hidden.has(this.runners[at])));
      this.paint();
    });
    this.legend.append(all);
    this.tell(null);
  }

  /** @param {Runner} runner @param {HTMLElement} toggle */
  toggle(runner, toggle) {
    if (!this.hidden.delete(runner)) this.hidden.add(runner);
    toggle.setAttribute("aria-pressed", String(!this.hidden.has(runner)));
    this.paint();
  }

  listen() {
    const canvas = this.canvas;
    /** @type {number | null} where it was taken hold of */
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = event.clientX;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (held !== null) {
        this.show(changed(this.range, this.whole, { by: this.painter.time(held) - this.painter.time(event.clientX) }));
        held = event.clientX;
      }
      this.tell(this.painter.time(event.clientX));
    });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) canvas.addEventListener(name, () => (held = null));
    canvas.addEventListener("pointerleave", () => this.tell(null));
    canvas.addEventListener("dblclick", () => this.show(this.whole));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? CLOSER : FARTHER, this.painter.time(event.clientX));
    });
    canvas.addEventListener("keydown", (event) => {
      const step = (this.range[1] - this.range[0]) / 10;
      /** @type {Record<string, () => void>} */
      const keys = {
        "+": () => this.zoom(CLOSER),
        "-": () => this.zoom(FARTHER),
        0: () => this.show(this.whole),
        ArrowLeft: () => this.show(changed(this.range, this.whole, { by: -step })),
        ArrowRight: () => this.show(changed(this.range, this.whole, { by: step })),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  /** @param {number} factor @param {number} [about] */
  zoom(factor, about) {
    this.show(changed(this.range, this.whole, { factor, about }));
  }

  /** @param {Range} range */
  show(range) {
    this.range = range;
    this.paint();
  }

  paint() {
    const shown = this.runners.map((runner, at) => ({ runner, color: this.painter.color(at) })).filter(({ runner }) => !this.hidden.has(runner));
    this.painter.paint(shown, this.range, this.drawn);
  }

  /** The values at a moment: beside each runner its price; null for the last ones. @param {number | null} moment */
  tell(moment) {
    const at = moment === null ? this.whole[1] : Math.min(Math.max(moment, this.whole[0]), this.whole[1]);
    for (const [place, runner] of this.runners.entries()) {
      const price = priceAt(runner, at);
      setText(this.prices[place], Number.isNaN(price) ? "" : brief(price));
    }
    const inside = (/** @type {Range[]} */ bands) => bands.some(([from, to]) => from <= at && at < to);
    const said = [moment === null ? "last prices" : new Date(at).toISOString().replace("T", " ").slice(0, 19)];
    if (moment !== null && inside(this.drawn.inPlay)) said.push("in play");
    if (moment !== null && inside(this.drawn.suspended)) said.push("suspended");
    setText(this.told, said.join(" · "));
    this.painter.point(moment === null ? null : at);
  }
}

export default {
  /** @param {{ model: PlotModel, el: HTMLElement }} props */
  render({ model, el }) {
    const view = new MarketPlotView(model, el);
    return () => view.close();
  },
};

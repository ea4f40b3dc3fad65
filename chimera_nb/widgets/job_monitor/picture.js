// A picture of a job's output that the kernel draws: of a market, say, of which one chooses the id.

import { later, make, setText, showName } from "../base/text.js";

/** @import { PictureMessage, Draw } from "./messages.js" */
/** @typedef {Pick<Draw, "name" | "width" | "height" | "ratio" | "dark">} Wanted */

const SETTLED_MS = 200; // a window that is being made larger is not drawn at each size

export class Picture {
  word = "";
  name = "";
  drawn = "";
  open = false;
  names = make("select", "ch-input ch-mono");
  told = make("span", "ch-muted", "", { role: "status" });
  image = make("img", "", "", { alt: "" });
  node = make("div", "ch-picture");

  /** @param {(wanted: Wanted) => void} ask */
  constructor(ask) {
    this.ask = ask;
    this.names.addEventListener("change", () => {
      this.name = this.names.value;
      this.draw();
    });
    this.drawSoon = later(SETTLED_MS, () => this.draw());
    this.resized = new ResizeObserver(() => this.drawSoon());
    this.resized.observe(this.node);
  }

  close() {
    this.drawSoon.cancel();
    this.resized.disconnect();
  }

  /** Of what it is, for a result that is new. @param {string} word */
  begin(word) {
    this.word = word;
    this.name = this.drawn = "";
    this.names.setAttribute("aria-label", `Which ${word}`);
    this.names.replaceChildren();
    this.image.remove();
  }

  /** @param {boolean} open */
  toggle(open) {
    this.open = open;
    for (const part of [this.node, this.names, this.told]) part.hidden = !open;
    if (open) this.draw();
  }

  draw() {
    const { width, height } = this.node.getBoundingClientRect();
    if (!this.open || width < 120 || height < 60) return; // not on screen
    const wanted = { name: this.name, width: Math.round(width), height: Math.round(height), ratio: devicePixelRatio, dark: isDark(this.node) };
    const key = JSON.stringify(wanted);
    if (key === this.drawn) return;
    this.drawn = key;
    setText(this.told, "Drawing");
    this.ask(wanted);
  }

  /** @param {PictureMessage} message */
  show({ name, names, png, told }) {
    if (this.name && png && name !== this.name) return; // another was chosen since
    setText(this.told, told);
    if (!png) return this.image.remove();
    this.image.src = `data:image/png;base64,${png}`;
    this.image.alt = `The ${this.word} ${name}, drawn over time`;
    this.node.append(this.image);
    this.names.replaceChildren(
      ...names.map((one) => {
        const option = make("option", "", "", { value: one });
        showName(option, one);
        return option;
      }),
    );
    this.names.value = name;
  }
}

/** Whether text is light there. @param {Element} node */
function isDark(node) {
  const [red, green, blue] = (getComputedStyle(node).color.match(/[\d.]+/g) ?? ["0", "0", "0"]).map(Number);
  return red + green + blue > 384;
}

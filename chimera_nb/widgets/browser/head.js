// The head of BucketBrowser's list: a box that selects all, and columns that are sorted by and drawn wider.

import { TERMS } from "../base/terms.js";
import { button, make, zone } from "../base/text.js";

/** @import { Order } from "./rows.js" */
/** @typedef {"all" | "some" | "none"} Chosen how much of what is on screen is selected */

const COLUMNS = /** @type {const} */ ([["name", "Name"], ["size", "Size"], ["codec", TERMS.codec[0]], ["date", "Updated"]]);
const ZONED = "date"; // the column whose times are in a zone
const NARROWEST = 56; // pixels
const KEY_STEP = 16;
const SAYS = { all: "Select nothing here", some: "Select all here (Ctrl+A)", none: "Select all here (Ctrl+A)" };

export class Head {
  node = make("div", "ch-head", "", { role: "row", "aria-rowindex": "1" });
  all = make("input", "ch-all", "", { type: "checkbox", "aria-label": SAYS.none, title: SAYS.none });
  /** @type {Order} */
  order = { by: "name", down: false };
  /** @type {Map<Order["by"], HTMLElement>} */
  cells = new Map();

  /**
   * @param {HTMLElement} grid whose columns they are
   * @param {(how: "all" | "none") => void} onAll
   * @param {(order: Order) => void} onOrder
   */
  constructor(grid, onAll, onOrder) {
    this.grid = grid;
    this.onOrder = onOrder;
    const box = make("span", "ch-box", "", { role: "columnheader", "aria-label": "Selected" });
    box.append(this.all);
    this.all.addEventListener("change", () => onAll(this.chosen === "all" ? "none" : "all"));
    this.node.append(box, ...COLUMNS.map(([name, title]) => this.makeCell(name, title)));
    this.show(this.order);
    this.mark("none", false);
  }

  /** @param {Order["by"]} name @param {string} title */
  makeCell(name, title) {
    const cell = make("span", `ch-cell ch-${name}`, "", { role: "columnheader" });
    const sort = button("ch-sort", name === ZONED ? `${title} (${zone()})` : title, () => this.sortBy(name), { title: `Sort by ${title.toLowerCase()}` });
    cell.append(sort);
    if (name !== "name") cell.prepend(this.makeGrip(name, title));
    this.cells.set(name, cell);
    return cell;
  }

  /** A column is made wider to the left: the name has what is left over. @param {Order["by"]} name @param {string} title */
  makeGrip(name, title) {
    const grip = make("span", "ch-grip", "", { role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": `Width of ${title}` });
    const set = (/** @type {number} */ width) => {
      const fits = Math.round(Math.max(NARROWEST, Math.min(width, this.grid.clientWidth / 3)));
      this.grid.style.setProperty(`--ch-col-${name}`, `${fits}px`);
      grip.setAttribute("aria-valuenow", String(fits));
    };
    const width = () => grip.parentElement?.getBoundingClientRect().width ?? NARROWEST;
    grip.setAttribute("aria-valuenow", "0");
    grip.addEventListener("pointerdown", (down) => {
      const [start, from] = [down.clientX, width()];
      grip.setPointerCapture(down.pointerId);
      grip.onpointermove = (move) => set(from + start - move.clientX);
      grip.onpointerup = grip.onpointercancel = () => {
        grip.onpointermove = null;
      };
      down.preventDefault();
    });
    grip.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      set(width() + (event.key === "ArrowLeft" ? KEY_STEP : -KEY_STEP));
      event.preventDefault();
      event.stopPropagation();
    });
    return grip;
  }

  /** By this column; the other way around where it is by it already. Sizes and times begin with the largest. @param {Order["by"]} by */
  sortBy(by) {
    const down = this.order.by === by ? !this.order.down : by === "size" || by === "date";
    this.show({ by, down });
    this.onOrder(this.order);
  }

  /** @param {Order} order */
  show(order) {
    this.order = order;
    for (const [name, cell] of this.cells) cell.setAttribute("aria-sort", name !== order.by ? "none" : order.down ? "descending" : "ascending");
  }

  /** @param {Chosen} chosen @param {boolean} enabled */
  mark(chosen, enabled) {
    this.chosen = chosen;
    this.all.checked = chosen === "all";
    this.all.indeterminate = chosen === "some";
    this.all.disabled = !enabled;
    this.all.title = SAYS[chosen];
    this.all.setAttribute("aria-label", SAYS[chosen]);
  }
}

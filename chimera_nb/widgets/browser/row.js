// A row of the list that is on screen, and shows one row of the list after another.

import { bytes, make, number, setText, showMiddle, when, zone } from "../base/text.js";
import { isFolder } from "./rows.js";

/** @import { Rows } from "./rows.js" */

export class Row {
  node = make("div", "ch-row", "", { role: "row" });
  box = this.node.appendChild(make("span", "ch-box", "", { role: "presentation" }));
  name = this.node.appendChild(make("span", "ch-cell ch-name", "", { role: "gridcell" }));
  icon = this.name.appendChild(make("span", "ch-icon", "", { "aria-hidden": "true" }));
  label = this.name.appendChild(make("span", "ch-label", "", { dir: "ltr" }));
  size = this.node.appendChild(make("span", "ch-cell ch-size", "", { role: "gridcell" }));
  codec = this.node.appendChild(make("span", "ch-cell ch-codec", "", { role: "gridcell" }));
  date = this.node.appendChild(make("span", "ch-cell ch-date", "", { role: "gridcell" }));
  top = -1;
  /** @type {number | null} of the row that is shown; null while it is not loaded */
  key = null;
  /** @type {Rows | null} */
  rows = null;

  /** Stand for nothing. */
  clear() {
    this.node.id = "";
    this.node.classList.remove("ch-active");
  }

  /** Show what is at an index. @param {Rows} rows @param {number} index */
  draw(rows, index) {
    const key = index < rows.length ? rows.keyAt(index) : null;
    this.node.classList.toggle("ch-skeleton", key === null);
    if (this.rows === rows && this.key === key) return;
    this.rows = rows;
    this.key = key;
    const name = key === null ? "" : rows.name(key);
    const object = key === null || isFolder(key) ? null : rows.objects[key];
    const archive = key !== null && rows.isArchive(key);
    this.node.dataset.kind = key === null ? "" : archive ? "archive" : object ? "object" : "folder";
    showMiddle(this.label, name);
    this.label.title = archive ? `${name}: an archive, which opens as a folder` : name;
    const [, size, updated, codec] = object ?? ["", 0, null, ""];
    setText(this.size, object ? bytes(size) : "");
    this.size.title = object ? `${number(size)} bytes` : "";
    setText(this.codec, codec);
    setText(this.date, when(updated));
    this.date.title = updated ? `${when(updated)} ${zone(updated)}` : "";
  }
}

// The records of a file as a table.

import { make, showName } from "../base/text.js";
import { showLine } from "./tree.js";

/** @import { Records } from "./messages.js" */

const TITLED = 40; // characters of a cell from which on the whole of it is shown under the pointer

/** @param {Records} records */
export function tableOf({ columns, rows }) {
  const table = make("table", "ch-table");
  const head = table.appendChild(make("thead")).appendChild(make("tr"));
  for (const [name, numeric] of columns) showName(head.appendChild(make("th", numeric ? "ch-right" : "", "", { scope: "col" })), name);
  const body = table.appendChild(make("tbody"));
  for (const row of rows) {
    const line = body.appendChild(make("tr"));
    row.forEach((text, at) => {
      const cell = line.appendChild(make("td", columns[at][1] ? "ch-right" : ""));
      showLine(cell.appendChild(make("div", "ch-preview-cell", "", { dir: "ltr" })), text);
      if (text.length > TITLED) cell.title = text;
    });
  }
  return table;
}

// Two jobs of the list, chosen one after the other, side by side.

import { showDialog } from "../base/dialog.js";
import { button, make, showName } from "../base/text.js";

/** @import { ComparedMessage } from "./messages.js" */

/** The jobs that are chosen when another one is: at most two, and one that is chosen already no more. @param {string[]} chosen @param {string} id */
export const choose = (chosen, id) => (chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id].slice(-2));

/** What is to be done next. @param {string[]} chosen */
export const nextText = (chosen) => (chosen.length ? "Choose the job to compare it with" : "Choose two jobs to compare");

export class Compare {
  /** @type {string[]} */
  chosen = [];
  button = button("ch-history-status", "Compare", () => this.turn(!this.on), { "aria-pressed": "false", title: "Two jobs side by side: click one, then the other" });
  says = make("strong", "ch-history-next", "", { role: "status" });

  /** @param {(one: string, other: string) => void} ask @param {() => void} onChange */
  constructor(ask, onChange) {
    this.ask = ask;
    this.onChange = onChange;
  }

  get on() {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  /** @param {boolean} on */
  turn(on) {
    this.button.setAttribute("aria-pressed", String(on));
    this.chosen = [];
    this.says.textContent = on ? nextText(this.chosen) : "";
    this.onChange();
  }

  /** @param {string} id */
  take(id) {
    this.chosen = choose(this.chosen, id);
    this.says.textContent = nextText(this.chosen);
    const [one, other] = this.chosen;
    if (other === undefined) return this.onChange();
    this.turn(false);
    this.ask(one, other);
  }

  /** @param {ComparedMessage} message */
  show({ one, other, lines, error }) {
    const table = make("table", "ch-table ch-compared");
    const head = table.appendChild(make("thead")).appendChild(make("tr"));
    head.append(make("th", "", "", { "aria-label": "What" }));
    for (const name of [one, other]) showName(head.appendChild(make("th", "", "", { scope: "col" })), name);
    const body = table.appendChild(make("tbody"));
    for (const [name, left, right, differs] of lines) {
      const row = body.appendChild(make("tr", differs ? "ch-differs" : ""));
      row.append(make("th", "", name, { scope: "row" }));
      for (const text of [left, right]) showName(row.appendChild(make("td")), text);
    }
    const count = lines.filter(([, , , differs]) => differs).length;
    showDialog("Two jobs compared", table, error || `They differ in ${count} of ${lines.length} lines, which are marked.`).classList.add("ch-dialog-wide");
  }
}

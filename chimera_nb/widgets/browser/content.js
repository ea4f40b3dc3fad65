// Files chosen by what is in them, in BucketBrowser: the facets of a folder's catalogue, and what is chosen of it.

import { bytes as size, button, make, number, plural, showName } from "../base/text.js";

/** @import { BrowserRequest, BrowserTraits, Content, Facet, FacetValue } from "./messages.js" */

export class ContentPanel {
  open = button("ch-content-open", "Choose by content…", () => this.ask({ kind: "chooseContent" }), {
    title: "By sport, country, market type, venue, event and day: looks into every file of this folder, once",
  });
  panel = make("div", "ch-content-panel", "", { role: "group", "aria-label": "Choose by content" });
  says = make("span", "ch-content-says", "", { role: "status" });
  stop = button("", "Stop", () => this.ask({ kind: "stopContent" }));
  leave = button("", "Close", () => this.ask({ kind: "leaveContent" }));
  select = button("ch-primary ch-content-select", "", () => this.ask({ kind: "selectContent" }));
  facets = make("div", "ch-facets");
  since = make("input", "ch-input", "", { type: "date", "aria-label": "From this day on" });
  until = make("input", "ch-input", "", { type: "date", "aria-label": "Up to this day" });
  ids = make("input", "ch-content-ids", "", { type: "file", accept: ".csv,.txt", "aria-label": "A CSV of ids" });
  idsSays = make("span", "ch-content-says");
  noIds = button("", "All ids", () => this.ask({ kind: "chooseIds", name: "", text: "" }));

  /** @param {(request: BrowserRequest) => void} ask */
  constructor(ask) {
    this.ask = ask;
    for (const box of [this.since, this.until]) box.addEventListener("change", () => this.onDays());
    this.ids.addEventListener("change", () => this.onIds());
    this.days = make("label", "ch-content-days", "Days ");
    this.days.append(this.since, " to ", this.until);
    const list = make("label", "ch-content-days", "Ids (CSV) ");
    list.append(this.ids);
    this.more = make("div", "ch-content-line");
    this.more.append(this.days, list, this.idsSays, this.noIds);
    const line = make("div", "ch-content-line");
    line.append(this.says, this.stop, this.select, this.leave);
    this.panel.append(this.facets, this.more, line);
  }

  /** What is known; an object without fields while there is none. @param {BrowserTraits["_content"]} made */
  show(made) {
    this.panel.hidden = made.folder === undefined;
    this.open.hidden = !this.panel.hidden;
    if (made.folder === undefined) return;
    const ready = !made.running && !made.error;
    this.stop.hidden = !made.running;
    this.facets.hidden = this.more.hidden = this.select.hidden = !ready;
    showName(this.says, made.error || (made.running ? made.progress || "listing" : chosenText(made)));
    this.says.classList.toggle("ch-bad", Boolean(made.error));
    if (!ready) return;
    this.select.textContent = `Select ${made.matching === 1 ? "this file" : `these ${number(made.matching)} files`}`;
    this.select.disabled = !made.matching;
    this.days.hidden = !made.hasDays;
    this.since.value = made.since;
    this.until.value = made.until;
    showName(this.idsSays, made.ids);
    this.noIds.hidden = !made.ids;
    if (!made.ids) this.ids.value = "";
    this.showFacets(made.facets);
  }

  /** @param {Facet[]} facets */
  showFacets(facets) {
    const at = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.chValue : undefined;
    const tops = [...this.facets.querySelectorAll(".ch-facet-values")].map((list) => list.scrollTop);
    this.facets.replaceChildren(...facets.map((facet) => this.facet(facet)));
    this.facets.querySelectorAll(".ch-facet-values").forEach((list, i) => {
      list.scrollTop = tops[i] ?? 0;
    });
    if (at === undefined) return;
    for (const box of this.facets.querySelectorAll("input")) if (box.dataset.chValue === at) box.focus();
  }

  /** @param {Facet} facet */
  facet({ name, label, values, more }) {
    const set = make("fieldset", "ch-facet");
    set.append(make("legend", "", label));
    const list = set.appendChild(make("div", "ch-facet-values"));
    list.append(...values.map((value) => this.value(name, value)));
    if (more) list.append(make("div", "ch-more", `and ${number(more)} more`));
    return set;
  }

  /** @param {string} facet @param {FacetValue} value */
  value(facet, [value, name, count, chosen]) {
    const line = make("label", "ch-facet-value");
    const box = make("input", "", "", { type: "checkbox" });
    box.checked = chosen;
    box.dataset.chValue = `${facet} ${value === null ? "" : `=${value}`}`;
    box.addEventListener("change", () => this.ask({ kind: "chooseValue", facet, value, on: box.checked }));
    line.append(box);
    showName(line.appendChild(make("span", "ch-facet-name")), name);
    line.append(make("span", "ch-facet-count", number(count)));
    return line;
  }

  onDays() {
    this.ask({ kind: "chooseDays", since: this.since.value, until: this.until.value });
  }

  async onIds() {
    const file = this.ids.files?.[0];
    if (file) this.ask({ kind: "chooseIds", name: file.name, text: await file.text() });
  }
}

/** "120 of 300 files match, 3.4 MB; 2 files cannot be read" @param {Content} content */
export function chosenText({ files, failed, matching, bytes, rows }) {
  const each = rows === matching ? "" : ` with ${plural(rows, "record")}`;
  const text = `${number(matching)} of ${plural(files, "file")} ${matching === 1 ? "matches" : "match"}${each}, ${size(bytes)}`;
  return failed ? `${text}; ${plural(failed, "file")} cannot be read` : text;
}

// Panels of which one is on show, and their tabs.

import { make } from "../base/text.js";

/** @template {string} Name */
export class Tabs {
  chosen = false; // whether somebody has chosen a tab
  bar = make("div", "ch-bar ch-tab-bar");

  /**
   * `panels` has the title and the element of each, in order; `onOpen` is told which one is on show.
   * @param {string} id of the widget's front end
   * @param {Record<Name, [title: string, node: HTMLElement]>} panels
   * @param {(name: Name, chosen: boolean) => void} onOpen
   */
  constructor(id, panels, onOpen) {
    this.panels = panels;
    this.names = /** @type {Name[]} */ (Object.keys(panels));
    this.opened = this.names[0];
    this.onOpen = onOpen;
    const list = this.bar.appendChild(make("div", "ch-tabs", "", { role: "tablist", "aria-label": "Details" }));
    this.tabs = /** @type {Record<Name, HTMLElement>} */ ({});
    for (const name of this.names) {
      const [title, node] = panels[name];
      const tab = make("button", "ch-tab", title, { type: "button", role: "tab", id: `${id}-${name}-tab`, "aria-controls": `${id}-${name}` });
      tab.addEventListener("click", () => this.open(name, true));
      for (const [key, value] of Object.entries({ role: "tabpanel", id: `${id}-${name}`, "aria-labelledby": tab.id })) node.setAttribute(key, value);
      this.tabs[name] = tab;
      list.append(tab);
    }
    list.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!step) return;
      this.open(this.names[(this.names.indexOf(this.opened) + step + this.names.length) % this.names.length], true);
      this.tabs[this.opened].focus();
      event.preventDefault();
    });
  }

  /** @param {Name} name */
  open(name, chosen = false) {
    this.opened = name;
    this.chosen ||= chosen;
    for (const each of this.names) {
      this.panels[each][1].hidden = each !== name;
      this.tabs[each].setAttribute("aria-selected", String(each === name));
      this.tabs[each].tabIndex = each === name ? 0 : -1;
    }
    this.onOpen(name, chosen);
  }
}

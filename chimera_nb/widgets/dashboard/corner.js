// The corner of the dashboard's header: who one is, where one is, light or dark, and what the keys do.

import { openDialog } from "../base/dialog.js";
import { button, make, setText } from "../base/text.js";
import { KEYS } from "../browser/keys.js";

/** @import { StepsTraits } from "./messages.js" */

const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** Where the dashboard looks, in a few words. @param {StepsTraits["_where"]} where */
export function whereText({ place, project }) {
  if (!place) return "";
  return place === "cloud" ? `Google Cloud${project ? ` · ${project}` : ""}` : "local stack";
}

/** The page's theme.js does it, and keeps it for the next visit. @param {string} theme */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event("chimera-theme"));
}

export class Corner {
  node = make("div", "ch-corner");
  who = this.node.appendChild(make("span", "ch-who"));
  where = this.node.appendChild(make("span", "ch-where"));

  /** @param {boolean} ours whether the page is the dashboard's own, whose theme is ours to change */
  constructor(ours) {
    this.help = button("ch-help", "?", () => this.showKeys(), { "aria-label": "What the keys do", title: "What the keys do (?)" });
    if (ours) this.node.append(this.makeThemes());
    this.node.append(this.help);
  }

  makeThemes() {
    const set = make("select", "ch-input ch-theme", "", { "aria-label": "Theme" });
    set.append(...THEMES.map((theme) => make("option", "", { system: "Auto", light: "Light", dark: "Dark" }[theme], { value: theme })));
    set.value = document.documentElement.dataset.theme ?? "system";
    set.addEventListener("change", () => setTheme(set.value));
    return set;
  }

  /** @param {StepsTraits["_where"]} where */
  show(where) {
    setText(this.who, where.who ?? "");
    setText(this.where, whereText(where));
    this.who.title = where.who ? `Jobs are on record as launched by ${where.who}` : "";
    this.where.title = where.place === "cloud" ? "Buckets and jobs are those of Google Cloud" : "Buckets and jobs are on the machine that shows this page; nothing leaves it";
  }

  showKeys() {
    openDialog("Keys", KEYS, "In the list of files:");
  }
}

// The path of BucketBrowser: the folders above as links, and a box to type another into.

import { button, make, showName } from "../base/text.js";

/** @import { Crumb } from "./messages.js" */

export class PathBar {
  node = make("div", "ch-path");
  up = button("ch-up", "", () => this.does.open(null), { "aria-label": "Up one folder", title: "Up (Backspace)" });
  crumbs = make("nav", "ch-crumbs", "", { "aria-label": "Path" });
  editor = button("ch-edit", "", () => this.edit(), { "aria-label": "Edit the path", title: "Type or paste a path" });

  console = make("a", "ch-button ch-console", "Google Cloud ↗", { target: "_blank", rel: "noopener noreferrer", title: "Open in Google Cloud's console" });

  /**
   * @param {string} id of the widget's list, which no other element has
   * @param {{ open: (uri: string | null) => void, go: (text: string) => void, path: () => string, leave: () => void }} does
   *   open a folder (null is the one above); go where a text says; the path that is shown; what to do when it is left
   */
  constructor(id, does) {
    this.does = does;
    this.places = make("datalist", "", "", { id: `${id}-places` });
    this.box = make("input", "ch-input ch-path-box", "", {
      type: "text", "aria-label": "Path", list: this.places.id, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    });
    this.box.hidden = true;
    this.crumbs.addEventListener("click", (event) => event.target === this.crumbs && this.edit());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leave();
      if (event.key !== "Enter") return;
      does.go(this.box.value);
      this.leave();
    });
    this.box.addEventListener("blur", () => this.leave(false));
    this.node.append(this.up, this.crumbs, this.box, this.editor, this.places, this.console);
  }

  /** Where else it can be seen; "" for nowhere. @param {string} url */
  link(url) {
    this.console.hidden = !url;
    if (url) this.console.href = url;
  }

  edit() {
    this.crumbs.hidden = this.editor.hidden = true;
    this.box.hidden = false;
    this.box.value = this.does.path();
    this.box.focus();
    this.box.select();
  }

  leave(refocus = true) {
    this.crumbs.hidden = this.editor.hidden = false;
    this.box.hidden = true;
    if (refocus) this.does.leave();
  }

  /** Folders to offer while one types. @param {string[]} uris */
  offer(uris) {
    this.places.replaceChildren(...uris.map((uri) => make("option", "", "", { value: uri })));
  }

  /** @param {Crumb[]} crumbs @param {boolean} isTop whether there is no folder above */
  show(crumbs, isTop) {
    this.up.disabled = isTop;
    const nodes = crumbs.flatMap(([label, uri], at) => {
      const here = at === crumbs.length - 1;
      const node = here ? make("span", "ch-crumb ch-here", "", { "aria-current": "page" }) : button("ch-crumb", "", () => this.does.open(uri));
      showName(node, label);
      node.title = uri;
      return at ? [make("span", "ch-slash", "/", { "aria-hidden": "true" }), node] : [node];
    });
    this.crumbs.replaceChildren(...nodes);
    this.crumbs.scrollLeft = this.crumbs.scrollWidth; // the end of a long path is what tells folders apart
  }
}

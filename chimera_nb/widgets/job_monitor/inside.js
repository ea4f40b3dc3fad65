// What is inside a file that failed: the preview, which is a widget of its own, put into this one.

import { button, make } from "../base/text.js";

/** @import { Model } from "../base/model.js" */
/** @import { MonitorTraits } from "./messages.js" */

const REFERENCE = "IPY_MODEL_"; // what ipywidgets writes before a widget's id

export class InsideFile {
  shown = "";
  /** @type {{ el: HTMLElement, remove: () => void } | null} */
  view = null;
  node = make("section", "ch-inside", "", { "aria-label": "Inside a file that failed" });
  place = make("div");

  /** @param {() => Model<MonitorTraits & { error: string }>} model */
  constructor(model) {
    this.model = model;
    const head = make("div", "ch-part-head");
    head.append(make("h3", "", "Inside the file"), button("ch-inside-close", "Close", () => this.hide()));
    this.node.append(head, this.place);
    this.node.hidden = true;
  }

  close() {
    this.view?.remove();
    this.view = null;
  }

  hide() {
    this.node.hidden = true;
  }

  /** @param {string} reference to the widget; "" for none */
  async show(reference) {
    if (!reference) return this.hide();
    this.node.hidden = false;
    if (this.shown !== reference) {
      this.shown = reference;
      this.close();
      const manager = this.model().widget_manager;
      const view = await manager.create_view(await manager.get_model(reference.slice(REFERENCE.length)));
      if (this.shown !== reference) return view.remove();
      this.view = view;
      this.place.replaceChildren(view.el);
    }
    this.node.scrollIntoView({ block: "nearest" });
  }
}

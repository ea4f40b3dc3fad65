// What every widget's view does: it hears its model, says what went wrong, and leaves nothing behind.

import { button, make, showName } from "./text.js";

/** @import { Model } from "./model.js" */

/**
 * @template Traits
 * @template {{ kind: string }} Request
 */
export class View {
  /**
   * `el` is the cell's own; `kind` names the widget in CSS, `label` for a screen reader.
   * @param {Model<Traits & { error: string }>} model
   * @param {HTMLElement} el
   * @param {string} kind
   * @param {string} label
   */
  constructor(model, el, kind, label) {
    this.model = model;
    this.node = make("div", `chimera ch-${kind}`, "", { "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": label });
    el.append(this.node);
    /** @type {[string, (message: any) => void][]} */
    this.heard = [];
  }

  /**
   * Call what is given for each event of the model ("change:trait", "msg:custom") until the view is closed.
   * @param {Record<string, (message: any) => void>} calls
   */
  hear(calls) {
    for (const [event, call] of Object.entries(calls)) {
      this.model.on(event, call);
      this.heard.push([event, call]);
    }
  }

  /** Ask the kernel for something; the widget has a method `_asked_KIND` for it. @param {Request} request */
  ask(request) {
    this.model.send(request);
  }

  /**
   * The line that shows the trait `error`; with a button to try again where `retry` is given.
   * @param {(() => void) | null} retry
   */
  makeError(retry = null) {
    const line = make("div", "ch-error", "", { role: "alert" });
    const text = line.appendChild(make("span", "ch-error-text"));
    if (retry) line.append(button("", "Try again", retry));
    const show = () => {
      showName(text, this.model.get("error"));
      line.classList.toggle("ch-shown", Boolean(this.model.get("error")));
    };
    this.hear({ "change:error": show });
    show();
    return line;
  }

  close() {
    for (const [event, call] of this.heard) this.model.off(event, call);
  }
}

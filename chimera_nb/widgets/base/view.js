// What every widget's view does: it hears its model, says what went wrong and that it is there, and leaves nothing behind.

import { button, make, showName, uniqueId } from "./text.js";

/** @import { Calls, Model, OfKind, RefusedMessage } from "./model.js" */

const AWAY = "The page is cut off from what answers it, so this was not done. Load the page again; in a notebook, run the cell again.";
const HERE_MS = 30_000; // presence.py knows how long the kernel takes a view's word for being there

/**
 * @template Traits
 * @template {OfKind} Message what the kernel tells
 * @template {OfKind} Request what can be asked of it
 */
export class View {
  id = uniqueId("view");
  generation = -1; // of what is shown: a message of one before it comes late
  refused = ""; // why the kernel did not take the last request
  /** @type {[string, (message: any) => void][]} */
  heard = [];
  /** @type {(() => void)[]} what to do when the view is closed */
  closing = [];

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
  }

  /**
   * Call what is given for each event of the model ("change:trait") until the view is closed.
   * @param {Record<string, (message: any) => void>} calls
   */
  hear(calls) {
    for (const [event, call] of Object.entries(calls)) {
      this.model.on(event, call);
      this.heard.push([event, call]);
    }
  }

  /**
   * Call what is given for each kind of message, and with whether it is the first of something else that is shown from
   * then on. What comes late is left.
   * @param {Calls<Message>} calls
   */
  hearMessages(calls) {
    this.hear({
      "msg:custom": (/** @type {Message | RefusedMessage} */ message) => {
        const { generation } = /** @type {{ generation?: number }} */ (message);
        if (generation !== undefined && generation < this.generation) return;
        const isNew = generation !== undefined && generation > this.generation;
        if (isNew) this.generation = generation;
        if (message.kind === "refused") this.onRefused(/** @type {RefusedMessage} */ (message));
        else /** @type {any} */ (calls)[message.kind]?.(message, isNew);
      },
    });
  }

  /** Ask the kernel for something; messages.py has what there is to ask for. @param {Request} request */
  ask(request) {
    try {
      this.model.send(request);
      this.refused = "";
    } catch {
      this.refused = AWAY;
    }
    this.showError();
  }

  // Who is on screen

  /** Say that this view is there, and wants everything. */
  hello() {
    this.say("hello");
  }

  /** Say that it is there still. */
  here() {
    this.say("here");
  }

  bye() {
    this.say("bye");
  }

  /** @param {"hello" | "here" | "bye"} kind */
  say(kind) {
    try {
      this.model.send({ kind, view: this.id });
    } catch {} // a kernel that is gone waits for nobody; what is asked of it next says so
  }

  /**
   * Say every now and then that it is there, for as long as `isWanted()`; goodbye when nobody looks at the page and it is
   * not wanted so; and `back()` when somebody looks again.
   * @param {() => boolean} isWanted
   * @param {() => void} back
   */
  stay(isWanted, back) {
    const timer = setInterval(() => isWanted() && this.here(), HERE_MS);
    const onVisible = () => {
      if (!document.hidden) back();
      else if (!isWanted()) this.bye();
    };
    document.addEventListener("visibilitychange", onVisible);
    this.closing.push(() => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
    });
  }

  // What went wrong

  /**
   * The line that shows the trait `error`; with a button to try again where `retry` is given.
   * @param {(() => void) | null} retry
   */
  makeError(retry = null) {
    const line = make("div", "ch-error", "", { role: "alert" });
    this.errorText = line.appendChild(make("span", "ch-error-text"));
    this.errorLine = line;
    if (retry) line.append(button("", "Try again", retry));
    this.hear({ "change:error": () => this.showError() });
    this.showError();
    return line;
  }

  showError() {
    const text = this.model.get("error") || this.refused;
    if (this.errorText) showName(this.errorText, text);
    this.errorLine?.classList.toggle("ch-shown", Boolean(text));
  }

  /** What this page asks is not what the kernel takes: one of them is of another version. @param {RefusedMessage} message */
  onRefused({ request, reason }) {
    this.refused = `What answers this page is of another version: it does not take “${request}” (${reason}). Load the page again.`;
    this.showError();
  }

  close() {
    for (const [event, call] of this.heard) this.model.off(event, call);
    for (const call of this.closing) call();
    this.bye();
  }
}

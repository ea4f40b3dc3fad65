// The connection to the kernel: says when it is lost, brings it back, and starts the page afresh where that cannot be.

import { byId } from "./dom.js";

/** @typedef {"slow" | "connection" | "gone"} Why the page may be of no use at the moment */
/** @typedef {{ baseUrl: string, kernelId: string }} Config */

const AGAIN_MS = 1000;
const RECONNECTS_MS = 6000; // the front end tries by itself; then the page starts afresh at the same address
const ANSWER_MS = 5000;
const GONE = 4404; // the kernel has ended: see kernels.py

export class Connection {
  /** @type {Why | null} */
  lost = null;
  leaving = false;
  open = 0; // sockets
  /** @type {number | null} since when the server answers again */
  back = null;

  /** @param {Config} config */
  constructor(config) {
    this.config = config;
    addEventListener("pagehide", () => {
      this.leaving = true;
    });
    addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload(); // from the browser's memory: its kernel was given back
    });
  }

  /** See every connection that is made to a kernel from now on. */
  watch() {
    const connection = this;
    window.WebSocket = class extends WebSocket {
      /** @param {string | URL} url @param {string | string[]} [protocols] */
      constructor(url, protocols) {
        super(url, protocols);
        if (!new URL(url, location.href).pathname.endsWith("/channels")) return;
        this.addEventListener("open", () => connection.onOpen());
        this.addEventListener("close", (event) => connection.onClose(event.code));
      }
    };
  }

  onOpen() {
    this.open += 1;
    this.found();
  }

  /** @param {number} code */
  onClose(code) {
    this.open -= 1;
    if (this.leaving || this.open > 0) return;
    const waiting = this.isAway();
    if (code === GONE) this.say("gone", "The dashboard was put to sleep. It starts again…");
    else this.say("connection", "Connection lost. Trying to bring it back…");
    if (!waiting) setTimeout(() => this.recover(), AGAIN_MS);
  }

  isAway() {
    return this.lost === "connection" || this.lost === "gone";
  }

  /** @param {Why} why @param {string} text @param {boolean} offer whether to offer a button that loads the page again */
  say(why, text, offer = false) {
    this.lost = why;
    const note = byId("dash-connection");
    note.textContent = text;
    if (offer) {
      const button = document.createElement("button");
      button.textContent = "Load again";
      button.addEventListener("click", () => location.reload());
      note.append(" ", button);
    }
    note.hidden = false;
  }

  found() {
    this.lost = this.back = null;
    byId("dash-connection").hidden = true;
  }

  async recover() {
    if (!this.isAway() || this.leaving) return;
    try {
      if ((await this.answer("healthz")).ok) {
        this.back ??= Date.now();
        // Not before it answers: a reload now would leave the visitor with the browser's own page of errors.
        if (!(await this.answer(`api/kernels/${this.config.kernelId}`)).ok || Date.now() - this.back > RECONNECTS_MS) {
          this.startAfresh();
          return;
        }
      } else this.back = null;
    } catch {
      this.back = null;
    }
    setTimeout(() => this.recover(), AGAIN_MS);
  }

  /** @param {string} path */
  answer(path) {
    return fetch(this.config.baseUrl + path, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(ANSWER_MS) });
  }

  startAfresh() {
    // A page that nobody looks at would only take a kernel for itself again.
    if (document.visibilityState === "visible") location.reload();
    else document.addEventListener("visibilitychange", () => this.recover(), { once: true });
  }
}

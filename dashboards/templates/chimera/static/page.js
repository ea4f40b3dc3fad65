// What the page does around Voilà's front end: it begins it, takes the skeleton away when there is something to see, and
// watches the connection. The front end begins from here, so that every connection that it makes is seen.

import { Connection } from "./connection.js";
import { byId, whenParsed } from "./dom.js";

/** @typedef {import("./connection.js").Config & { fullStaticUrl: string, frontEndUrl: string }} PageConfig */

const SLOW_MS = 45000;
const ANYWIDGET_MS = 2000;
const MODULE_MS = 300_000;

/** @type {PageConfig} */
const config = JSON.parse(byId("jupyter-config-data").textContent ?? "");
const connection = new Connection(config);

// ---- Voilà's front end: 4 MB of scripts (a third of that on the wire), begun once the skeleton has been painted ----

/** It starts at the window's load event, which may be past by then. */
function letItStartLate() {
  const listen = window.addEventListener.bind(window);
  window.addEventListener = (/** @type {string} */ type, /** @type {any} */ listener, /** @type {any} */ options = undefined) => {
    if (type === "load" && document.readyState === "complete") setTimeout(() => listener(new Event("load")));
    else listen(type, listener, options);
  };
}

/**
 * anywidget gives up a widget for good whose module has not run 2 s after the widget was there: on a busy machine, or a
 * slow one, it has only not come to it yet.
 */
function letModulesComeLate() {
  const after = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => after(ms === ANYWIDGET_MS ? MODULE_MS : ms);
}

function begin() {
  for (const src of [config.frontEndUrl, `${config.fullStaticUrl}/voila.js`]) {
    const script = document.createElement("script");
    script.src = src;
    script.async = false; // one after the other: the runtime finds the chunks there
    document.head.append(script);
  }
}

// ---- The skeleton ----

const PARTS = ["browse", "preview", "launch", "jobs", "job"].map((name) => `.ch-part-${name}`);

/** Whether all of the page can be shown at once: what came later would push away what one reads. */
function isThere() {
  if (document.getElementById("dash-failed")) return true;
  const dashboard = /** @type {HTMLElement | null} */ (byId("dash-cells").querySelector(".ch-dashboard"));
  if (dashboard || byId("dash-main").dataset.shows === "dashboard") return Boolean(dashboard?.dataset.page) && PARTS.every((part) => dashboard?.querySelector(`${part} .chimera`));
  const shown = /** @type {NodeListOf<HTMLElement>} */ (byId("dash-cells").querySelectorAll(".dash-cell > *"));
  return [...shown].some((each) => each.offsetHeight > 0);
}

function reveal() {
  if (!isThere()) return;
  watching.disconnect();
  byId("dash-skeleton").remove();
  document.body.classList.add("dash-ready");
  performance.mark("dash-ready");
  if (connection.lost === "slow") connection.found();
}

const watching = new MutationObserver(reveal);

connection.watch();
letItStartLate();
letModulesComeLate();
if (document.visibilityState === "visible") requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(begin)));
else setTimeout(begin); // a page in the background is not painted
whenParsed(() => {
  watching.observe(byId("dash-cells"), { childList: true, subtree: true, attributeFilter: ["data-page"] });
  reveal();
  setTimeout(() => {
    if (document.getElementById("dash-skeleton")) connection.say("slow", "This takes longer than it should.", true);
  }, SLOW_MS);
});

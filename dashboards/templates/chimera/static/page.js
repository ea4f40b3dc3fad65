// What the page does around Voilà's front end: it takes the skeleton away when there is something to see, says when the
// connection is lost, and brings it back. It runs before anything else, so that it sees every connection being made.
"use strict";
(() => {
  const config = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const AGAIN_MS = 1000;
  const RECONNECTS_MS = 6000; // the front end tries by itself; then the page starts afresh at the same address
  const SLOW_MS = 45000;
  const GONE = 4404; // the kernel has ended: see kernels.py
  const byId = (id) => document.getElementById(id);

  // ---- Voilà's front end: 4 MB of scripts, begun once the skeleton has been painted ----
  // It starts at the window's load event, which may be past by then.
  const listen = window.addEventListener.bind(window);
  window.addEventListener = (type, listener, options) => {
    if (type === "load" && document.readyState === "complete") setTimeout(() => listener(new Event("load")));
    else listen(type, listener, options);
  };
  const begin = () => {
    const script = document.createElement("script");
    script.src = `${config.fullStaticUrl}/voila.js`;
    document.head.append(script);
  };
  if (document.visibilityState === "visible") requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(begin)));
  else setTimeout(begin); // a page in the background is not painted

  // ---- Light or dark, for widgets that ask ----
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tellTheme = () => {
    if (document.body) document.body.dataset.jpThemeLight = String(!dark.matches);
  };
  dark.addEventListener("change", tellTheme);

  // ---- The skeleton ----
  const isThere = () => {
    const cells = byId("dash-cells");
    return byId("dash-failed") || (cells && [...cells.querySelectorAll(".dash-cell > *")].some((e) => e.offsetHeight > 0));
  };
  let watching;
  const reveal = () => {
    if (!isThere()) return;
    watching.disconnect();
    byId("dash-skeleton").remove();
    document.body.classList.add("dash-ready");
    performance.mark("dash-ready");
    if (lost === "slow") found();
  };
  addEventListener("DOMContentLoaded", () => {
    tellTheme();
    watching = new MutationObserver(reveal);
    watching.observe(byId("dash-cells"), { childList: true, subtree: true });
    reveal();
    setTimeout(() => {
      if (byId("dash-skeleton")) say("slow", "This takes longer than it should.", true);
    }, SLOW_MS);
  });

  // ---- The connection ----
  let lost = null;
  let leaving = false;
  let back = null; // since when the server answers again
  let open = 0;

  const say = (why, text, offer) => {
    lost = why;
    const note = byId("dash-connection");
    note.textContent = text;
    if (offer) {
      const button = document.createElement("button");
      button.textContent = "Load again";
      button.addEventListener("click", () => location.reload());
      note.append(" ", button);
    }
    note.hidden = false;
  };
  const found = () => {
    lost = back = null;
    byId("dash-connection").hidden = true;
  };
  const startAfresh = () => {
    // A page that nobody looks at would only take a kernel for itself again.
    if (document.visibilityState === "visible") location.reload();
    else document.addEventListener("visibilitychange", recover, { once: true });
  };
  const answers = (path) =>
    fetch(config.baseUrl + path, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(5000) });
  const recover = async () => {
    if (!["connection", "gone"].includes(lost) || leaving) return;
    try {
      if ((await answers("healthz")).ok) {
        back ??= Date.now();
        // Not before it answers: a reload now would leave the visitor with the browser's own page of errors.
        if (!(await answers(`api/kernels/${config.kernelId}`)).ok || Date.now() - back > RECONNECTS_MS) {
          startAfresh();
          return;
        }
      } else back = null;
    } catch {
      back = null;
    }
    setTimeout(recover, AGAIN_MS);
  };

  window.WebSocket = class extends WebSocket {
    constructor(url, ...rest) {
      super(url, ...rest);
      if (!new URL(url, location.href).pathname.endsWith("/channels")) return;
      this.addEventListener("open", () => {
        open += 1;
        found();
      });
      this.addEventListener("close", (event) => {
        open -= 1;
        if (leaving || open > 0) return;
        const waiting = lost === "connection" || lost === "gone";
        if (event.code === GONE) say("gone", "The dashboard was put to sleep. It starts again…");
        else say("connection", "Connection lost. Trying to bring it back…");
        if (!waiting) setTimeout(recover, AGAIN_MS);
      });
    }
  };
  addEventListener("pagehide", () => {
    leaving = true;
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // from the browser's memory: its kernel was given back
  });
})();

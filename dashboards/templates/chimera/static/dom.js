// What the page's modules share.

/** An element that the template has. @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** Call when the whole of the page is there, which it may be already. @param {() => void} call */
export function whenParsed(call) {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", call, { once: true });
  else call();
}

// What widgets keep in the page's address, each under names of its own, so that reload, Back and a link bring it back.
// Only where the page is all ours, as the dashboard's template says; in a notebook nothing is kept and nothing is there.
//
// The names in use: job, jobs (dashboard/header.js); folder, filter, select, file (browser); tab (job_monitor);
// status, search, since, until (job_history).

import { copyButton } from "./copy.js";

/** @typedef {Record<string, string | string[]>} Values of each name; "" and [] stand for none */

const LONGEST = 4000; // characters of what is kept under one name: some servers take lines of 8 kB

/** A value as it stands in an address: slashes and colons may, and a path can be read then. @param {string} text */
const written = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");

/** The pairs of an address as text, "" or with a question mark. @param {Iterable<[string, string]>} pairs */
export function searchOf(pairs) {
  const text = [...pairs].map(([name, value]) => (value ? `${written(name)}=${written(value)}` : written(name))).join("&");
  return text && `?${text}`;
}

/**
 * The search with these values, and all else that it had, such as a token. What is too long is left out.
 * @param {string} search
 * @param {Values} values
 */
export function searchWith(search, values) {
  const kept = [...new URLSearchParams(search)].filter(([name]) => !(name in values));
  for (const [name, value] of Object.entries(values)) {
    const all = [value].flat().filter(Boolean);
    if (all.reduce((length, one) => length + written(one).length + name.length + 2, 0) <= LONGEST) kept.push(...all.map((one) => /** @type {[string, string]} */ ([name, one])));
  }
  return searchOf(kept);
}

/** The pairs of a search in an order of their own, to tell whether two say the same. @param {string} search */
function inOrder(search) {
  const pairs = new URLSearchParams(search);
  pairs.sort();
  return pairs.toString();
}

/** Only these names of a search. @param {string} search @param {string[]} names */
export const searchOnly = (search, names) => searchOf([...new URLSearchParams(search)].filter(([name]) => names.includes(name)));

export class Address {
  ours = document.documentElement.dataset.chimera === "page";

  /**
   * `onBack` is called when Back or Forward has brought another address.
   * @param {string[]} names
   * @param {() => void} onBack
   */
  constructor(names, onBack) {
    this.names = names;
    this.onBack = onBack;
    if (this.ours) window.addEventListener("popstate", onBack);
  }

  close() {
    window.removeEventListener("popstate", this.onBack);
  }

  /** All that is kept under a name. @param {string} name */
  all(name) {
    return this.ours ? new URLSearchParams(location.search).getAll(name) : [];
  }

  /** What is kept under a name; "" for nothing. @param {string} name */
  get(name) {
    return this.all(name)[0] ?? "";
  }

  /** Whether anything of ours is kept. */
  get isThere() {
    return this.names.some((name) => this.get(name));
  }

  /** Keep these values; as a step that Back undoes where it is one. @param {Values} values @param {boolean} step */
  keep(values, step = false) {
    const search = searchWith(location.search, values);
    if (!this.ours || inOrder(search) === inOrder(location.search)) return;
    const address = `${location.pathname}${search}${location.hash}`;
    if (step) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  /** A button that copies a link to what is kept under our names, and no other; hidden where there is no address. */
  copyButton(label = "Copy a link to this") {
    const link = () => `${location.origin}${location.pathname}${searchOnly(location.search, this.names)}`;
    const node = copyButton(label, link, { says: "Copy link" });
    node.hidden = !this.ours;
    return node;
  }
}

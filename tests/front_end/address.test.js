// What is kept in the page's address, and what of it is the dashboard's own.

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {Record<string, () => void>} */
const heard = {};
/** @type {[string, string][]} */
const written = [];
const location = { pathname: "/x/", search: "", hash: "", origin: "http://here" };
const write = (/** @type {string} */ how) => (/** @type {null} */ _, /** @type {""} */ __, /** @type {string} */ address) => {
  written.push([how, address]);
  location.search = new URL(address, "http://here").search;
};
Object.assign(globalThis, {
  document: { documentElement: { dataset: { chimera: "page" } } },
  location,
  history: { pushState: write("push"), replaceState: write("replace") },
  window: {
    addEventListener: (/** @type {string} */ name, /** @type {() => void} */ call) => {
      heard[name] = call;
    },
    removeEventListener: (/** @type {string} */ name) => delete heard[name],
  },
});
const { Address, searchOf, searchOnly, searchWith } = await import("../../chimera_nb/widgets/base/address.js");
const { addressWith, queryOf, readAddress } = await import("../../chimera_nb/widgets/dashboard/address.js");

test("paths can be read in an address, and whatever is in a name comes back from it", () => {
  assert.equal(searchOf([["folder", "gs://b/a/"], ["jobs", ""]]), "?folder=gs://b/a/&jobs");
  for (const name of ["gs://b/a b&c=d#e?f%2F+g/", "🐎\u202e\"'<b>", "**/*.bz2"]) {
    assert.deepEqual(new URLSearchParams(searchOf([["filter", name]])).getAll("filter"), [name]);
  }
});

test("what is kept takes the place of what was, and leaves all else", () => {
  assert.equal(searchWith("?token=t&folder=gs://a/", { folder: "gs://b/", filter: "" }), "?token=t&folder=gs://b/");
  assert.equal(searchWith("?select=a&select=b&jobs", { select: ["c", "d"] }), "?jobs&select=c&select=d");
  assert.equal(searchWith("?select=a", { select: [] }), "");
  assert.equal(searchOnly("?token=t&job=j&tab=log", ["job", "tab"]), "?job=j&tab=log");
});

test("a selection that is too long for an address is left out of it", () => {
  const many = Array.from({ length: 100 }, (_, n) => `gs://bucket/folder/of/some/depth/${n}.bz2`);
  assert.equal(new URLSearchParams(searchWith("", { select: many.slice(0, 50) })).getAll("select").length, 50);
  assert.equal(searchWith("?x=1", { select: many }), "?x=1");
});

test("a step can be gone back from, a change that is none takes its place, and what is the same is not written", () => {
  let backs = 0;
  const address = new Address(["folder", "filter"], () => {
    backs += 1;
  });
  assert.equal(address.isThere, false);
  address.keep({ folder: "gs://b/" }, true);
  address.keep({ filter: "x" });
  address.keep({ filter: "x", folder: "gs://b/" }, true);
  assert.deepEqual(written, [["push", "/x/?folder=gs://b/"], ["replace", "/x/?folder=gs://b/&filter=x"]]);
  assert.deepEqual([address.get("folder"), address.all("filter"), address.isThere], ["gs://b/", ["x"], true]);
  heard.popstate();
  address.close();
  assert.deepEqual([backs, Object.keys(heard)], [1, []]);
});

test("the dashboard's own says which job is open, and keeps what else the address has", () => {
  assert.deepEqual(readAddress("?job=a%20b&token=t"), { page: "jobs", jobId: "a b" });
  assert.deepEqual([readAddress("?jobs"), readAddress("?x=1"), readAddress("?job=")], [{ page: "jobs", jobId: "" }, { page: "new", jobId: "" }, { page: "new", jobId: "" }]);
  assert.deepEqual([queryOf("jobs", "a b"), queryOf("jobs", ""), queryOf("new", "")].map(searchOf), ["?job=a%20b", "?jobs", ""]);
  const here = { pathname: "/x/", search: "?job=old&token=t" };
  const [jobs, page] = [queryOf("jobs", ""), queryOf("new", "")];
  assert.deepEqual([addressWith(here, jobs), addressWith(here, page), addressWith({ ...here, search: "?jobs" }, page)], ["/x/?jobs&token=t", "/x/?token=t", "/x/"]);
});

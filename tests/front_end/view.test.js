// What every view does with its model: late messages, requests that are refused or cannot be sent, who is on screen.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

/** As much of a page as a view needs to be made. */
class FakeNode {
  classes = new Set();
  classList = { toggle: (/** @type {string} */ name, /** @type {boolean} */ on) => (on ? this.classes.add(name) : this.classes.delete(name)) };
  /** @type {FakeNode[]} */
  childNodes = [];
  textContent = "";
  setAttribute() {}
  addEventListener() {}
  append() {}
  /** @param {FakeNode} node */
  appendChild(node) {
    return node;
  }
}

/** @type {Record<string, () => void>} */
const heard = {};
const page = {
  hidden: false,
  createElement: () => new FakeNode(),
  addEventListener: (/** @type {string} */ name, /** @type {() => void} */ call) => {
    heard[name] = call;
  },
  removeEventListener: (/** @type {string} */ name) => delete heard[name],
};
Object.assign(globalThis, { document: page, Text: class {} });
const { View } = await import("../../chimera_nb/widgets/base/view.js");

/** @typedef {{ kind: "rows", generation: number, text: string } | { kind: "note", text: string }} Told */
/** @typedef {{ kind: "go", text: string }} Asked */

/** A model that keeps what it is sent, and lets a test say what the kernel would. */
class FakeModel {
  /** @type {{ kind: string, view?: string }[]} */
  sent = [];
  isAway = false;
  error = "";
  /** @type {Record<string, (message: any) => void>} */
  calls = {};
  /** @param {string} event @param {(message: any) => void} call */
  on(event, call) {
    this.calls[event] = call;
  }
  /** @param {string} event */
  off(event) {
    delete this.calls[event];
  }
  get() {
    return this.error;
  }
  set() {}
  save_changes() {}
  /** @param {any} content */
  send(content) {
    if (this.isAway) throw new Error("Cannot send");
    this.sent.push(content);
  }
}

function made() {
  const model = new FakeModel();
  /** @type {InstanceType<typeof View<{}, Told, Asked>>} */
  const view = new View(/** @type {any} */ (model), /** @type {any} */ (new FakeNode()), "test", "A test");
  const line = /** @type {any} */ (view.makeError());
  /** @type {string[]} */
  const told = [];
  view.hearMessages({
    rows: ({ text }, isNew) => told.push(`${isNew ? "new " : ""}${text}`),
    note: ({ text }) => told.push(text),
  });
  return { model, view, told, isShown: () => line.classes.has("ch-shown") };
}

test("what is of something that is not shown any more is left, and what is new is known as such", () => {
  const { model, told } = made();
  const tell = model.calls["msg:custom"];
  for (const [generation, text] of [[2, "a"], [2, "b"], [1, "late"], [3, "c"], [2, "late"], [3, "d"]]) tell({ kind: "rows", generation, text });
  tell({ kind: "note", text: "e" });
  tell({ kind: "of a later version" });
  assert.deepEqual(told, ["new a", "b", "new c", "d", "e"]);
});

test("a request that the kernel does not take is said, until one is taken", () => {
  const { model, view, isShown } = made();
  model.calls["msg:custom"]({ kind: "refused", request: "go", reason: "text is missing" });
  assert.ok(isShown());
  assert.match(view.refused, /does not take “go” \(text is missing\)/);
  view.ask({ kind: "go", text: "x" });
  assert.deepEqual([isShown(), view.refused, model.sent], [false, "", [{ kind: "go", text: "x" }]]);
});

test("a request that cannot be sent is said, and not thrown; who is on screen is of no use then", () => {
  const { model, view, isShown } = made();
  model.isAway = true;
  view.hello();
  assert.ok(!isShown());
  view.ask({ kind: "go", text: "x" });
  assert.ok(isShown());
  assert.match(view.refused, /^The page is cut off .* not done/);
});

test("a view says that it is there for as long as it is wanted, and goodbye when it is not", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const { model, view } = made();
  let isWanted = true;
  let looks = 0;
  view.stay(() => isWanted, () => {
    looks += 1;
  });
  mock.timers.tick(60_000);
  isWanted = false;
  mock.timers.tick(60_000);
  assert.deepEqual(model.sent, [{ kind: "here", view: view.id }, { kind: "here", view: view.id }]);
  page.hidden = true;
  heard.visibilitychange();
  page.hidden = false;
  heard.visibilitychange();
  assert.deepEqual([model.sent.at(-1)?.kind, looks], ["bye", 1]);
  isWanted = true;
  view.close();
  mock.timers.tick(60_000);
  assert.deepEqual([model.sent.slice(2).map(({ kind }) => kind), heard.visibilitychange, model.calls], [["bye", "bye"], undefined, {}]);
  mock.timers.reset();
});
